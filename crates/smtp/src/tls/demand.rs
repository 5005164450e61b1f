//! What a client demands of TLS, and how safe a session came to be.

use std::sync::Arc;

use mxdrill_net::DomainName;
use ring::digest::{SHA256, SHA512, digest};

use super::CertificateProblem;

/// What a client demands of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// Clear text: STARTTLS is never said.
    #[default]
    Clear,
    /// TLS where it is offered, whatever the certificate; else clear text (RFC 7435).
    Opportunistic,
    /// TLS where it is offered, and then as [`Demand::Verified`]; else clear text.
    VerifiedIfOffered,
    /// TLS, whatever the certificate.
    Encrypted,
    /// TLS, and a certificate that is trusted, in date and for the server's name (RFC 8461 4.2).
    Verified,
    /// TLS, and a certificate that one of these TLSA records matches (RFC 7672 2.2).
    Matched(Arc<[Pin]>),
}

/// How safe a session is; later is safer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Security {
    /// Clear text.
    #[default]
    Clear,
    /// Encrypted for nobody knows whom.
    Encrypted,
    /// The certificate is trusted, in date and for the server's name.
    Verified,
    /// The certificate is the one that the DNS names.
    Matched,
}

impl Security {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Security::Clear => "clear",
            Security::Encrypted => "encrypted",
            Security::Verified => "verified",
            Security::Matched => "matched",
        }
    }
}

/// A TLSA record that can be used for mail (RFC 7672 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    usage: Usage,
    selector: Selector,
    matching: Matching,
    data: Box<[u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    /// DANE-TA(2).
    Authority,
    /// DANE-EE(3).
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selector {
    Certificate,
    Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matching {
    Exact,
    Sha256,
    Sha512,
}

impl Pin {
    /// A TLSA record by its numbers (RFC 6698 2.1). `None` where it cannot be used: RFC 7672 3.1.3 leaves only
    /// usages 2 and 3, and a digest has its length.
    pub fn new(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Option<Pin> {
        let usage = match usage {
            2 => Usage::Authority,
            3 => Usage::Server,
            _ => return None,
        };
        let selector = match selector {
            0 => Selector::Certificate,
            1 => Selector::Key,
            _ => return None,
        };
        let (matching, length) = match matching {
            0 => (Matching::Exact, data.len()),
            1 => (Matching::Sha256, 32),
            2 => (Matching::Sha512, 64),
            _ => return None,
        };
        (data.len() == length && !data.is_empty()).then(|| Pin {
            usage,
            selector,
            matching,
            data: data.into(),
        })
    }

    /// The data of a `3 1 1` record (RFC 7672 3.1.1) for a public key.
    pub fn digest(key: &[u8]) -> [u8; 32] {
        digest(&SHA256, key).as_ref().try_into().unwrap_or([0; 32])
    }

    fn matches(&self, usage: Usage, der: &[u8], key: &[u8]) -> bool {
        let selected = match self.selector {
            Selector::Certificate => der,
            Selector::Key => key,
        };
        self.usage == usage
            && match self.matching {
                Matching::Exact => *self.data == *selected,
                Matching::Sha256 => *self.data == *digest(&SHA256, selected).as_ref(),
                Matching::Sha512 => *self.data == *digest(&SHA512, selected).as_ref(),
            }
    }
}

/// A certificate of a chain: in DER, and its SubjectPublicKeyInfo in DER.
pub(super) struct Link<'a> {
    pub(super) der: &'a [u8],
    pub(super) key: &'a [u8],
}

/// What a server showed: how each byte layer looks at it.
pub(super) trait Evidence {
    /// The certificates shown, the server's own first.
    fn chain(&self) -> Vec<Link<'_>>;

    /// Whether the certificate holds now, was issued by someone trusted (with `anchor`: by that link of the chain
    /// instead) and is for `server`: asked in this order.
    fn verify(&self, anchor: Option<usize>, server: &DomainName) -> Result<(), CertificateProblem>;
}

impl Demand {
    /// Whether it is more than the peer's good will.
    pub fn is_mandatory(&self) -> bool {
        !matches!(self, Demand::Clear | Demand::Opportunistic | Demand::VerifiedIfOffered)
    }

    /// Decides about what a server showed.
    pub(super) fn judge(
        &self,
        shown: &impl Evidence,
        server: &DomainName,
    ) -> Result<Security, CertificateProblem> {
        match self {
            Demand::Clear | Demand::Opportunistic | Demand::Encrypted => Ok(Security::Encrypted),
            Demand::Verified | Demand::VerifiedIfOffered => {
                shown.verify(None, server).map(|()| Security::Verified)
            }
            Demand::Matched(pins) => judge_pins(pins, shown, server).map(|()| Security::Matched),
        }
    }
}

/// RFC 7672 3.1.1: of DANE-EE(3) the match alone counts, neither names nor dates. 3.1.2: DANE-TA(2) names an
/// authority of the chain, under which the certificate must be sound.
fn judge_pins(pins: &[Pin], shown: &impl Evidence, server: &DomainName) -> Result<(), CertificateProblem> {
    let chain = shown.chain();
    let any = |usage, link: &Link<'_>| pins.iter().any(|pin| pin.matches(usage, link.der, link.key));
    if chain.first().is_some_and(|own| any(Usage::Server, own)) {
        return Ok(());
    }
    match chain.iter().skip(1).position(|link| any(Usage::Authority, link)) {
        Some(place) => shown.verify(Some(place + 1), server),
        None => Err(CertificateProblem::Unmatched),
    }
}
