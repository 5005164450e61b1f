//! One JSON document for many drills. Its shape is a contract: keys are added, never changed.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Counts, HostFigures, Outcome, Skipped, Violation};

/// The number of the shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    mxdrill: &'a str,
    schema: u32,
    drills: Vec<Drill<'a>>,
    skipped: Vec<NotPlayed<'a>>,
}

#[derive(Serialize)]
struct Drill<'a> {
    scenario: &'a str,
    world: &'a str,
    seed: u64,
    verdict: &'a str,
    virtual_seconds: f64,
    wall_seconds: f64,
    counts: Columns,
    hosts: Hosts<'a>,
    delay: Delay,
    failover: Percentiles,
    drain_seconds: Option<f64>,
    drained: Drained,
    violations: Vec<Broken<'a>>,
    journal_hash: Option<&'a str>,
}

#[derive(Serialize)]
struct Columns {
    messages: u64,
    sent: u64,
    acknowledged: u64,
    rejected: u64,
    in_doubt: u64,
    delivered: u64,
    queued: u64,
    bounced: u64,
    discarded: u64,
    lost: u64,
    duplicated: u64,
    unexpected: u64,
}

struct Hosts<'a>(&'a [HostFigures]);

#[derive(Serialize)]
struct Host {
    accepted: u64,
    delivered: u64,
    queued_max: u64,
    bytes_max: u64,
    oldest_max: f64,
    sessions_max: u64,
}

#[derive(Serialize)]
struct Delay {
    n: u64,
    #[serde(flatten)]
    percentiles: Percentiles,
}

/// Of what relays held at the last repair, what was delivered since, and how long after it.
#[derive(Serialize)]
struct Drained {
    held: u64,
    #[serde(flatten)]
    delivered: Delay,
}

#[derive(Serialize)]
struct Percentiles {
    p50: Option<f64>,
    p95: Option<f64>,
    max: Option<f64>,
}

#[derive(Serialize)]
struct Broken<'a> {
    rule: &'a str,
    clause: &'a str,
    host: Option<&'a str>,
    at: Option<f64>,
    text: &'a str,
    recipients: Vec<String>,
}

#[derive(Serialize)]
struct NotPlayed<'a> {
    scenario: &'a str,
    world: &'a str,
    reason: &'a str,
}

/// All drills as one JSON document; `version` is that of mxdrill. Times are virtual seconds.
///
/// # Panics
/// Never: nothing in an outcome fails to be written as JSON.
pub fn json(version: &str, drills: &[Outcome], skipped: &[Skipped]) -> String {
    let document = Document {
        mxdrill: version,
        schema: SCHEMA,
        drills: drills.iter().map(Drill::of).collect(),
        skipped: skipped.iter().map(NotPlayed::of).collect(),
    };
    serde_json::to_string_pretty(&document).expect("an outcome is plain data") + "\n"
}

impl<'a> Drill<'a> {
    fn of(outcome: &'a Outcome) -> Drill<'a> {
        let (delay, failover, drained) = (outcome.delay, outcome.failover, outcome.drained);
        Drill {
            scenario: &outcome.scenario,
            world: &outcome.world,
            seed: outcome.seed,
            verdict: outcome.verdict.word(),
            virtual_seconds: outcome.virtual_time.as_secs_f64(),
            wall_seconds: outcome.wall_time.as_secs_f64(),
            counts: Columns::of(&outcome.counts),
            hosts: Hosts(&outcome.hosts),
            delay: Delay { n: delay.n, percentiles: Percentiles::of(delay) },
            failover: Percentiles::of(failover),
            drain_seconds: seconds(outcome.drain),
            drained: Drained {
                held: outcome.held_at_repair,
                delivered: Delay { n: drained.n, percentiles: Percentiles::of(drained) },
            },
            violations: outcome.violations.iter().map(Broken::of).collect(),
            journal_hash: outcome.journal_hash.as_deref(),
        }
    }
}

impl Columns {
    fn of(counts: &Counts) -> Columns {
        Columns {
            messages: counts.messages,
            sent: counts.sent,
            acknowledged: counts.acknowledged,
            rejected: counts.rejected,
            in_doubt: counts.in_doubt,
            delivered: counts.delivered,
            queued: counts.queued,
            bounced: counts.bounced,
            discarded: counts.discarded,
            lost: counts.lost,
            duplicated: counts.duplicated,
            unexpected: counts.unexpected,
        }
    }
}

impl Percentiles {
    fn of(spread: crate::Spread) -> Percentiles {
        Percentiles { p50: seconds(spread.p50), p95: seconds(spread.p95), max: seconds(spread.max) }
    }
}

impl Serialize for Hosts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for host in self.0 {
            map.serialize_entry(&host.name, &Host::of(host))?;
        }
        map.end()
    }
}

impl Host {
    fn of(host: &HostFigures) -> Host {
        Host {
            accepted: host.accepted,
            delivered: host.delivered,
            queued_max: host.queued_max,
            bytes_max: host.bytes_max,
            oldest_max: host.oldest_max.as_secs_f64(),
            sessions_max: host.sessions_max,
        }
    }
}

impl<'a> Broken<'a> {
    fn of(violation: &'a Violation) -> Broken<'a> {
        Broken {
            rule: violation.rule,
            clause: violation.clause,
            host: violation.host.as_deref(),
            at: violation.at.map(mxdrill_net::Time::as_secs_f64),
            text: &violation.text,
            recipients: violation.recipients.iter().map(|name| name.to_string()).collect(),
        }
    }
}

impl<'a> NotPlayed<'a> {
    fn of(skipped: &'a Skipped) -> NotPlayed<'a> {
        NotPlayed { scenario: &skipped.scenario, world: &skipped.world, reason: &skipped.reason }
    }
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.map(|time| time.as_secs_f64())
}
