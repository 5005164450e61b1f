//! MTA-STS (RFC 8461): policies of destinations, fetched, remembered, and kept to.

mod fetch;
mod host;
mod http;
mod policy;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use mxdrill_net::{Closed, Commands, Conn, DomainName, Time};
use mxdrill_smtp::tls::ClientTls;

pub use fetch::FetchError;
pub use host::{PolicyConfig, PolicyHost};
pub use policy::{StsMode, StsPolicy};

pub(crate) use fetch::host as policy_host;
pub(crate) use policy::announced;

use crate::{
    Fact, HostPolicy, Route,
    core::{AnyFact, Core},
    route,
};
use fetch::{Came, Fetch};

/// After a fetch that failed the next one waits so long (RFC 8461 3.3: five minutes or more).
const AGAIN: Duration = Duration::from_secs(300);
/// Domains whose policies are remembered. A peer may name any domain: then remembering begins anew.
const KNOWN_MAX: usize = 65_536;

/// What the DNS announces of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsRecord {
    /// Which policy it is: another id, another policy.
    pub id: Box<str>,
    /// The addresses of the policy host.
    pub addresses: Vec<IpAddr>,
}

/// The policies that a node knows.
#[derive(Debug)]
pub(crate) struct Sts {
    trust: Option<Arc<ClientTls>>,
    known: BTreeMap<DomainName, Known>,
    fetches: Vec<Fetch>,
    /// Agents that wait for the policy of a domain, each with its route.
    waiting: Vec<(DomainName, u32, Arc<Route>)>,
}

/// What is known of a domain.
#[derive(Debug, Default)]
struct Known {
    policy: Option<Cached>,
    /// No fetch before this.
    not_before: Time,
    /// Mail could not go because of the policy: it is fetched anew before the next attempt, whatever its id, so that
    /// nothing fails for good by a policy that is no longer true (RFC 8461 5.1).
    is_doubted: bool,
    /// The last route, and what the policy makes of it.
    last: Option<(Arc<Route>, Arc<Route>)>,
}

#[derive(Debug)]
struct Cached {
    id: Box<str>,
    policy: StsPolicy,
    until: Time,
}

impl Sts {
    pub(crate) fn new(trust: Option<Arc<ClientTls>>) -> Sts {
        Sts { trust, known: BTreeMap::new(), fetches: Vec::new(), waiting: Vec::new() }
    }

    /// Whether a connection is a fetch.
    pub(crate) fn owns(&self, conn: Conn) -> bool {
        self.fetches.iter().any(|fetch| fetch.conn == conn)
    }

    /// When the first fetch is given up.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.fetches.iter().map(|fetch| fetch.due).min()
    }

    /// Mail for a domain could not go as its policy has it.
    pub(crate) fn doubt(&mut self, domain: &DomainName) {
        if let Some(known) = self.known.get_mut(domain) {
            known.is_doubted = true;
        }
    }

    /// Whether the policy of a domain must be fetched first. RFC 8461 3.1: while the record announces what is
    /// cached, or there is none, the cached policy is good until its time is over.
    fn wants(&self, now: Time, domain: &DomainName, record: &StsRecord) -> bool {
        let Some(known) = self.known.get(domain) else { return true };
        let is_good = |cached: &Cached| now < cached.until && cached.id == record.id && !known.is_doubted;
        now >= known.not_before && !known.policy.as_ref().is_some_and(is_good)
    }

    /// What the policy of a domain makes of a route.
    fn apply(&mut self, now: Time, domain: &DomainName, route: Arc<Route>) -> Arc<Route> {
        let Some(known) = self.known.get_mut(domain) else { return route };
        let cached = known.policy.as_ref().filter(|cached| now < cached.until);
        let Some(policy) = cached.map(|cached| &cached.policy).filter(|one| one.mode == StsMode::Enforce)
        else {
            return route;
        };
        match &known.last {
            Some((last, secured)) if Arc::ptr_eq(last, &route) => secured.clone(),
            _ => {
                let secured = Arc::new(secured(&route, policy));
                known.last = Some((route, secured.clone()));
                secured
            }
        }
    }

    fn learn(&mut self, now: Time, domain: &DomainName, id: Box<str>, came: Result<StsPolicy, FetchError>) {
        if self.known.len() >= KNOWN_MAX && !self.known.contains_key(domain) {
            self.known.clear();
        }
        let known = self.known.entry(domain.clone()).or_default();
        match came {
            Ok(policy) => {
                let until = now + policy.max_age;
                (known.is_doubted, known.last) = (false, None);
                known.policy = Some(Cached { id, policy, until });
            }
            Err(_) => known.not_before = now + AGAIN,
        }
    }
}

/// A route under a policy in force (RFC 8461 4.1). TLSA records go first: no policy may make up for a certificate
/// that does not match (RFC 8461 2).
fn secured(route: &Route, policy: &StsPolicy) -> Route {
    let mut secured = route.clone();
    for host in secured.hosts.iter_mut().filter(|host| host.policy == HostPolicy::None) {
        let is_named = policy.names(host.name.as_str());
        host.policy = if is_named { HostPolicy::Sts } else { HostPolicy::Outside };
    }
    secured
}

impl Core {
    /// The route of an agent as the destination's policy has it; `None` while that is being fetched.
    pub(crate) fn secure<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        route: Arc<Route>,
        out: &mut Commands<F>,
    ) -> Option<Arc<Route>> {
        let lane = self.agents.find(agent)?.lane;
        let domain = self.queue.line(lane).name.clone();
        let is_under_way = self.sts.fetches.iter().any(|fetch| fetch.domain == domain);
        let wanted = route.sts.as_ref().filter(|record| self.sts.wants(now, &domain, record)).cloned();
        let waits = match wanted {
            _ if is_under_way => true,
            Some(record) => self.fetch(now, &domain, &record, out),
            None => false,
        };
        if waits {
            self.sts.waiting.push((domain, agent, route));
            return None;
        }
        Some(self.sts.apply(now, &domain, route))
    }

    /// Begins a fetch; whether it is under way.
    fn fetch<F: AnyFact>(
        &mut self,
        now: Time,
        domain: &DomainName,
        record: &StsRecord,
        out: &mut Commands<F>,
    ) -> bool {
        let Some(trust) = self.sts.trust.clone() else { return false };
        let way = |to: &IpAddr| Some((route::source(&self.config.addresses, *to)?, *to));
        let way = record.addresses.iter().find_map(way);
        let begun = way.and_then(|way| Fetch::begin(now, domain, record.id.clone(), way, &trust, out));
        match begun {
            Some(fetch) => {
                self.sts.fetches.push(fetch);
                true
            }
            None => {
                self.learn(now, domain, record.id.clone(), Err(FetchError::Unreachable), out);
                false
            }
        }
    }

    fn learn<F: AnyFact>(
        &mut self,
        now: Time,
        domain: &DomainName,
        id: Box<str>,
        came: Result<StsPolicy, FetchError>,
        out: &mut Commands<F>,
    ) {
        let fetched = came.as_ref().map(|policy| policy.mode).map_err(|why| *why);
        out.record(Fact::Policy { domain: domain.clone(), fetched });
        self.sts.learn(now, domain, id, came);
    }

    /// A fetch has come to its end: those who waited for it go on.
    fn fetched<F: AnyFact>(&mut self, now: Time, place: usize, came: Came, out: &mut Commands<F>) {
        let Some(came) = came else { return };
        let Fetch { domain, id, .. } = self.sts.fetches.swap_remove(place);
        self.learn(now, &domain, id, came, out);
        let waited: Vec<_> = self.sts.waiting.extract_if(.., |(wanted, ..)| *wanted == domain).collect();
        for (domain, agent, route) in waited {
            let route = self.sts.apply(now, &domain, route);
            self.routed_safely(now, agent, route, out);
        }
    }

    fn place(&self, conn: Conn) -> Option<usize> {
        self.sts.fetches.iter().position(|fetch| fetch.conn == conn)
    }

    /// The connection to a policy host stands.
    pub(crate) fn policy_connected<F>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        if let Some(place) = self.place(conn) {
            self.sts.fetches[place].connected(now, out);
        }
    }

    /// Bytes came from a policy host.
    pub(crate) fn policy_bytes<F: AnyFact>(
        &mut self,
        now: Time,
        conn: Conn,
        bytes: &[u8],
        out: &mut Commands<F>,
    ) {
        if let Some(place) = self.place(conn) {
            let came = self.sts.fetches[place].bytes(now, bytes, out);
            self.fetched(now, place, came, out);
        }
    }

    /// A policy host takes no connection.
    pub(crate) fn policy_unreachable<F: AnyFact>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        if let Some(place) = self.place(conn) {
            self.fetched(now, place, Some(Err(FetchError::Unreachable)), out);
        }
    }

    /// A policy host ended the stream.
    pub(crate) fn policy_closed<F: AnyFact>(
        &mut self,
        now: Time,
        conn: Conn,
        how: Closed,
        out: &mut Commands<F>,
    ) {
        if let Some(place) = self.place(conn) {
            let came = self.sts.fetches[place].closed(how == Closed::Eof, out);
            self.fetched(now, place, came, out);
        }
    }

    /// Gives up the fetches that take too long.
    pub(crate) fn policy_timer<F: AnyFact>(&mut self, now: Time, out: &mut Commands<F>) {
        while let Some(place) = self.sts.fetches.iter().position(|fetch| fetch.due <= now) {
            out.reset(self.sts.fetches[place].conn);
            self.fetched(now, place, Some(Err(FetchError::Timeout)), out);
        }
    }
}
