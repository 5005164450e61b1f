//! What a drill came to: verdict, counts, figures, violations and the story.

use std::{fmt, time::Duration};

use mxdrill_net::Time;
use serde::{Deserialize, Serialize};

use crate::{Recipients, Span, Story, duration::clock, report, wire};

/// The verdict. `Unknown` is never a pass: something could not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// Every check held.
    Pass,
    /// Mail was mishandled, or an expectation did not hold.
    Fail,
    /// The drill proves nothing: a fault never bit, or it did not come to its end.
    Unknown,
}

impl Verdict {
    /// The word of JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
        }
    }
}

/// Counts of recipients, but for `messages`.
///
/// `sent = acknowledged + rejected + in_doubt`, at the first host that takes the mail from the originator;
/// `acknowledged = delivered + queued + bounced + discarded + lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages offered by the originator.
    pub messages: u64,
    /// Recipients offered, and answered for.
    pub sent: u64,
    /// Taken by the first host: its 250 after the dot.
    pub acknowledged: u64,
    /// Not taken: 4xx, 5xx, or no host was reached.
    pub rejected: u64,
    /// The link was lost after the final dot.
    pub in_doubt: u64,
    /// In a mailbox.
    pub delivered: u64,
    /// In a queue.
    pub queued: u64,
    /// Given up with a DSN of failure.
    pub bounced: u64,
    /// Given up in silence.
    pub discarded: u64,
    /// Acknowledged, and found nowhere.
    pub lost: u64,
    /// Extra copies of acknowledged recipients, explained ones included.
    pub duplicated: u64,
    /// Of these, those that the protocol allows: the sending host never recorded the 250.
    pub duplicated_explained: u64,
    /// Deliveries of what nobody sent, to whom nobody addressed it, or what was rejected.
    pub unexpected: u64,
    /// DSNs of failure delivered, counted apart.
    pub dsns: u64,
    /// Delay warnings and other DSNs delivered, counted apart.
    pub warnings: u64,
}

/// The figures of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFigures {
    /// Its name.
    pub name: String,
    /// Recipients taken over, extra copies included.
    pub accepted: u64,
    /// Recipients delivered here, first copies.
    pub delivered: u64,
    /// The longest queue, in recipients.
    pub queued_max: u64,
    /// The largest queue, in bytes of messages.
    pub bytes_max: u64,
    /// The longest time that a recipient lay in the queue.
    pub oldest_max: Duration,
    /// The most sessions at one time.
    pub sessions_max: u64,
}

/// Percentiles of times, by nearest rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Of how many.
    pub n: u64,
    /// The median; `None` when there is none.
    pub p50: Option<Duration>,
    /// The 95th percentile.
    pub p95: Option<Duration>,
    /// The 99th percentile.
    pub p99: Option<Duration>,
    /// The longest.
    pub max: Option<Duration>,
}

/// A rule broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule: `bounced`.
    pub rule: &'static str,
    /// The clause it rests on: `RFC 5321 4.2.1`.
    pub clause: &'static str,
    /// The host where it happened.
    pub host: Option<String>,
    /// When it first happened.
    #[serde(with = "wire::moment")]
    pub at: Option<Time>,
    /// What happened, and where possible what mends it. Lines are separated by `\n`.
    pub text: String,
    /// Whom it concerns.
    pub recipients: Recipients,
}

/// What another play of the same drill would have come to; filled in by whoever plays it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counterfactual {
    /// Without a host: does it help at all?
    Without {
        /// The host.
        host: String,
        /// Recipients delivered then.
        delivered: u64,
        /// The longest delay then.
        delay_max: Option<Duration>,
    },
    /// With a flush at the repair.
    Flush {
        /// When.
        #[serde(with = "wire::time")]
        at: Time,
        /// The drain then.
        drain: Duration,
    },
}

impl fmt::Display for Counterfactual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Counterfactual::Without { host, delivered, delay_max } => {
                write!(f, "without {host} {delivered} delivered")?;
                let Some(delay) = delay_max else { return Ok(()) };
                write!(f, ", longest delay {}", Span(*delay).spoken())
            }
            Counterfactual::Flush { at, drain } => {
                write!(f, "with a flush at {} the drain takes {}", clock(*at), Span(*drain).spoken())
            }
        }
    }
}

/// A drill that was not played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The scenario.
    pub scenario: String,
    /// The world.
    pub world: String,
    /// Why.
    pub reason: String,
}

/// What a drill came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The short name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The world it was played in.
    pub world: String,
    /// The seed.
    pub seed: u64,
    /// The operator's own file.
    pub site: Option<String>,
    /// How many MX the domain has.
    pub mx: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// The counts of recipients.
    pub counts: Counts,
    /// The figures of the hosts, in the order of the scenario.
    pub hosts: Vec<HostFigures>,
    /// From sending to delivery, over delivered recipients.
    pub delay: Spread,
    /// From the start of an attempt to the 250 of a worse MX.
    pub failover: Spread,
    /// From the last repair to the last delivery of mail then held by a relay; `None` where it does not apply.
    pub drain: Option<Duration>,
    /// Recipients that relays held at the last repair.
    pub held_at_repair: u64,
    /// From the last repair to the delivery of each of these, as far as they were delivered.
    pub drained: Spread,
    /// What broke a rule.
    pub violations: Vec<Violation>,
    /// The faults that changed something, by their numbers in the drill.
    pub bitten: Vec<u32>,
    /// Checks that were switched off: rule and reason.
    pub off: Vec<(String, String)>,
    /// blake3 over the canonical journal, in hexadecimal; only where the journal repeats.
    pub journal_hash: Option<String>,
    /// How long the drill took in virtual time.
    pub virtual_time: Duration,
    /// How long it took in real time. The ledger has no clock: whoever plays it fills this in.
    pub wall_time: Duration,
    /// What other plays would have come to.
    pub counterfactuals: Vec<Counterfactual>,
    /// What happened, along the time line.
    pub story: Story,
    /// The command that plays it again.
    pub again: String,
}

impl Outcome {
    /// Whether the verdict is `pass`.
    pub fn is_pass(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Goes on only after a pass.
    ///
    /// # Panics
    /// At the caller's line with the story of the drill, when the verdict is `fail` or `unknown`.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_pass(), "the drill did not pass\n\n{}", report::text(self, false));
    }
}
