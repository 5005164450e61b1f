//! The byte layer of worlds with real sockets: rustls, without its I/O and without its clock.

use std::{
    io::{Read, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use mxdrill_net::{Commands, Conn, DomainName, Epoch, Time};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::ParsedCertificate,
    time_provider::TimeProvider,
};

use super::{
    Authority, CertificateProblem, Credentials, Demand, Security, TlsFailure,
    demand::{Evidence, Link},
};

/// Octets of plain text taken out at a time.
const PIECE: usize = 16 * 1024;

/// What a server shows, as rustls has it.
#[derive(Clone, Debug)]
pub(super) struct Hosting(Arc<ServerConfig>);

impl Hosting {
    /// The certificate, and its issuer's behind it: DANE-TA(2) needs that (RFC 7672 3.1.2).
    pub(super) fn new(credentials: &Credentials) -> Hosting {
        let certificate = &credentials.certificate;
        let chain = [&certificate.der, &certificate.issuer.der];
        let chain = chain.map(|der| CertificateDer::from(der.to_vec())).to_vec();
        let private = PrivateKeyDer::Pkcs8(credentials.private.to_vec().into());
        // a server that asks for no client certificate and hands out no tickets has no use for a clock
        let config = ServerConfig::builder_with_details(provider(), Arc::new(Clock::default()))
            .with_safe_default_protocol_versions()
            .expect("ring has the cipher suites of both versions")
            .with_no_client_auth()
            .with_single_cert(chain, private);
        let mut config = config.expect("the key is the certificate's");
        config.send_tls13_tickets = 0;
        Hosting(Arc::new(config))
    }

    pub(super) fn session(&self) -> Session {
        let connection = ServerConnection::new(self.0.clone()).expect("the configuration is whole");
        Session::new(connection.into(), None)
    }
}

/// What a client goes by, as rustls has it.
#[derive(Clone, Debug)]
pub(super) struct Visiting {
    roots: Arc<WebPkiServerVerifier>,
}

impl Visiting {
    pub(super) fn new(authority: &Authority) -> Visiting {
        Visiting { roots: trusting(&authority.certificate().der).expect("an authority is an anchor") }
    }

    pub(super) fn session(&self, epoch: Epoch, demand: Demand, server: &DomainName) -> Option<Session> {
        let name = ServerName::try_from(server.as_str().to_owned()).ok()?;
        let client = Arc::new(Client {
            clock: Arc::new(Clock::default()),
            epoch,
            demand,
            server: server.clone(),
            roots: self.roots.clone(),
            judged: OnceLock::new(),
        });
        let mut config = ClientConfig::builder_with_details(provider(), client.clock.clone())
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(client.clone())
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let connection = ClientConnection::new(Arc::new(config), name).ok()?;
        Some(Session::new(connection.into(), Some(client)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider())).clone()
}

/// The verifier that trusts one certificate.
fn trusting(der: &[u8]) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(der.to_vec())).ok()?;
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok()
}

/// Virtual time as rustls asks for it: seconds of wall time, set before each call.
#[derive(Debug, Default)]
struct Clock(AtomicI64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let wall = u64::try_from(self.0.load(Ordering::Relaxed)).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(wall)))
    }
}

/// The client's side of one session: what it demands, and what came of that.
#[derive(Debug)]
struct Client {
    clock: Arc<Clock>,
    epoch: Epoch,
    demand: Demand,
    server: DomainName,
    roots: Arc<WebPkiServerVerifier>,
    judged: OnceLock<Result<Security, CertificateProblem>>,
}

impl ServerCertVerifier for Client {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Shown::new(end_entity, intermediates, now, &self.roots)?;
        let judged = *self.judged.get_or_init(|| self.demand.judge(&shown, &self.server));
        judged.map(|_| ServerCertVerified::assertion()).map_err(|problem| alert(problem).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// What the server is told of a problem with its certificate (RFC 8446 6.2).
fn alert(problem: CertificateProblem) -> rustls::CertificateError {
    use rustls::CertificateError::{ApplicationVerificationFailure, Expired, NotValidForName, UnknownIssuer};
    match problem {
        CertificateProblem::Expired => Expired,
        CertificateProblem::Untrusted => UnknownIssuer,
        CertificateProblem::WrongName => NotValidForName,
        CertificateProblem::Unmatched => ApplicationVerificationFailure,
    }
}

/// The chain that a server showed.
struct Shown<'a> {
    certificates: Vec<(&'a CertificateDer<'a>, Vec<u8>)>,
    intermediates: &'a [CertificateDer<'a>],
    now: UnixTime,
    roots: &'a Arc<WebPkiServerVerifier>,
}

impl<'a> Shown<'a> {
    fn new(
        end_entity: &'a CertificateDer<'a>,
        intermediates: &'a [CertificateDer<'a>],
        now: UnixTime,
        roots: &'a Arc<WebPkiServerVerifier>,
    ) -> Result<Shown<'a>, rustls::Error> {
        let mut certificates = Vec::new();
        for der in std::iter::once(end_entity).chain(intermediates) {
            let key = ParsedCertificate::try_from(der)?.subject_public_key_info();
            certificates.push((der, key.to_vec()));
        }
        Ok(Shown { certificates, intermediates, now, roots })
    }
}

impl Evidence for Shown<'_> {
    fn chain(&self) -> Vec<Link<'_>> {
        self.certificates.iter().map(|(der, key)| Link { der, key }).collect()
    }

    fn verify(&self, anchor: Option<usize>, server: &DomainName) -> Result<(), CertificateProblem> {
        let untrusted = CertificateProblem::Untrusted;
        let verifier = match anchor {
            None => self.roots.clone(),
            Some(place) => {
                self.certificates.get(place).and_then(|(der, _)| trusting(der)).ok_or(untrusted)?
            }
        };
        let name = ServerName::try_from(server.as_str()).map_err(|_| CertificateProblem::WrongName)?;
        let (end_entity, _) = self.certificates.first().ok_or(untrusted)?;
        let verified = verifier.verify_server_cert(end_entity, self.intermediates, &name, &[], self.now);
        verified.map(drop).map_err(|why| problem(&why))
    }
}

fn problem(why: &rustls::Error) -> CertificateProblem {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    };
    match why {
        rustls::Error::InvalidCertificate(why) => match why {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                CertificateProblem::Expired
            }
            NotValidForName | NotValidForNameContext { .. } => CertificateProblem::WrongName,
            _ => CertificateProblem::Untrusted,
        },
        _ => CertificateProblem::Untrusted,
    }
}

/// One side of a session.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    client: Option<Arc<Client>>,
}

impl Session {
    fn new(mut connection: Connection, client: Option<Arc<Client>>) -> Session {
        // the driver bounds what waits for the wire, and the owner what it hands over
        connection.set_buffer_limit(None);
        Session { connection, client }
    }

    pub(super) fn begin<F>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        self.tell_time(now);
        self.flush(conn, out);
    }

    pub(super) fn security(&self) -> Option<Security> {
        if self.connection.is_handshaking() {
            return None;
        }
        let judged = self.client.as_ref().and_then(|client| client.judged.get()?.ok());
        Some(judged.unwrap_or(Security::Encrypted))
    }

    pub(super) fn take<F>(
        &mut self,
        now: Time,
        conn: Conn,
        mut wire: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Commands<F>,
    ) -> Result<(), TlsFailure> {
        self.tell_time(now);
        while !wire.is_empty() {
            let taken = self.connection.read_tls(&mut wire);
            let processed = self.connection.process_new_packets();
            self.read_plain(plain);
            if taken.is_err() || processed.is_err() {
                self.flush(conn, out);
                return Err(self.failure());
            }
        }
        self.flush(conn, out);
        Ok(())
    }

    pub(super) fn send<F>(&mut self, conn: Conn, plain: &[u8], out: &mut Commands<F>) {
        // the buffer has no limit, so all of it is taken
        let _ = self.connection.writer().write_all(plain);
        self.flush(conn, out);
    }

    pub(super) fn close<F>(&mut self, conn: Conn, out: &mut Commands<F>) {
        self.connection.send_close_notify();
        self.flush(conn, out);
    }

    fn tell_time(&self, now: Time) {
        if let Some(client) = &self.client {
            client.clock.0.store(client.epoch.wall(now).as_second(), Ordering::Relaxed);
        }
    }

    /// Moves the plain text that has come.
    fn read_plain(&mut self, plain: &mut Vec<u8>) {
        loop {
            let start = plain.len();
            plain.resize(start + PIECE, 0);
            // WouldBlock, or the end: nothing more for now
            let read = self.connection.reader().read(&mut plain[start..]).unwrap_or(0);
            plain.truncate(start + read);
            if read == 0 {
                return;
            }
        }
    }

    fn flush<F>(&mut self, conn: Conn, out: &mut Commands<F>) {
        let mut wire = Vec::new();
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut wire) {
                Ok(written) if written > 0 => {}
                _ => break,
            }
        }
        if !wire.is_empty() {
            out.send(conn, &wire);
        }
    }

    fn failure(&self) -> TlsFailure {
        match self.client.as_ref().and_then(|client| client.judged.get()) {
            Some(Err(problem)) => TlsFailure::Certificate(*problem),
            _ => TlsFailure::Handshake,
        }
    }
}
