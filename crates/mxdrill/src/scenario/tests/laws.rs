//! Laws: what is printed reads back as the same, and no text is too strange for an answer.

use std::time::Duration;

use mxdrill_dns::RecordType;
use mxdrill_ledger::{Expectation, Figure};
use mxdrill_mta::{RetryRule, StsMode, StsPolicy};
use mxdrill_smtp::{Code, Enhanced, Notify, Reply, ReversePath, Stage};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    super::{
        Action, Answer, Body, Clear, Connect, Content, Crash, Dialogue, DnsFault, DnsName, Expect, Fault,
        FaultKind, Host, HostFault, HostTls, KnownAs, LinkFault, Matching, Moment, NoFiles, Overrides, Place,
        Rate, RecipientPattern, Record, Restriction, RetryPart, Scenario, Send, Spacing, Step, Timeouts,
        TlsFault, To, Trigger, When, WorldKind,
    },
    read,
};
use crate::build::Drill;

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..10_000_000u64).prop_map(Duration::from_secs),
        (0..u64::MAX / 8).prop_map(Duration::from_nanos)
    ]
}

fn some_time() -> impl Strategy<Value = Duration> {
    time().prop_map(|time| time + Duration::from_nanos(1))
}

fn place() -> impl Strategy<Value = Place> {
    select(vec!["mx1", "mx2", "app", "primary", "backup", "sender", "mail.other.test"]).prop_map(Place::from)
}

fn rate() -> impl Strategy<Value = Rate> {
    (
        1..5000u32,
        prop_oneof![select(vec![1, 60, 3600, 86_400, 90]).prop_map(Duration::from_secs), some_time()],
    )
        .prop_map(|(count, per)| Rate { count, per })
}

fn reverse_path() -> impl Strategy<Value = ReversePath> {
    select(vec!["", "alice@sender.test", "\"a b\\\\\"@sender.test", "grüße@sender.test"])
        .prop_map(|text| ReversePath(text.parse().ok()))
}

fn send() -> impl Strategy<Value = Send> {
    let one = || select(vec!["user@example.test", "new@example.test"]).prop_map(|text| text.parse().unwrap());
    let to = prop_oneof![
        one().prop_map(To::One),
        vec(one(), 1..4).prop_map(To::Several),
        (0..9u32, 0..9u32).prop_map(|(first, more)| To::Numbered {
            before: "u".into(),
            first,
            last: first + more,
            after: "x@example.test".into(),
        }),
    ];
    let spacing = prop_oneof![
        (1..1000u32, time()).prop_map(|(count, over)| Spacing::Over { count, over }),
        (rate(), (1..100u64).prop_map(Duration::from_secs))
            .prop_map(|(rate, lasting)| Spacing::Rate { rate, lasting }),
    ];
    let content = prop_oneof![
        (select(Body::ALL), prop_oneof![0..4000u64, Just(20_000_000)])
            .prop_map(|(body, size)| Content::Made { body, size }),
        Just(Content::File { path: "x.eml".into(), bytes: "Subject: x\r\n\r\nhello".into() }),
    ];
    let notify = prop_oneof![
        Just(Notify { never: true, success: false, failure: false, delay: false }),
        (any::<bool>(), any::<bool>()).prop_map(|(success, delay)| Notify {
            never: false,
            success,
            failure: true,
            delay,
        }),
    ];
    (place(), reverse_path(), to, spacing, content, any::<bool>(), notify).prop_map(
        |(by, from, to, spacing, content, forged, notify)| Send {
            by,
            from,
            to,
            spacing,
            content,
            forged,
            notify,
        },
    )
}

fn reply() -> impl Strategy<Value = Reply> {
    (select(vec![421, 450, 451, 550, 554]), option::of((0..9u16, 0..999u16)), "[ -~]{0,30}").prop_map(
        |(code, enhanced, text)| Reply {
            code: Code::new(code).unwrap(),
            enhanced: enhanced.map(|(subject, detail)| Enhanced((code / 100) as u8, subject, detail)),
            // A text that looks like an enhanced status code would be read as one.
            text: format!("x{text}").into(),
        },
    )
}

fn matching() -> impl Strategy<Value = Matching> {
    let recipient = prop_oneof![
        Just(RecipientPattern::Address("user@example.test".parse().unwrap())),
        Just(RecipientPattern::Domain("example.test".parse().unwrap())),
    ];
    (option::of(place()), option::of(reverse_path()), option::of(recipient))
        .prop_map(|(client, sender, recipient)| Matching { client, sender, recipient })
}

fn trigger() -> impl Strategy<Value = Trigger> {
    (option::of(1..9u32), option::of(1..9u32), option::of(0..=1_000_000u32), option::of(rate()))
        .prop_map(|(first, every, odds_ppm, per)| Trigger { first, every, odds_ppm, per })
}

fn stage() -> impl Strategy<Value = Stage> {
    select(&Stage::ALL[1..])
}

fn dialogue() -> impl Strategy<Value = Dialogue> {
    let said = prop_oneof![
        reply().prop_map(|reply| (Some(reply), None)),
        select(Moment::ALL).prop_map(|drop| (None, Some(drop))),
    ];
    (stage(), matching(), trigger(), option::of(some_time()), option::of(1..9999u32), said).prop_map(
        |(stage, matching, trigger, delay, tarpit, (reply, drop))| Dialogue {
            stage,
            matching,
            trigger,
            delay,
            tarpit,
            reply,
            drop,
        },
    )
}

fn crash() -> impl Strategy<Value = Crash> {
    (stage(), select(Moment::ALL), matching(), trigger())
        .prop_map(|(stage, moment, matching, trigger)| Crash { stage, moment, matching, trigger })
}

fn host_fault() -> impl Strategy<Value = HostFault> {
    prop_oneof![
        select(Connect::ALL).prop_map(HostFault::Connect),
        dialogue().prop_map(|dialogue| HostFault::Dialogue(Box::new(dialogue))),
        option::of(crash().prop_map(Box::new)).prop_map(HostFault::Crash),
        Just(HostFault::DiskFull),
        any::<u32>().prop_map(HostFault::MaxConnections),
        some_time().prop_map(HostFault::Greylist),
        (0..u64::MAX / 4).prop_map(HostFault::Size),
        select(TlsFault::ALL).prop_map(HostFault::Tls),
    ]
}

fn link() -> impl Strategy<Value = (Place, Place, bool)> {
    let ends =
        select(vec![("mx1", "mx2"), ("backup", "primary"), ("sender", "mx2"), ("app", "mail.other.test")]);
    (ends, any::<bool>()).prop_map(|((from, to), both)| (from.into(), to.into(), both))
}

fn link_fault() -> impl Strategy<Value = LinkFault> {
    (
        option::of(time()),
        option::of(0..=1_000_000u32),
        option::of(1..u64::MAX / 4),
        option::of(0..u64::MAX / 4),
    )
        .prop_map(|(latency, loss_ppm, bandwidth, cut_after)| LinkFault {
            partition: latency.is_none(),
            latency,
            loss_ppm,
            bandwidth,
            cut_after,
        })
}

fn dns_name() -> impl Strategy<Value = DnsName> {
    prop_oneof![
        Just(DnsName::Own),
        place().prop_map(DnsName::Host),
        Just(DnsName::Name("example.test".parse().unwrap())),
    ]
}

fn kind() -> impl Strategy<Value = RecordType> {
    select(vec![RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Txt, RecordType::Tlsa])
}

fn fault() -> impl Strategy<Value = Fault> {
    let dns =
        prop_oneof![select(Answer::ALL).prop_map(DnsFault::Answer), some_time().prop_map(DnsFault::Delay),];
    let what = prop_oneof![
        4 => (place(), host_fault()).prop_map(|(place, fault)| FaultKind::Host(place, fault)),
        1 => (link(), link_fault()).prop_map(|((from, to, both), fault)| FaultKind::Link { from, to, both, fault }),
        1 => (dns_name(), option::of(kind()), dns).prop_map(|(name, kind, fault)| FaultKind::Dns { name, kind, fault }),
    ];
    (what, option::of(some_time()), any::<[bool; 2]>()).prop_map(|(kind, lasting, may)| Fault {
        name: None,
        kind,
        lasting,
        may_miss: may[0],
        may_bounce: may[1],
    })
}

fn clear() -> impl Strategy<Value = Clear> {
    prop_oneof![
        place().prop_map(Clear::Host),
        link().prop_map(|(from, to, both)| Clear::Link { from, to, both }),
        (dns_name(), option::of(kind())).prop_map(|(name, kind)| Clear::Dns { name, kind }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let whole_seconds = (0..100_000u64).prop_map(Duration::from_secs);
    (dns_name(), vec(select(vec!["10 mx1", "20 backup", "0 ."]), 0..3), option::of(whole_seconds)).prop_map(
        |(name, to, ttl)| Record {
            name,
            kind: RecordType::Mx,
            to: to.into_iter().map(Into::into).collect(),
            ttl,
        },
    )
}

fn expect() -> impl Strategy<Value = Expect> {
    let counts = select(vec![
        "queued.mx2",
        "queued.all",
        "delivered.primary",
        "bounced.sender",
        "queue-max.mail.other.test",
    ]);
    let count = (counts, select(vec!["", "<= ", "> ", "!= "]), any::<u32>())
        .prop_map(|(figure, sign, count)| (figure, format!("{sign}{count}")));
    let times = (select(vec!["delay.max", "failover.p95"]), select(vec!["< ", ">= "]), 0..9999u32)
        .prop_map(|(figure, sign, secs)| (figure, format!("{sign}{secs}s")));
    let one = prop_oneof![count, times].prop_map(|(figure, value)| {
        let figure: Figure = figure.parse().unwrap();
        Expectation::parse(figure, &value).unwrap()
    });
    (option::of(some_time()), vec(one, 1..5))
        .prop_map(|(within, all)| Expect::new(within.map_or(When::Now, When::Within), all))
}

/// Boxed: all strategies nested in one type, unoptimized, overflow the stack of a test.
fn action() -> BoxedStrategy<Action> {
    prop_oneof![
        3 => send().prop_map(Action::Send).boxed(),
        4 => fault().prop_map(Action::Fault).boxed(),
        1 => clear().prop_map(Action::Clear).boxed(),
        1 => place().prop_map(Action::Flush).boxed(),
        1 => record().prop_map(Action::Set).boxed(),
        2 => expect().prop_map(Action::Expect).boxed(),
    ]
    .boxed()
}

fn retry() -> impl Strategy<Value = RetryPart> {
    let percent = 100..900u32;
    prop_oneof![
        vec(some_time(), 1..4).prop_map(RetryPart::List),
        (option::of(some_time()), option::of(some_time())).prop_map(|(min, scan)| RetryPart::Age {
            min,
            max: None,
            scan
        }),
        vec(
            prop_oneof![
                (some_time(), some_time()).prop_map(|(until, every)| RetryRule::Fixed { until, every }),
                (some_time(), some_time(), percent.clone())
                    .prop_map(|(until, first, percent)| RetryRule::Growing { until, first, percent }),
            ],
            1..4
        )
        .prop_map(RetryPart::Rules),
        (some_time(), 1..8u32)
            .prop_map(|(unit, exponent)| RetryPart::Power { unit: Some(unit), exponent: Some(exponent) }),
        (some_time(), percent, some_time()).prop_map(|(first, percent, max)| RetryPart::Geometric {
            first: Some(first),
            percent: Some(percent),
            max: Some(max),
        }),
    ]
}

fn overrides() -> impl Strategy<Value = Overrides> {
    let times = (option::of(time()), option::of(time()), option::of(vec(time(), 0..3)), option::of(time()));
    let numbers = (option::of(1..9u32), option::of(1..9u16), option::of(1..9u16), option::of(1..9u32));
    (option::of(retry()), times, numbers, option::of(some_time())).prop_map(|(retry, times, numbers, dot)| {
        Overrides {
            retry,
            lifetime: times.0,
            bounce_lifetime: times.1,
            warn_after: times.2,
            memory: times.3,
            attempts_max: numbers.0,
            hosts_max: numbers.1,
            addresses_max: numbers.1,
            attempt_sessions_max: numbers.2,
            hops_max: numbers.2,
            concurrency: numbers.3,
            dane: times.3.map(|time| time.is_zero()),
            mta_sts: times.0.map(|time| time.is_zero()),
            timeout: Timeouts { dot, connect: dot, ..Timeouts::default() },
        }
    })
}

fn hosts() -> BoxedStrategy<Vec<Host>> {
    let backup = (overrides().boxed(), option::of(0..u64::MAX / 4), option::of(1..99u32), any::<bool>());
    backup
        .prop_map(|(overrides, spool, sessions, more)| {
            let mut primary = Host::new("mx1", "mx1.example.test".parse().unwrap());
            primary.delivers = vec!["example.test".parse().unwrap()];
            let mut backup = Host::new("mx2", "mx2.example.test".parse().unwrap());
            backup.relays = vec!["example.test".parse().unwrap()];
            // Parts of `age` need a profile that has one.
            backup.like = Some("postfix".into());
            backup.overrides = overrides;
            (backup.spool, backup.sessions, backup.size) = (spool, sessions, spool);
            if more {
                primary.tls = Some(HostTls::default());
                backup.tls = Some(HostTls {
                    names: vec!["*.example.test".into()],
                    expires: spool.map(|spool| Duration::from_secs(spool % 1000)),
                    trusted: sessions.is_some(),
                    tlsa: spool.is_some(),
                });
                backup.lacks = vec!["smtputf8".into(), "8bitmime".into()];
                backup.route = vec![("example.test".parse().unwrap(), primary.name.clone())];
                backup.recipients = Some(["user@example.test".parse().unwrap()].into());
                backup.addresses = Some(vec!["192.0.2.20".parse().unwrap(), "2001:db8::20".parse().unwrap()]);
                backup.known_as = vec![
                    KnownAs::Name("mail.example.test".parse().unwrap()),
                    KnownAs::Address("192.0.2.99".parse().unwrap()),
                ];
            }
            let app = Host::new("app", "app.example.test".parse().unwrap());
            let far = Host::new("mail.other.test", "mail.other.test".parse().unwrap());
            let mut policy = Host::new("mta-sts", "mta-sts.example.test".parse().unwrap());
            policy.sts = more.then(|| StsPolicy {
                mode: if spool.is_some() { StsMode::Enforce } else { StsMode::Testing },
                mx: vec!["*.example.test".into()],
                max_age: Duration::from_secs(86_400),
            });
            vec![primary, backup, app, far, policy]
        })
        .boxed()
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let head = ("\\PC{1,20}", option::of("[\\PC\n\t\"\\\\]{0,20}"), 0..i64::MAX as u64, any::<bool>());
    let worlds =
        option::of(Just(Restriction { only: vec![WorldKind::Sim, WorldKind::Netns], reason: "why".into() }));
    let steps = vec((time(), action()), 0..8);
    (head, worlds, hosts(), steps, any::<bool>()).prop_map(|(head, worlds, hosts, steps, secure)| {
        let mut scenario = Scenario::new("story");
        (scenario.title, scenario.why, scenario.seed, scenario.site) = head;
        scenario.worlds = worlds;
        scenario.zone = super::super::Zone::parse(ZONE).unwrap();
        scenario.zone.secure = secure;
        scenario.hosts = hosts;
        scenario.steps = steps.into_iter().map(|(at, action)| Step { at, action }).collect();
        scenario.steps.sort_by_key(|step| step.at);
        scenario
    })
}

const ZONE: &str = "\
$ORIGIN example.test.
@ MX 10 mx1
@ MX 20 mx2
mx1 A 192.0.2.10
mx2 A 192.0.2.20
app A 192.0.2.30
";

proptest! {
    #[test]
    fn a_scenario_prints_as_what_it_is(scenario in scenario()) {
        let drill = Drill::from(scenario.clone());
        let back = drill.scenario().map_err(|err| TestCaseError::fail(format!("{:?}\n{drill}", miette::Report::new(err))))?;
        prop_assert_eq!(&back, &scenario, "{}", drill);
        prop_assert_eq!(drill.to_string(), scenario.to_toml());
    }

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let _ = Scenario::parse("story.toml", &text, &NoFiles);
    }

    #[test]
    fn a_file_with_a_hole_gets_an_answer(cut in 0..2000usize, length in 0..40usize, put in "[\"\\[\\]{}=,.@<>0-9a-z\n]{0,5}") {
        let whole = super::super::catalogue::all().next().unwrap().text;
        let cut = cut.min(whole.len());
        let end = (cut + length).min(whole.len());
        if let (Some(head), Some(tail)) = (whole.get(..cut), whole.get(end..))
            && let Err(mistakes) = Scenario::parse("story.toml", &format!("{head}{put}{tail}"), &NoFiles)
        {
            prop_assert!(mistakes.iter().count() > 0);
            // Rendering looks at every span, and so finds those that lie outside.
            let shown = format!("{:?}", miette::Report::new(mistakes));
            prop_assert!(!shown.contains("OutOfBounds"), "{}", shown);
        }
    }
}

#[test]
fn what_is_at_one_time_keeps_its_order() {
    let text = format!(
        "title = \"Order\"\n[zone]\ntext = \"\"\"\n{ZONE}\"\"\"\n[host.mx1]\ndelivers = [\"example.test\"]\n\
         [[step]]\nat = \"1m\"\nflush = \"mx1\"\n[[step]]\nat = \"0s\"\nsend = {{ count = 1 }}\n\
         [[step]]\nat = \"1m\"\nclear = \"mx1\"\n"
    );
    let scenario = read(&text);
    let words: Vec<bool> =
        scenario.steps.iter().map(|step| matches!(step.action, Action::Flush(_))).collect();
    assert_eq!(words, [false, true, false]);
}

#[test]
fn a_repeated_step_is_as_many_steps() {
    let text = format!(
        "title = \"Flapping\"\n[zone]\ntext = \"\"\"\n{ZONE}\"\"\"\n[host.mx1]\ndelivers = [\"example.test\"]\n\
         [[step]]\nat = \"5m\"\nrepeat = {{ every = \"4m\", times = 15 }}\n\
         fault = {{ host = \"primary\", connect = \"refuse\", for = \"2m\" }}\n"
    );
    let scenario = read(&text);
    let times: Vec<u64> = scenario.steps.iter().map(|step| step.at.as_secs() / 60).collect();
    assert_eq!(times, (0..15).map(|n| 5 + 4 * n).collect::<Vec<u64>>());
    assert_eq!(scenario.faults().count(), 15);
}
