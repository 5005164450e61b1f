//! JUnit XML, a test case for each drill, as continuous integration reads it.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{Outcome, Skipped, Verdict, report};

/// All drills as JUnit XML: one suite for each world, a failure for `fail`, an error for `unknown`.
///
/// # Panics
/// Never: what is written into a string cannot fail.
pub fn junit(drills: &[Outcome], skipped: &[Skipped]) -> String {
    let mut report = Report::new("mxdrill");
    let mut worlds: Vec<&str> = drills.iter().map(|drill| drill.world.as_str()).collect();
    worlds.extend(skipped.iter().map(|skipped| skipped.world.as_str()));
    worlds.sort_unstable();
    worlds.dedup();
    for world in worlds {
        let mut suite = TestSuite::new(world);
        suite.add_test_cases(drills.iter().filter(|drill| drill.world == world).map(case));
        suite.add_test_cases(skipped.iter().filter(|skipped| skipped.world == world).map(skip));
        report.add_test_suite(suite);
    }
    report.to_string().expect("written into a string")
}

fn case(outcome: &Outcome) -> TestCase {
    let mut case = TestCase::new(outcome.scenario.as_str(), status(outcome));
    case.set_classname(format!("mxdrill.{}", outcome.world));
    case.set_time(outcome.wall_time);
    case.add_property(("seed", outcome.seed.to_string().as_str()));
    if let Some(hash) = &outcome.journal_hash {
        case.add_property(("journal_hash", hash.as_str()));
    }
    case
}

fn status(outcome: &Outcome) -> TestCaseStatus {
    let kind = match outcome.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Fail => NonSuccessKind::Failure,
        Verdict::Unknown => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    if let Some(first) = outcome.violations.first() {
        status.set_type(first.rule);
        status.set_message(first.text.lines().next().unwrap_or_default());
    }
    status.set_description(report::text(outcome, false));
    status
}

fn skip(skipped: &Skipped) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(skipped.reason.as_str());
    let mut case = TestCase::new(skipped.scenario.as_str(), status);
    case.set_classname(format!("mxdrill.{}", skipped.world));
    case
}
