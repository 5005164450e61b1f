//! Who asked for what, and how often.

use std::net::IpAddr;

use hickory_proto::op::Query;
use mxdrill_net::{DomainName, Index, Time};

use crate::{RecordType, wire};

/// Lines kept; queries beyond are only counted together.
const LINES_MAX: usize = 65_536;

/// One line of the query log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryCount {
    /// The name asked for.
    pub name: DomainName,
    /// The type asked for.
    pub kind: RecordType,
    /// Who asked.
    pub from: IpAddr,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Time,
}

/// Queries counted by name, type and client. Bounded.
#[derive(Debug, Default)]
pub struct QueryLog {
    lines: Vec<QueryCount>,
    index: Index<(DomainName, RecordType, IpAddr), usize>,
    others: u64,
}

impl QueryLog {
    pub(super) fn count(&mut self, now: Time, query: &Query, from: IpAddr) {
        let line = wire::domain_name(query.name()).zip(wire::record_type(query.query_type()));
        let Some((name, kind)) = line else {
            self.others += 1;
            return;
        };
        let key = (name, kind, from);
        match self.index.get(&key) {
            Some(at) => {
                let line = &mut self.lines[*at];
                line.count += 1;
                line.last = now;
            }
            None if self.lines.len() < LINES_MAX => self.add(now, key),
            None => self.others += 1,
        }
    }

    fn add(&mut self, now: Time, key: (DomainName, RecordType, IpAddr)) {
        let (name, kind, from) = key.clone();
        self.index.insert(key, self.lines.len());
        self.lines.push(QueryCount { name, kind, from, count: 1, last: now });
    }

    /// The lines, in the order in which they were first asked for.
    pub fn lines(&self) -> &[QueryCount] {
        &self.lines
    }

    /// How often a name and type was asked for, by all clients.
    pub fn of(&self, name: &DomainName, kind: RecordType) -> u64 {
        let wanted = |line: &&QueryCount| line.name == *name && line.kind == kind;
        self.lines.iter().filter(wanted).map(|line| line.count).sum()
    }

    /// All queries, those for names and types that no line is kept of included.
    pub fn total(&self) -> u64 {
        self.others + self.lines.iter().map(|line| line.count).sum::<u64>()
    }
}
