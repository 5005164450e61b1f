//! Fetching a policy: one connection, one request, one answer, within a minute.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mxdrill_net::{Commands, Conn, DomainName, Time};
use mxdrill_smtp::tls::{ClientTls, Demand, Layer};

use super::{
    http::{self, Response},
    policy::StsPolicy,
};

/// How long a fetch may take (RFC 8461 3.3 suggests one minute).
const PATIENCE: Duration = Duration::from_secs(60);

/// A fetch under way.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) domain: DomainName,
    /// The id that led to it.
    pub(super) id: Box<str>,
    pub(super) conn: Conn,
    pub(super) due: Time,
    host: DomainName,
    layer: Layer,
    is_asked: bool,
    answer: Vec<u8>,
}

/// What came of a step: nothing yet, or the end.
pub(super) type Came = Option<Result<StsPolicy, FetchError>>;

/// Why a policy could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FetchError {
    /// The host has no address, or takes no connection.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// TLS failed: the certificate must be sound (RFC 8461 3.3).
    Tls,
    /// The answer is no policy.
    NoPolicy,
}

impl FetchError {
    /// What happened, in words.
    pub const fn words(self) -> &'static str {
        match self {
            FetchError::Unreachable => "the policy host is not reached",
            FetchError::Timeout => "the policy host does not answer",
            FetchError::Tls => "the policy host has no sound certificate",
            FetchError::NoPolicy => "the policy host has no policy",
        }
    }
}

/// The host of a domain's policy (RFC 8461 3.3).
pub(crate) fn host(domain: &DomainName) -> Option<DomainName> {
    domain.child("mta-sts").ok()
}

impl Fetch {
    /// Connects to the policy host of a domain.
    pub(super) fn begin<F>(
        now: Time,
        domain: &DomainName,
        id: Box<str>,
        (from, to): (IpAddr, IpAddr),
        trust: &ClientTls,
        out: &mut Commands<F>,
    ) -> Option<Fetch> {
        let host = host(domain)?;
        let layer = trust.session(Demand::Verified, host.clone())?;
        let conn = out.connect(from, SocketAddr::new(to, super::host::HTTPS));
        let (domain, due) = (domain.clone(), now + PATIENCE);
        Some(Fetch { domain, id, conn, due, host, layer, is_asked: false, answer: Vec::new() })
    }

    pub(super) fn connected<F>(&mut self, now: Time, out: &mut Commands<F>) {
        self.layer.begin(now, self.conn, out);
    }

    pub(super) fn bytes<F>(&mut self, now: Time, bytes: &[u8], out: &mut Commands<F>) -> Came {
        if self.layer.take(now, self.conn, bytes, &mut self.answer, out).is_err() {
            out.close(self.conn);
            return Some(Err(FetchError::Tls));
        }
        if self.layer.security().is_some() && !std::mem::replace(&mut self.is_asked, true) {
            self.layer.send(self.conn, http::request(&self.host).as_bytes(), out);
        }
        let came = self.read(false);
        if came.is_some() {
            out.close(self.conn);
        }
        came
    }

    /// The peer ended the stream; after `true` our side is still to be closed.
    pub(super) fn closed<F>(&mut self, is_eof: bool, out: &mut Commands<F>) -> Came {
        if is_eof {
            out.close(self.conn);
        }
        let came = self.read(true);
        came.or(Some(Err(FetchError::NoPolicy)))
    }

    fn read(&self, is_ended: bool) -> Came {
        if self.answer.len() > http::SIZE_MAX {
            return Some(Err(FetchError::NoPolicy));
        }
        match http::read(&self.answer, is_ended) {
            Response::Partial => None,
            Response::Refused => Some(Err(FetchError::NoPolicy)),
            Response::Text(text) => Some(StsPolicy::parse(text).ok_or(FetchError::NoPolicy)),
        }
    }
}
