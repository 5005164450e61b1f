//! What the story says of policies: whom a host passes by for the sake of one, and whose it could not learn.

use std::collections::BTreeSet;

use mxdrill_mta::{Fact, HostPolicy, Skip};
use mxdrill_net::DomainName;
use mxdrill_smtp::Failure;

use crate::books::{Books, Site};

/// Different lines told of one drill.
const LINES_MAX: usize = 32;

/// What was told already: a line a cause, however often it comes.
#[derive(Debug, Default)]
pub(super) struct Safety(BTreeSet<(Site, String, String)>);

impl Safety {
    /// What a fact says that is new: what the host does, and why.
    pub(super) fn news(&mut self, site: Site, fact: &Fact, books: &Books) -> Option<(String, String)> {
        let (what, why) = told(site, fact, books)?;
        let is_new = self.0.len() < LINES_MAX && self.0.insert((site, what.clone(), why.clone()));
        is_new.then_some((what, why))
    }
}

fn told(site: Site, fact: &Fact, books: &Books) -> Option<(String, String)> {
    match fact {
        Fact::Failed { target, failure: Failure::Tls(why), .. } => {
            Some((format!("passes {} by", label(&target.host, books)), why.to_string()))
        }
        Fact::Skipped { destination, host, why: Skip::TlsPolicy, .. } => {
            let why = reason(site, destination, host, books)?;
            Some((format!("passes {} by", label(host, books)), why.into()))
        }
        Fact::Policy { domain, fetched: Err(why) } => {
            Some((format!("learns no MTA-STS policy of {domain}"), why.words().into()))
        }
        _ => None,
    }
}

fn reason(site: Site, destination: &DomainName, host: &DomainName, books: &Books) -> Option<&'static str> {
    let route = &books.ways(site)?.known(destination)?.route;
    let policy = &route.hosts.iter().find(|known| known.name == *host)?.policy;
    match policy {
        HostPolicy::Outside => Some("the MTA-STS policy does not name it"),
        HostPolicy::Unknown(_) => Some("its TLSA records cannot be looked up"),
        HostPolicy::None | HostPolicy::Dane(_) | HostPolicy::Sts => None,
    }
}

/// What reports call an MX.
fn label(mx: &DomainName, books: &Books) -> String {
    let known = books.setup.hosts.iter().find(|host| host.domain.as_ref() == Some(mx));
    known.map_or_else(|| mx.to_string(), |host| host.name.clone())
}
