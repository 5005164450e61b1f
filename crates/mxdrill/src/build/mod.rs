//! Drills built in code: the same value as a scenario file, each can be written as the other.
//!
//! ```
//! use mxdrill::build::*;
//!
//! let drill = Drill::new("the primary refuses")
//!     .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
//!     .host(Host::delivers("mx1"))
//!     .host(Host::relays("mx2").like(Postfix))
//!     .at(minutes(5), fault("mx1").refuse().lasting(hours(2)))
//!     .at(minutes(6), send(40))
//!     .at(minutes(20), expect(queued("mx2").is(40)));
//! let scenario = drill.scenario().unwrap();
//! assert_eq!(scenario.steps.len(), 3);
//! ```
//!
//! A builder writes the text of a scenario, and [`Drill::scenario`] reads it: what a file may not say, code may
//! not say either, and the mistake is shown in the text.

mod expect;
mod fault;
mod host;
mod send;
mod zone;

use std::{collections::BTreeMap, fmt, io, time::Duration};

use bytes::Bytes;

pub use expect::{
    Bound, Expect, Figure, accepted, bounced, delay_max, delivered, discarded, duplicated, expect,
    failover_max, figure, in_doubt, queued, rejected, sent,
};
pub use fault::{Fault, dns, fault, link, way};
pub use host::{Host, Like, Like::*};
pub use send::{Send, send, send_at_rate};
pub use zone::{ZoneRecord, a, aaaa, mx, null_mx, record};

use crate::scenario::{
    Files, Mistakes, Scenario, WorldKind,
    print::{Document, duration},
    toml_text::{Node, Table},
};

/// A drill in the making.
#[derive(Clone, Debug, Default)]
pub struct Drill {
    name: String,
    document: Document,
    hosts: Vec<Host>,
    addresses: u8,
}

/// What a step does: made from [`Send`], [`Fault`], [`Expect`], or by [`clear`], [`flush`], [`set`].
#[derive(Clone, Debug)]
pub struct Act {
    word: &'static str,
    node: Node,
    files: Vec<(String, Bytes)>,
}

impl Act {
    fn new(word: &'static str, node: Node) -> Act {
        Act { word, node, files: Vec::new() }
    }
}

/// Clears a host and so all its faults, a fault by its name, a link, or a name in the DNS.
pub fn clear(what: &str) -> Act {
    Act::new("clear", Node::text(what))
}

/// Lets a host try its whole queue at once.
pub fn flush(host: &str) -> Act {
    Act::new("flush", Node::text(host))
}

/// Replaces the records of a name and type, such as `"example.test MX"`; none deletes them.
pub fn set<'r>(name_and_type: &str, records: impl IntoIterator<Item = &'r str>) -> Act {
    let table = vec![("dns".into(), Node::text(name_and_type)), ("to".into(), Node::texts(records))];
    Act::new("set", Node::Table(table))
}

impl Drill {
    /// A drill in which there is nothing yet. Its name is the title in lower case with hyphens.
    pub fn new(title: &str) -> Drill {
        let mut drill = Drill { name: name(title), ..Drill::default() };
        drill.document.head.push(("title".into(), Node::text(title)));
        drill
    }

    fn head(mut self, key: &str, node: Node) -> Drill {
        self.document.head.retain(|(known, _)| known != key);
        self.document.head.push((key.into(), node));
        self
    }

    /// Which clause or incident it is about.
    pub fn why(self, why: &str) -> Drill {
        self.head("why", Node::text(why))
    }

    /// The seed, where the world gives none.
    pub fn seed(self, seed: u64) -> Drill {
        self.head("seed", Node::plain(seed))
    }

    /// When it ends; otherwise when every recipient is final.
    pub fn end(self, at: Duration) -> Drill {
        self.head("end", duration(at))
    }

    /// The only worlds in which it makes sense, and why.
    pub fn only_in(self, worlds: impl IntoIterator<Item = WorldKind>, reason: &str) -> Drill {
        self.head("worlds", Node::texts(worlds)).head("worlds-why", Node::text(reason))
    }

    /// Its point is a mistake in its own tables: it is left out on a site.
    pub fn without_site(self) -> Drill {
        self.head("site", Node::plain(false))
    }

    /// Switches a check off, with a reason.
    pub fn unchecked(mut self, check: &str, reason: &str) -> Drill {
        self.document.unchecked.push((check.into(), Node::text(reason)));
        self
    }

    /// A zone. Names without an address get one of 192.0.2.0/24 (RFC 5737), in the order of their records.
    pub fn zone(mut self, domain: &str, records: impl IntoIterator<Item = ZoneRecord>) -> Drill {
        let records: Vec<ZoneRecord> = records.into_iter().collect();
        let text = zone::text(domain, &records, &mut self.addresses);
        self.zone_text(&text)
    }

    /// A zone as master-file text, beginning with its `$ORIGIN`.
    pub fn zone_text(mut self, text: &str) -> Drill {
        self.document.zone += text;
        if !self.document.zone.ends_with('\n') {
            self.document.zone.push('\n');
        }
        self
    }

    /// The resolver says that answers are authentic (AD, RFC 4035).
    pub fn secure(mut self) -> Drill {
        self.document.secure = true;
        self
    }

    /// A host.
    pub fn host(mut self, host: Host) -> Drill {
        self.hosts.push(host);
        self
    }

    /// A step. Steps may come in any order; what a send omits is taken from the send before it in the code.
    pub fn at(mut self, at: Duration, act: impl Into<Act>) -> Drill {
        let act = act.into();
        self.document.files.extend(act.files);
        self.document.steps.push((at, act.word, act.node));
        self
    }

    /// The scenario.
    ///
    /// # Errors
    /// What makes no sense, shown in the text of the scenario.
    pub fn scenario(&self) -> Result<Scenario, Mistakes> {
        let document = self.document();
        Scenario::parse(&format!("{}.toml", self.name), &document.to_string(), &Memory(&document.files))
    }

    fn document(&self) -> Document {
        let mut document = self.document.clone();
        let domain = zone::first_domain(&document.zone);
        document.hosts.extend(self.hosts.iter().map(|host| host.entry(&domain)));
        document
    }
}

/// The text of the scenario.
impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.document().fmt(f)
    }
}

impl From<Scenario> for Drill {
    fn from(scenario: Scenario) -> Drill {
        Drill { document: Document::from(&scenario), name: scenario.name, hosts: Vec::new(), addresses: 0 }
    }
}

impl TryFrom<Drill> for Scenario {
    type Error = Mistakes;

    fn try_from(drill: Drill) -> Result<Scenario, Mistakes> {
        drill.scenario()
    }
}

/// Files that were given with the drill.
struct Memory<'a>(&'a BTreeMap<String, Bytes>);

impl Files for Memory<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let bytes =
            self.0.get(path).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such message"))?;
        Ok(bytes.to_vec())
    }
}

/// A title in lower case, its words joined by hyphens.
fn name(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn set_key(table: &mut Table, key: &str, node: Node) {
    table.retain(|(known, _)| known != key);
    table.push((key.into(), node));
}

/// So many milliseconds.
pub const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// So many seconds.
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// So many minutes.
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// So many hours.
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// So many days of 24 hours.
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}
