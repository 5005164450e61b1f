//! Exploring, seen from outside: what is drawn, what is found, and that nothing depends on who plays.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Mutex};

use proptest::prelude::*;

use super::{outage::demanding, space::Space, *};
use crate::scenario::{Action, NoFiles, catalogue};

fn scenario(name: &str) -> Scenario {
    catalogue::named(name)[0].scenario().expect("the catalogue is sound")
}

fn space(name: &str) -> Space {
    Space::of(&scenario(name), &Family::ALL).expect("it can be explored")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// What is drawn can be written down: reading it gives the same outage again.
    #[test]
    fn an_outage_is_a_scenario_that_can_be_written(seed: u64, index: u64) {
        let drawn = demanding(&space("tertiary-mx").outage(seed, index).scenario);
        let read = Scenario::parse(&drawn.name, &drawn.to_toml(), &NoFiles).expect("it reads back");
        let steps = |scenario: &Scenario| scenario.resolved().expect("its places are there").steps;
        prop_assert_eq!(steps(&read), steps(&drawn));
        prop_assert_eq!(read.hosts, drawn.hosts);
    }

    /// Drill k is the same however often, and after whatever, it is drawn.
    #[test]
    fn an_outage_depends_on_seed_and_number_alone(seed: u64, index in 0..1000_u64) {
        let space = space("primary-refused");
        prop_assert_eq!(space.outage(seed, index), space.outage(seed, index));
        prop_assert_ne!(space.outage(seed, index).scenario.steps, space.outage(seed, index + 1).scenario.steps);
    }

    /// Every fault ends, and all mail is sent, before the queues are to drain.
    #[test]
    fn everything_is_well_again_in_the_end(seed: u64, index: u64) {
        let drawn = demanding(&space("primary-refused").outage(seed, index).scenario);
        let last = drawn.steps.last().expect("a step");
        prop_assert!(matches!(last.action, Action::Expect(_)));
        for step in &drawn.steps {
            let Action::Fault(fault) = &step.action else { continue };
            prop_assert!(step.at + fault.lasting.unwrap_or_default() <= last.at);
        }
    }
}

#[test]
fn every_family_can_be_drawn_alone() {
    let scenario = scenario("primary-refused");
    for family in Family::ALL.into_iter().filter(|family| *family != Family::Tls) {
        let space = Space::of(&scenario, &[family]).expect("it can be explored");
        assert!(space.cells.iter().all(|cell| cell.what.family() == family), "{family}");
        let faults = (0..20).map(|index| space.outage(1, index).scenario.faults().count());
        assert!(faults.min() >= Some(1), "{family}");
    }
    assert!(matches!(Space::of(&scenario, &[]), Err(ExploreError::NoFault)));
}

#[test]
fn profiles_and_mail_are_drawn_too() {
    let space = space("primary-refused");
    let drawn: Vec<Scenario> = (0..200).map(|index| space.outage(1, index).scenario).collect();
    let likes: BTreeSet<_> =
        drawn.iter().flat_map(|one| &one.hosts).filter_map(|host| host.like.clone()).collect();
    assert_eq!(likes, mxdrill_mta::profile::all().iter().map(|(name, _)| (*name).into()).collect());
    let sends = || {
        drawn.iter().flat_map(|one| &one.steps).filter_map(|step| match &step.action {
            Action::Send(send) => Some(send),
            _ => None,
        })
    };
    assert!(sends().any(|send| send.from.is_null()));
    assert!(sends().any(|send| matches!(send.to, crate::scenario::To::Several(_))));
}

#[test]
fn an_exploration_ends_when_whoever_looks_on_says_so() {
    struct Ten(Mutex<u32>);
    impl Watch for Ten {
        fn goes_on(&self) -> bool {
            let mut asked = self.0.lock().expect("nobody panics");
            *asked += 1;
            *asked <= 10
        }
    }
    let scenario = scenario("primary-refused");
    let two = NonZeroUsize::new(2).expect("two");
    let found =
        Explore::new(&scenario).keep_going().jobs(two).run(&Ten(Mutex::new(0))).expect("it can be explored");
    assert_eq!(found.played, 10);
    assert!(found.coverage.rows.iter().map(|row| row.drawn).sum::<u64>() > 10);
}

#[test]
fn nothing_played_proves_nothing() {
    let scenario = scenario("primary-refused");
    let found = Explore::new(&scenario).seeds(0).run(&Quiet).expect("it can be explored");
    assert_eq!((found.played, found.verdict()), (0, Verdict::Unknown));
}

#[test]
fn sound_profiles_give_no_false_alarm() {
    for name in ["primary-refused", "tertiary-mx"] {
        let found =
            Explore::new(&scenario(name)).seeds(25).keep_going().run(&Quiet).expect("it can be explored");
        let told: Vec<String> = found.findings.iter().map(Finding::line).collect();
        assert_eq!(told, Vec::<String>::new(), "{name}");
        assert_eq!(found.verdict(), Verdict::Pass);
    }
}

/// The primary is away, and hosts crash: what a backup that forgets does not survive.
fn crashing(scenario: &Scenario) -> Explore<'_> {
    Explore::new(scenario).seeds(24).families([Family::Connect, Family::Crash])
}

/// The lines of a share of an exploration, as the command line writes them.
fn lines(share: &str, broken: bool) -> String {
    let scenario = scenario("primary-refused");
    let world = if broken { broken_world() } else { World::sim(1) };
    let explore = crashing(&scenario).keep_going().share(share.parse().expect("a share")).in_world(world);
    let found = explore.run(&Quiet).expect("it can be explored");
    let findings: String = found.findings.iter().map(Finding::line).collect();
    explore.head().line() + &findings + &found.closing_lines()
}

/// A backup that forgets everything when it restarts.
fn broken_world() -> World {
    use mxdrill_ledger::Fact;
    use mxdrill_net::{Commands, Event, Process, Time};
    World::sim(1).wrap("mx2", || {
        |inner: &mut dyn Process<Fact>, now: Time, event: Event<'_>, out: &mut Commands<Fact>| match event {
            Event::Restart(_) => inner.handle(now, Event::Restart(&[]), out),
            event => inner.handle(now, event, out),
        }
    })
}

fn merged(files: &[(&str, &str)]) -> Result<Merged, String> {
    let files: Vec<_> = files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    merge(&files).map_err(|why| why.to_string())
}

#[test]
fn shares_come_to_the_same_as_the_whole() {
    let (whole, one, two) = (lines("1/1", true), lines("1/2", true), lines("2/2", true));
    let whole = merged(&[("whole", &whole)]).expect("one file");
    let both = merged(&[("two", &two), ("one", &one)]).expect("two files");
    let indices = |merged: &Merged| merged.findings.iter().map(|finding| finding.index).collect::<Vec<_>>();
    assert!(!whole.findings.is_empty());
    assert_eq!(indices(&both), indices(&whole));
    assert_eq!((both.played, &both.coverage), (whole.played, &whole.coverage));
    assert_eq!(both.verdict(), Verdict::Fail);
}

#[test]
fn a_share_that_was_killed_or_is_missing_is_named() {
    let (one, two) = (lines("1/2", false), lines("2/2", false));
    let whole = merged(&[("one", &one), ("two", &two)]).expect("two files");
    assert_eq!((whole.verdict(), whole.broken.len()), (Verdict::Pass, 0));
    let missing = merged(&[("one", &one)]).expect("one file");
    assert_eq!(missing.verdict(), Verdict::Unknown);
    assert_eq!(missing.broken, [BrokenShard { part: Some(2), file: None }]);
    // wherever it was cut off, even in the middle of a line
    for length in [two.len() - 2, two.len() / 2, two.find('\n').expect("a line") + 1] {
        let killed = merged(&[("one", &one), ("two", &two[..length])]).expect("two files");
        assert_eq!(killed.verdict(), Verdict::Unknown);
        assert_eq!(killed.broken, [BrokenShard { part: Some(2), file: Some("two".into()) }]);
    }
    let cut = merged(&[("one", &one), ("two", &two[..10])]).expect("two files");
    assert_eq!(cut.broken[0], BrokenShard { part: None, file: Some("two".into()) });
    let again =
        merged(&[("one", &one), ("killed", &two[..two.len() / 2]), ("two", &two)]).expect("three files");
    assert_eq!((again.verdict(), again), (Verdict::Pass, whole));
}

#[test]
fn what_does_not_belong_together_is_not_joined() {
    let (one, two) = (lines("1/2", false), lines("2/2", false));
    let other = two.replacen("\"seed\":1", "\"seed\":2", 1);
    let why = |files: &[(&str, &str)]| merged(files).expect_err("they do not belong together");
    assert_eq!(
        why(&[("one", &one), ("other", &other)]),
        "other is no share of the same exploration as one: the seed differs"
    );
    assert_eq!(why(&[("one", &one), ("again", &one)]), "one and again are both share 1");
    assert_eq!(why(&[("none", "")]), "none of the files says what was explored");
    let strange = format!("{one}{{\"type\":\"soup\"}}\n");
    assert!(why(&[("strange", &strange)]).ends_with("`soup` is no type of line"));
}

#[test]
fn findings_do_not_depend_on_how_many_play() {
    let scenario = scenario("primary-refused");
    let with = |jobs: usize, keep_going: bool| {
        let explore = crashing(&scenario).in_world(broken_world());
        let explore = explore.jobs(NonZeroUsize::new(jobs).expect("some"));
        let explore = if keep_going { explore.keep_going() } else { explore };
        explore.run(&Quiet).expect("it can be explored")
    };
    for keep_going in [false, true] {
        let one = with(1, keep_going);
        assert!(!one.findings.is_empty());
        for jobs in [2, 5] {
            assert_eq!(with(jobs, keep_going), one, "{jobs} jobs");
        }
    }
}

#[test]
fn what_is_found_is_shrunk_to_a_file_that_fails_by_itself() {
    let scenario = scenario("primary-refused");
    let explore = Explore::new(&scenario).seeds(200).in_world(broken_world());
    let found = explore.run(&Quiet).expect("it can be explored");
    let [finding] = &found.findings[..] else { panic!("one finding") };
    assert_eq!((&*finding.rule, finding.claim, finding.shrunk), ("lost", Claim::Safety, true));
    assert!(finding.steps <= 6, "{}", finding.toml);
    let read = Scenario::parse("found", &finding.toml, &NoFiles).expect("it reads back");
    let outcome = read.play(&broken_world()).expect("it can be played");
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert!(outcome.violations.iter().any(|violation| violation.rule == "lost"));
    read.play(&World::sim(read.seed)).expect("it can be played").assert_ok();
}
