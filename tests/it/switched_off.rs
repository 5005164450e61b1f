//! Each scenario is about a behaviour. Without it the scenario fails, by the rule that says so: a scenario that
//! passes either way would show nothing.

use mxdrill::{
    Outcome, Verdict, World, report,
    scenario::{Host, Scenario, WorldKind, catalogue},
};

use crate::broken::{Clock, FalseSynced, Forgets, Ignores, Misreads, NoMx, final_at_once, never_final};

/// How a behaviour is switched off.
enum Off {
    /// A host is like another MTA.
    Like(&'static str, &'static str),
    /// A host is set up otherwise.
    Host(&'static str, fn(&mut Host)),
    /// A host is broken.
    World(fn(World) -> World),
}

use Off::{Host as Set, Like, World as Broken};

/// A sender that asks one MX once, and returns what that one does not take.
const SENDER: Off = Like("app", "one-try");
/// A sender that never tries the first address, and says nothing of it.
const PASSES_OVER: Off = Broken(|world| world.wrap("app", || Ignores("192.0.2.10")));
/// A backup without a queue.
const BACKUP: Off = Like("mx2", "one-try");

const OFF: &[(&str, Off, &str)] = &[
    ("primary-refused", SENDER, "bounced"),
    ("primary-blackhole", SENDER, "bounced"),
    ("primary-silent", SENDER, "bounced"),
    ("primary-unreachable", SENDER, "bounced"),
    ("primary-flapping", SENDER, "bounced"),
    ("application-fails-over", Set("app", one_try), "bounced"),
    ("both-down", SENDER, "bounced"),
    ("application-both-down", Set("app", |host| host.run = None), "expectation"),
    ("backup-primary-partition", BACKUP, "bounced"),
    ("ipv6-half-dead", SENDER, "bounced"),
    ("tertiary-mx", SENDER, "bounced"),
    ("tertiary-mx-cap", Set("app", |host| host.overrides.addresses_max = Some(50)), "expectation"),
    ("greet-421", SENDER, "bounced"),
    ("mail-452", SENDER, "bounced"),
    ("rcpt-4xx-one-of-n", SENDER, "bounced"),
    ("half-broken-550", Broken(|world| world.wrap("app", never_final)), "expectation"),
    ("drop-mid-data", SENDER, "bounced"),
    ("drop-after-dot", SENDER, "bounced"),
    ("slow-final-dot", Set("app", |host| host.overrides.timeout.dot = Some(MINUTE)), "expectation"),
    ("slow-final-dot-late", SENDER, "bounced"),
    ("tarpit", Set("app", |host| host.overrides.timeout.greeting = Some(SECOND)), "expectation"),
    ("primary-crash-in-data", SENDER, "bounced"),
    ("stampede", BACKUP, "bounced"),
    ("primary-rate-limits", BACKUP, "bounced"),
    ("primary-greylists", BACKUP, "bounced"),
    ("primary-spf-rejects", Set("mx1", |host| host.policy.accept_from.clear()), "expectation"),
    ("primary-spf-exempts-backup", Set("mx1", |host| host.policy.accept_from[0].1.truncate(1)), "bounced"),
    ("cutoff-bounce", Like("mx2", "postfix"), "expectation"),
    ("cutoff-bounce-postfix", Like("mx2", "exim"), "bounced"),
    ("five-days", Set("mx2", |host| host.overrides.lifetime = Some(DAY)), "bounced"),
    ("outage-1h", BACKUP, "bounced"),
    ("outage-4h", BACKUP, "bounced"),
    ("outage-24h", BACKUP, "bounced"),
    ("outage-72h", BACKUP, "bounced"),
    ("outage-119h", BACKUP, "bounced"),
    ("last-try-vs-lifetime", Set("mx2", |host| host.overrides.retry = None), "expectation"),
    ("backup-disk-full", SENDER, "bounced"),
    ("backup-kill-after-250", Broken(|world| world.wrap("mx2", || Forgets)), "lost"),
    ("backup-killed-full", Broken(|world| world.wrap("mx2", || FalseSynced)), "lost"),
    (
        "outage-over-backup-lifetime",
        Broken(|world| world.wrap("mx2", || Clock { fast: 1, slow: 3 })),
        "lifetime",
    ),
    ("backup-must-not-relay-down", Broken(|world| world.wrap("mx2", || KNOWS_NOT_ITSELF)), "relayed-down"),
    ("backup-unknown-user", Set("mx2", |host| host.policy.verify = None), "backscatter"),
    ("spam-to-worst-mx", Set("mx2", |host| host.policy.filter = None), "backscatter"),
    ("spam-through-backup", Set("mx2", |host| host.policy.filter = Some(REJECT)), "expectation"),
    ("size-agrees", Set("mx2", |host| host.size = None), "expectation"),
    ("size-mismatch", Set("mx2", |host| host.size = Some(100_000)), "expectation"),
    ("mx-servfail", Broken(|world| world.wrap("app", || NoMx)), "address-record"),
    ("mx-timeout", SENDER, "bounced"),
    ("mx-nxdomain", Broken(|world| world.wrap("app", || NoMx)), "expectation"),
    ("dangling-mx", PASSES_OVER, "mx-order"),
    ("dangling-mx-all", Broken(|world| world.wrap("app", || NoMx)), "address-record"),
    ("bad-mx-target", PASSES_OVER, "mx-order"),
    ("mx-none-a-exists", PASSES_OVER, "bounced"),
    ("null-mx-beside-mx", PASSES_OVER, "mx-order"),
    ("null-mx", Broken(|world| world.wrap("app", || NoMx)), "address-record"),
    ("equal-preference", Broken(|world| world.wrap("app", || Ignores("192.0.2.10"))), "expectation"),
    ("equal-preference-relay", Broken(|world| world.wrap("mx2", || KNOWS_NOT_ITSELF)), "relayed-down"),
    ("mx-changed-mid-outage", SENDER, "bounced"),
    ("backup-refuses-relay", Set("mx2", |host| host.relays = vec![domain()]), "expectation"),
    ("primary-removed-from-dns", Broken(|world| world.wrap("mx2", || KNOWS_NOT_ITSELF)), "expectation"),
    ("primary-address-removed", BACKUP, "bounced"),
    ("priorities-swapped", Broken(|world| world.wrap("mx2", || KNOWS_NOT_ITSELF)), "relayed-down"),
    ("recovery-550", Broken(|world| world.wrap("mx2", never_final)), "expectation"),
    ("recovery-451", Broken(|world| world.wrap("mx2", final_at_once)), "bounced"),
    ("backup-stale-recipients", Set("mx2", |host| host.recipients = None), "expectation"),
    ("backup-undersized", SENDER, "bounced"),
    ("backup-few-sessions", SENDER, "bounced"),
    ("dns-falls-with-primary", SENDER, "bounced"),
    ("two-domains", BACKUP, "bounced"),
    ("mx-sandwich", BACKUP, "bounced"),
    ("backup-behind-nat", Set("mx2", |host| host.known_as = vec![public()]), "expectation"),
    ("backup-knows-its-nat", Set("mx2", |host| host.known_as.clear()), "loop"),
    ("extensions-differ", Set("mx2", |host| host.lacks.clear()), "expectation"),
    ("extensions-elsewhere", Like("app", "postfix"), "bounced"),
    ("monitoring-mode-split", SENDER, "bounced"),
];

/// It looks up its own name and finds the address of another: it does not know itself among the MX.
const KNOWS_NOT_ITSELF: Misreads = Misreads { this: &[192, 0, 2, 20], as_that: &[192, 0, 2, 30] };
const REJECT: mxdrill_mta::Filter = mxdrill_mta::Filter::Reject;
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// An application that tries one MX only, as a node.
fn one_try(host: &mut Host) {
    (host.run, host.like) = (None, Some("one-try".into()));
}

fn domain() -> mxdrill_net::DomainName {
    "example.test".parse().expect("a domain")
}

fn public() -> mxdrill::scenario::KnownAs {
    mxdrill::scenario::KnownAs::Address([203, 0, 113, 20].into())
}

/// The scenario without its behaviour.
fn play(scenario: &Scenario, off: &Off) -> Outcome {
    let (mut scenario, mut world) = (scenario.clone(), World::of(WorldKind::Sim).alone());
    let mut change = |label: &str, change: &dyn Fn(&mut Host)| {
        let host = scenario.hosts.iter_mut().find(|host| host.label == label);
        change(host.unwrap_or_else(|| panic!("{}: no host {label}", scenario.name)));
    };
    match off {
        Like(label, profile) => change(label, &|host| host.like = Some((*profile).into())),
        Set(label, set) => change(label, set),
        Broken(wrap) => world = wrap(world),
    }
    scenario.play(&world).expect("it can be played")
}

/// Where MTAs differ the scenario reports and does not judge; and policies about TLS have mutations of their own.
const NOT_HERE: [&str; 6] = [
    "greet-554",
    "tlsa-servfail",
    "starttls-stripped",
    "sts-omits-backup",
    "backup-cert-mismatch",
    "primary-cert-expired",
];

#[test]
fn no_scenario_is_left_out() {
    let listed = |name: &str| OFF.iter().any(|(known, ..)| *known == name) || NOT_HERE.contains(&name);
    let missing: Vec<_> = catalogue::all().map(|entry| entry.name()).filter(|name| !listed(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn without_its_behaviour_each_scenario_fails() {
    let mut wrong = Vec::new();
    for (name, off, rule) in OFF {
        let entry = catalogue::named(name).pop().unwrap_or_else(|| panic!("no scenario {name}"));
        let outcome = play(&entry.scenario().expect("the catalogue is sound"), off);
        let found = outcome.violations.iter().any(|violation| violation.rule == *rule);
        if outcome.verdict != Verdict::Fail || !found {
            wrong.push(format!("{name} should fail by `{rule}`\n{}", report::text(&outcome, false)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
