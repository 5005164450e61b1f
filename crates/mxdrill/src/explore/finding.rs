//! What exploring found: a drill in which mail was mishandled, or did not get through in the end.

use mxdrill_ledger::{Outcome, RULES, Violation};

use crate::scenario::Scenario;

/// Which of the two verdicts a finding breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// "Nothing lost": what was done with the mail while things were wrong.
    Safety,
    /// "It drains": what became of it after everything was well again.
    Progress,
}

impl Claim {
    /// The word of reports.
    pub fn word(self) -> &'static str {
        match self {
            Claim::Safety => "safety",
            Claim::Progress => "progress",
        }
    }
}

/// A drill that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The number of the drill, from which, with the scenario and the seed, it is drawn again.
    pub index: u64,
    /// The verdict it breaks.
    pub claim: Claim,
    /// The rule it breaks first: `lost`. `panic` when a machine did not survive the drill.
    pub rule: String,
    /// The clause that rests on.
    pub clause: String,
    /// The host where it happened.
    pub host: Option<String>,
    /// What happened, in lines.
    pub text: String,
    /// How many steps its scenario has, the demand that its queues drain included.
    pub steps: usize,
    /// A scenario that fails by this rule, as a file. As it was drawn, until it is shrunk.
    pub toml: String,
    /// Whether the scenario is as small as it gets.
    pub shrunk: bool,
}

/// What a play came to, if it broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) rule: String,
    pub(crate) clause: String,
    pub(crate) host: Option<String>,
    pub(crate) text: String,
}

impl Broken {
    /// All that an outcome breaks, but what only says that a drill proves nothing.
    pub(crate) fn all_of(outcome: &Outcome) -> Vec<Broken> {
        let decided =
            |violation: &&Violation| RULES.iter().any(|rule| rule.name == violation.rule && !rule.undecided);
        outcome.violations.iter().filter(decided).map(Broken::of).collect()
    }

    fn of(violation: &Violation) -> Broken {
        Broken {
            rule: violation.rule.into(),
            clause: violation.clause.into(),
            host: violation.host.clone(),
            text: violation.text.clone(),
        }
    }

    /// A machine that did not survive.
    pub(crate) fn panicked(why: String) -> Broken {
        Broken { rule: "panic".into(), clause: "none".into(), host: None, text: why }
    }

    /// Whether two break the same rule for the same reason.
    pub(crate) fn is_like(&self, other: &Broken) -> bool {
        self.rule == other.rule && self.clause == other.clause
    }

    /// Mail that is still there, or that grew too old though everything was well again, did not get through.
    /// The demand that queues drain is the only expectation of a drawn scenario.
    pub(crate) fn claim(&self) -> Claim {
        match (&*self.rule, &*self.clause) {
            ("queued-at-end" | "expectation", _) | ("bounced", "RFC 5321 4.5.4.1") => Claim::Progress,
            _ => Claim::Safety,
        }
    }
}

impl Finding {
    pub(crate) fn new(index: u64, broken: &Broken, scenario: &Scenario) -> Finding {
        Finding {
            index,
            claim: broken.claim(),
            rule: broken.rule.clone(),
            clause: broken.clause.clone(),
            host: broken.host.clone(),
            text: broken.text.clone(),
            steps: scenario.steps.len(),
            toml: scenario.to_toml(),
            shrunk: false,
        }
    }

    /// Whether two findings are probably one mistake: they break one rule for one reason.
    pub fn is_like(&self, other: &Finding) -> bool {
        self.rule == other.rule && self.clause == other.clause
    }

    /// What its file is called: rule, seed and number.
    pub fn file_name(&self, seed: u64) -> String {
        format!("{}-{seed}-{}.toml", self.rule, self.index)
    }
}

/// The places of the first finding of each kind.
pub(super) fn firsts(findings: &[Finding]) -> Vec<usize> {
    let is_first = |place: &usize| !findings[..*place].iter().any(|known| known.is_like(&findings[*place]));
    (0..findings.len()).filter(is_first).collect()
}

/// The first finding of each kind, with how many there are of it.
pub(super) fn kinds(findings: &[Finding]) -> Vec<(&Finding, usize)> {
    let count = |of: &Finding| findings.iter().filter(|finding| finding.is_like(of)).count();
    firsts(findings).into_iter().map(|place| (&findings[place], count(&findings[place]))).collect()
}
