//! How a server is set up.

use std::{sync::Arc, time::Duration};

use mxdrill_net::DomainName;

use crate::{Extensions, tls::ServerTls};

/// How a server is set up. Shared by all sessions of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The name in the greeting and in the reply to EHLO.
    pub hostname: DomainName,
    /// What is offered.
    pub extensions: Extensions,
    /// What it shows to clients that begin TLS. STARTTLS is offered when this is there and `extensions` say so.
    pub tls: Option<Arc<ServerTls>>,
    /// Recipients of one message; beyond, 452 4.5.3 (RFC 5321 4.5.3.1.8 asks for at least 100).
    pub recipients_max: usize,
    /// Without a byte from the client for so long, 421 (RFC 5321 4.5.3.2.7: at least 5 minutes).
    pub idle: Duration,
    /// Errors of syntax and order in one session before 421.
    pub errors_max: u32,
    /// Octets of input kept while a reply is outstanding; beyond, 421. The driver cannot be told to stop.
    pub held_max: usize,
}

impl ServerConfig {
    /// The usual: all extensions of [`Extensions::USUAL`], 1000 recipients (Postfix smtpd_recipient_limit),
    /// 5 minutes, 20 errors (Postfix smtpd_hard_error_limit), 1 MiB held.
    pub fn new(hostname: DomainName) -> ServerConfig {
        ServerConfig {
            hostname,
            extensions: Extensions::USUAL,
            tls: None,
            recipients_max: 1000,
            idle: Duration::from_secs(300),
            errors_max: 20,
            held_max: 1 << 20,
        }
    }
}
