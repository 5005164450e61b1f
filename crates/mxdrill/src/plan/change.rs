//! A change of a record set in the middle of a drill.

use std::sync::Arc;

use mxdrill_dns::{Authority, Record, RecordData, RecordType, TTL_DEFAULT};
use mxdrill_net::DomainName;

use super::PlanError;
use crate::scenario::{self, Scenario};

/// A record set as a step leaves it.
#[derive(Debug)]
pub(crate) struct Change {
    /// What it is then, in words: `example.test MX 10 mx1.example.test`.
    pub(crate) text: Arc<str>,
    name: DomainName,
    kind: RecordType,
    ttl: u32,
    data: Vec<RecordData>,
}

impl Change {
    /// What a step says.
    pub(super) fn of(scenario: &Scenario, record: &scenario::Record) -> Result<Change, PlanError> {
        let name = scenario.dns_name(&record.name)?;
        let records = scenario.records(record)?;
        let to = if record.to.is_empty() { "is deleted".into() } else { record.to.join(", ") };
        Ok(Change {
            text: format!("{name} {} {to}", record.kind).into(),
            name,
            kind: record.kind,
            ttl: records.first().map_or(TTL_DEFAULT, |record: &Record| record.ttl),
            data: records.into_iter().map(|record| record.data).collect(),
        })
    }

    /// Makes the change.
    pub(crate) fn make(&self, authority: &mut Authority) {
        authority.set(&self.name, self.kind, self.ttl, self.data.iter().cloned());
    }
}
