//! TLS as a byte layer between a session and its connection (RFC 3207): bytes of the wire in, plain text out.
//!
//! There are two of them. In live worlds `real` is rustls without I/O. In simulated worlds `record` stands in for
//! it: a handshake of two short records that carry the facts of a certificate, and the plain bytes behind it.
//! Both show certificates of the same [`Authority`], and both decide by the same [`Demand`].

mod authority;
mod certificate;
mod demand;
mod failure;
mod real;
mod record;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use mxdrill_net::{Commands, Conn, DomainName, Epoch, Time};

pub use authority::{Authority, CertificateSpec, Credentials};
pub use certificate::{Certificate, Flaw, covers};
pub use demand::{Demand, Pin, Security};
pub use failure::{CertificateProblem, TlsFailure};

/// Which of the two byte layers a world has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Certificate facts in short records: simulated worlds.
    #[default]
    Record,
    /// rustls: worlds with real sockets.
    Real,
}

/// What a server shows to clients that begin TLS. Two with the same certificates are equal.
#[derive(Clone, Debug)]
pub struct ServerTls {
    usual: Shown,
    expired: Shown,
    wrong_name: Shown,
}

/// One certificate, ready to be shown.
#[derive(Clone, Debug)]
struct Shown {
    certificate: Arc<Certificate>,
    real: Option<real::Hosting>,
}

impl Shown {
    fn new(kind: Kind, credentials: &Credentials) -> Shown {
        let real = (kind == Kind::Real).then(|| real::Hosting::new(credentials));
        Shown { certificate: credentials.certificate.clone(), real }
    }
}

impl PartialEq for ServerTls {
    fn eq(&self, other: &ServerTls) -> bool {
        self.usual.certificate == other.usual.certificate
    }
}

impl Eq for ServerTls {}

impl ServerTls {
    /// The certificate that a host shows; what `authority` would have issued instead under a [`Flaw`] stands ready.
    pub fn new(kind: Kind, usual: &Credentials, authority: &Authority, host: &DomainName) -> ServerTls {
        let flawed = |flaw| Shown::new(kind, &authority.flawed(host, flaw));
        ServerTls {
            usual: Shown::new(kind, usual),
            expired: flawed(Flaw::Expired),
            wrong_name: flawed(Flaw::WrongName),
        }
    }

    /// The certificate that is shown when nothing is wrong.
    pub fn certificate(&self) -> &Arc<Certificate> {
        &self.usual.certificate
    }

    /// The server's side of a session to come.
    pub fn session(&self, flaw: Option<Flaw>) -> Layer {
        let shown = match flaw {
            None => &self.usual,
            Some(Flaw::Expired) => &self.expired,
            Some(Flaw::WrongName) => &self.wrong_name,
        };
        Layer(match &shown.real {
            None => Inner::Record(Box::new(record::Session::server(shown.certificate.clone()))),
            Some(hosting) => Inner::Real(Box::new(hosting.session())),
        })
    }
}

/// What a client goes by when it meets certificates. Two that trust the same authorities are equal.
#[derive(Clone, Debug)]
pub struct ClientTls {
    epoch: Epoch,
    /// Public keys of the authorities that are trusted.
    roots: Arc<[Bytes]>,
    real: Option<real::Visiting>,
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &ClientTls) -> bool {
        self.epoch == other.epoch && self.roots == other.roots
    }
}

impl Eq for ClientTls {}

impl ClientTls {
    /// Trusts one authority. `epoch` is the wall time by which certificates expire.
    pub fn new(kind: Kind, authority: &Authority, epoch: Epoch) -> ClientTls {
        ClientTls {
            epoch,
            roots: Arc::new([authority.certificate().key.clone()]),
            real: (kind == Kind::Real).then(|| real::Visiting::new(authority)),
        }
    }

    /// The client's side of a session to come. `None` when the name cannot stand in a certificate.
    pub fn session(&self, demand: Demand, server: DomainName) -> Option<Layer> {
        Some(Layer(match &self.real {
            None => {
                let (epoch, roots) = (self.epoch, self.roots.clone());
                Inner::Record(Box::new(record::Session::client(demand, server, epoch, roots)))
            }
            Some(visiting) => Inner::Real(Box::new(visiting.session(self.epoch, demand, &server)?)),
        }))
    }
}

/// The TLS of one session: for sessions of SMTP behind STARTTLS, for others from the start.
#[derive(Debug)]
pub struct Layer(Inner);

#[derive(Debug)]
enum Inner {
    Record(Box<record::Session>),
    Real(Box<real::Session>),
}

impl Layer {
    /// Begins the handshake, if this is the side that does.
    pub fn begin<F>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        match &mut self.0 {
            Inner::Record(session) => session.begin(conn, out),
            Inner::Real(session) => session.begin(now, conn, out),
        }
    }

    /// Takes bytes of the wire and appends the plain text in them.
    ///
    /// # Errors
    /// The handshake failed, or what came is no TLS. What the peer is to hear of it is sent; nothing more can be.
    pub fn take<F>(
        &mut self,
        now: Time,
        conn: Conn,
        wire: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Commands<F>,
    ) -> Result<(), TlsFailure> {
        match &mut self.0 {
            Inner::Record(session) => session.take(now, conn, wire, plain, out),
            Inner::Real(session) => session.take(now, conn, wire, plain, out),
        }
    }

    /// Sends plain text.
    pub fn send<F>(&mut self, conn: Conn, plain: &[u8], out: &mut Commands<F>) {
        match &mut self.0 {
            Inner::Record(_) => out.send(conn, plain),
            Inner::Real(session) => session.send(conn, plain, out),
        }
    }

    /// Sends plain text that is shared.
    pub fn send_shared<F>(&mut self, conn: Conn, plain: Bytes, out: &mut Commands<F>) {
        match &mut self.0 {
            Inner::Record(_) => out.send_shared(conn, plain),
            Inner::Real(session) => session.send(conn, &plain, out),
        }
    }

    /// Says that nothing more will be sent (RFC 8446 6.1), so that the end cannot be forged.
    pub fn close<F>(&mut self, conn: Conn, out: &mut Commands<F>) {
        if let Inner::Real(session) = &mut self.0 {
            session.close(conn, out);
        }
    }

    /// How safe the session is, once the handshake is over.
    pub fn security(&self) -> Option<Security> {
        match &self.0 {
            Inner::Record(session) => session.security(),
            Inner::Real(session) => session.security(),
        }
    }
}
