//! Policies of destinations that forbid clear text, as the world publishes them, whether or not a host knows them.

use mxdrill_mta::Target;
use mxdrill_net::DomainName;
use mxdrill_smtp::tls::Security;

/// A policy that binds whoever sends mail somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A host has TLSA records in a zone that the resolver vouches for (RFC 7672).
    Dane {
        /// The MX host.
        host: DomainName,
        /// The least that a session with it must be.
        least: Security,
    },
    /// A domain has an MTA-STS policy in force (RFC 8461).
    Sts {
        /// The domain.
        domain: DomainName,
        /// The MX hosts that may be used; the first label may be `*`.
        mx: Vec<String>,
    },
}

/// What a policy has against a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Objection {
    /// The session is not as safe as TLSA records demand.
    Dane(Security),
    /// The session is not verified.
    Sts(Security),
    /// The host is not among those of the policy.
    Outside,
}

impl Guard {
    /// What it has against mail for a domain having gone to a target, if anything.
    pub(crate) fn objection(&self, destination: &DomainName, target: &Target) -> Option<Objection> {
        match self {
            Guard::Dane { host, least } => {
                (*host == target.host && target.security < *least).then_some(Objection::Dane(target.security))
            }
            Guard::Sts { domain, mx } if domain == destination => {
                let is_named =
                    mx.iter().any(|pattern| mxdrill_smtp::tls::covers(pattern, target.host.as_str()));
                match is_named {
                    false => Some(Objection::Outside),
                    true => (target.security < Security::Verified).then_some(Objection::Sts(target.security)),
                }
            }
            Guard::Sts { .. } => None,
        }
    }
}
