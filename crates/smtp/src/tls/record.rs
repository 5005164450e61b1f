//! The byte layer of simulated worlds: a handshake of short records, then the plain bytes.
//!
//! The client says whom it wants (as SNI does), the server shows the facts of its certificate, the client says
//! that it is content, or why not. A record is `0x16`, its kind, the length of its payload in two octets, and the
//! payload.

use std::sync::Arc;

use bytes::Bytes;
use mxdrill_net::{Commands, Conn, DomainName, Epoch, Time};

use super::{
    Certificate, CertificateProblem, Demand, Security, TlsFailure,
    certificate::Issuer,
    demand::{Evidence, Link},
};

/// The first octet of a record: that of a TLS handshake record (RFC 8446 5.1).
const MARK: u8 = 0x16;
/// Octets before the payload.
const HEAD: usize = 4;
const HELLO: u8 = 1;
const CERTIFICATE: u8 = 2;
const FINISHED: u8 = 3;
const ALERT: u8 = 4;

/// One side of a session.
#[derive(Debug)]
pub(super) struct Session {
    side: Side,
    /// The beginning of a record whose end has not come yet.
    partial: Vec<u8>,
    security: Option<Security>,
}

#[derive(Debug)]
enum Side {
    Server { certificate: Arc<Certificate>, hello: bool },
    Client { demand: Demand, server: DomainName, epoch: Epoch, roots: Arc<[Bytes]> },
}

impl Session {
    pub(super) fn server(certificate: Arc<Certificate>) -> Session {
        Session::new(Side::Server { certificate, hello: false })
    }

    pub(super) fn client(demand: Demand, server: DomainName, epoch: Epoch, roots: Arc<[Bytes]>) -> Session {
        Session::new(Side::Client { demand, server, epoch, roots })
    }

    fn new(side: Side) -> Session {
        Session { side, partial: Vec::new(), security: None }
    }

    pub(super) fn security(&self) -> Option<Security> {
        self.security
    }

    pub(super) fn begin<F>(&mut self, conn: Conn, out: &mut Commands<F>) {
        if let Side::Client { server, .. } = &self.side {
            out.send(conn, &record(HELLO, server.as_str().as_bytes()));
        }
    }

    pub(super) fn take<F>(
        &mut self,
        now: Time,
        conn: Conn,
        wire: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Commands<F>,
    ) -> Result<(), TlsFailure> {
        if self.security.is_some() {
            plain.extend_from_slice(wire);
            return Ok(());
        }
        self.partial.extend_from_slice(wire);
        while self.security.is_none() {
            let Some((kind, payload)) = whole(&self.partial)? else { return Ok(()) };
            let end = HEAD + payload.len();
            let (answer, security) = self.side.hear(now, kind, payload);
            if let Some(answer) = answer {
                out.send(conn, &answer);
            }
            self.security = security?;
            self.partial.drain(..end);
        }
        plain.append(&mut self.partial);
        Ok(())
    }
}

/// What is said to a record, and how safe the session is if that ends the handshake.
type Heard = (Option<Vec<u8>>, Result<Option<Security>, TlsFailure>);

impl Side {
    fn hear(&mut self, now: Time, kind: u8, payload: &[u8]) -> Heard {
        match (self, kind) {
            (Side::Server { certificate, hello: hello @ false }, HELLO) => {
                *hello = true;
                (Some(record(CERTIFICATE, &print(certificate))), Ok(None))
            }
            (Side::Server { hello: true, .. }, FINISHED) => (None, Ok(Some(Security::Encrypted))),
            (Side::Client { demand, server, epoch, roots }, CERTIFICATE) => {
                let wall = epoch.wall(now).as_second();
                let judged = parse(payload)
                    .ok_or(TlsFailure::Handshake)
                    .map(|certificate| Facts { certificate, wall, roots })
                    .and_then(|facts| demand.judge(&facts, server).map_err(TlsFailure::Certificate));
                let answer = if judged.is_ok() { FINISHED } else { ALERT };
                (Some(record(answer, &[])), judged.map(Some))
            }
            _ => (None, Err(TlsFailure::Handshake)),
        }
    }
}

/// A certificate that was shown, with what the client knows.
struct Facts<'a> {
    certificate: Certificate,
    wall: i64,
    roots: &'a [Bytes],
}

impl Evidence for Facts<'_> {
    fn chain(&self) -> Vec<Link<'_>> {
        let Certificate { der, key, issuer, .. } = &self.certificate;
        vec![Link { der, key }, Link { der: &issuer.der, key: &issuer.key }]
    }

    fn verify(&self, anchor: Option<usize>, server: &DomainName) -> Result<(), CertificateProblem> {
        if !self.certificate.holds_at(self.wall) {
            return Err(CertificateProblem::Expired);
        }
        if anchor.is_none() && !self.roots.contains(&self.certificate.issuer.key) {
            return Err(CertificateProblem::Untrusted);
        }
        if !self.certificate.covers(server.as_str()) {
            return Err(CertificateProblem::WrongName);
        }
        Ok(())
    }
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let mut record = vec![MARK, kind];
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(&payload[..usize::from(length)]);
    record
}

/// The first record, if all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<(u8, &[u8])>, TlsFailure> {
    match bytes {
        [mark, ..] if *mark != MARK => Err(TlsFailure::Handshake),
        [_, kind, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            Ok(rest.get(..length).map(|payload| (*kind, payload)))
        }
        _ => Ok(None),
    }
}

fn print(certificate: &Certificate) -> Vec<u8> {
    let mut to = Vec::new();
    to.extend_from_slice(&certificate.not_before.to_be_bytes());
    to.extend_from_slice(&certificate.not_after.to_be_bytes());
    let Certificate { der, key, issuer, .. } = certificate;
    for field in [der, key, &issuer.der, &issuer.key] {
        put(&mut to, field);
    }
    certificate.names.iter().for_each(|name| put(&mut to, name.as_bytes()));
    to
}

fn put(to: &mut Vec<u8>, field: &[u8]) {
    to.extend_from_slice(&(field.len() as u16).to_be_bytes());
    to.extend_from_slice(field);
}

fn parse(mut payload: &[u8]) -> Option<Certificate> {
    let from = &mut payload;
    let (not_before, not_after) = (second(from)?, second(from)?);
    let (der, key) = (field(from)?, field(from)?);
    let issuer = Issuer { der: field(from)?, key: field(from)? };
    let mut names = Vec::new();
    while !from.is_empty() {
        names.push(String::from_utf8(field(from)?.to_vec()).ok()?.into());
    }
    Some(Certificate { names: names.into(), not_before, not_after, der, key, issuer })
}

fn second(from: &mut &[u8]) -> Option<i64> {
    let (octets, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(i64::from_be_bytes(*octets))
}

fn field(from: &mut &[u8]) -> Option<Bytes> {
    let (length, rest) = from.split_first_chunk()?;
    let (field, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *from = rest;
    Some(Bytes::copy_from_slice(field))
}
