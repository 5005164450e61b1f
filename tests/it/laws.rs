//! Laws that hold for every drill with sound nodes: the books add up, and nothing is lost.

use mxdrill::{
    Outcome, World, report,
    scenario::{NoFiles, Scenario},
};
use proptest::prelude::*;

/// A small drill drawn at random: who is like what, what breaks when and for how long, what is sent.
fn drill() -> impl Strategy<Value = String> {
    let profile = prop::sample::select(vec!["rfc5321", "postfix", "exim"]);
    let fault = (
        prop::sample::select(vec!["primary", "backup"]),
        prop::sample::select(vec![
            r#"connect = "refuse""#,
            r#"connect = "close""#,
            r#"connect = "unreachable""#,
            r#"crash = true"#,
            r#"disk = "full""#,
            r#"stage = "rcpt", reply = "451 4.3.0 later""#,
            r#"stage = "greeting", reply = "421 4.3.2 closing""#,
            r#"stage = "dot", drop = "before-reply""#,
            r#"stage = "data", drop = "at-once", every = 2"#,
        ]),
        0..120u32,
        1..300u32,
    );
    let faults = prop::collection::vec(fault, 0..4);
    (profile.clone(), profile, faults, 1..20u32, 0..90u32).prop_map(|(sender, backup, faults, count, at)| {
        let mut steps: Vec<(u32, String)> = faults
            .iter()
            .map(|(host, what, at, lasting)| {
                (*at, format!("fault = {{ host = \"{host}\", {what}, for = \"{lasting}m\", may-miss = true }}"))
            })
            .collect();
        steps.push((
            at,
            format!("send = {{ from = \"a@sender.test\", to = \"user@example.test\", count = {count}, over = \"20m\" }}"),
        ));
        steps.sort();
        let steps: String = steps.iter().map(|(at, what)| format!("[[step]]\nat = \"{at}m\"\n{what}\n")).collect();
        format!(
            "title = \"a random outage\"\n[zone]\ntext = \"\"\"\n$ORIGIN example.test.\n@ MX 10 mx1\n@ MX 20 mx2\nmx1 A \
             192.0.2.10\nmx2 A 192.0.2.20\n\"\"\"\n[host.mx1]\ndelivers = [\"example.test\"]\n[host.mx2]\nrelays = \
             [\"example.test\"]\nlike = \"{backup}\"\n[host.app]\nlike = \"{sender}\"\n{steps}"
        )
    })
}

/// A drill in which nothing goes wrong: so many MX, who is like what, what is sent when and to how many.
fn healthy() -> impl Strategy<Value = String> {
    let names: Vec<&str> = mxdrill_mta::profile::all().iter().map(|(name, _)| *name).collect();
    let send = (0..600u32, 1..8u32, 0..60u32, 1..5u32);
    let profile = prop::sample::select(names);
    (profile.clone(), profile, 1..4u32, prop::collection::vec(send, 1..5)).prop_map(
        |(sender, backup, hosts, mut sends)| {
            sends.sort();
            let records: String =
                (1..=hosts).map(|n| format!("@ MX {n}0 mx{n}\nmx{n} A 192.0.2.{n}0\n")).collect();
            let backups: String = (2..=hosts)
                .map(|n| format!("[host.mx{n}]\nrelays = [\"example.test\"]\nlike = \"{backup}\"\n"))
                .collect();
            let steps: String = sends
                .iter()
                .map(|(at, count, over, to)| {
                    let to: Vec<String> = (0..*to).map(|n| format!("\"u{n}@example.test\"")).collect();
                    let to = to.join(", ");
                    format!(
                        "[[step]]\nat = \"{at}m\"\nsend = {{ from = \"a@sender.test\", to = [{to}], count = {count}, over = \
                         \"{over}m\" }}\n"
                    )
                })
                .collect();
            format!(
                "title = \"nothing goes wrong\"\n[zone]\ntext = \"\"\"\n$ORIGIN example.test.\n{records}\"\"\"\n\
                 [host.mx1]\ndelivers = [\"example.test\"]\n{backups}[host.app]\nlike = \"{sender}\"\n{steps}"
            )
        },
    )
}

fn play(text: &str, seed: u64) -> Outcome {
    let scenario = Scenario::parse("law", text, &NoFiles).expect("the drill is sound");
    scenario.play(&World::sim(seed)).expect("it can be played")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_books_add_up_and_nothing_is_lost(text in drill(), seed in 0..1000u64) {
        let outcome = play(&text, seed);
        let counts = &outcome.counts;
        let story = || format!("{text}\n{}", report::text(&outcome, false));
        prop_assert_eq!(counts.sent, counts.acknowledged + counts.rejected + counts.in_doubt, "{}", story());
        let accounted = counts.delivered + counts.queued + counts.bounced + counts.discarded + counts.lost;
        prop_assert_eq!(counts.acknowledged, accounted, "{}", story());
        prop_assert_eq!(counts.lost, 0, "{}", story());
        for violation in &outcome.violations {
            prop_assert!(violation.rule == "expectation", "{}", story());
        }
    }

    #[test]
    fn a_healthy_drill_delivers_everything_exactly_once(text in healthy(), seed in 0..1000u64) {
        let outcome = play(&text, seed);
        let counts = &outcome.counts;
        let story = format!("{text}\n{}", report::text(&outcome, false));
        prop_assert!(outcome.is_pass(), "{story}");
        prop_assert_eq!((counts.delivered, counts.duplicated), (counts.sent, 0), "{}", story);
        let by_primary = outcome.hosts.iter().find(|host| host.name == "mx1").map(|host| host.accepted);
        prop_assert_eq!(by_primary, Some(counts.sent), "{}", story);
    }
}
