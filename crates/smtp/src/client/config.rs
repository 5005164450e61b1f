//! How a client is set up.

use std::{sync::Arc, time::Duration};

use mxdrill_net::DomainName;

use crate::tls::ClientTls;

/// How a client is set up. Shared by all sessions of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The name said at EHLO.
    pub hostname: DomainName,
    /// How long it waits, and for what.
    pub timeouts: Timeouts,
    /// Whether it uses PIPELINING where that is offered (RFC 2920).
    pub pipelining: bool,
    /// Whether it uses BDAT where CHUNKING is offered (RFC 3030).
    pub chunking: bool,
    /// What it sends as it is to a server that does not offer the extension for it.
    pub as_is: AsIs,
    /// What it goes by under TLS; without it, STARTTLS is never said.
    pub tls: Option<Arc<ClientTls>>,
}

/// Letters that a client sends as they are, without asking for the extension they need, where the server does not
/// offer it. Otherwise they come back with [`super::Outcome::Lacks`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsIs {
    /// Those that need 8BITMIME (RFC 6152 3 forbids it; many do it).
    pub eight_bit: bool,
    /// Those that need SMTPUTF8 (RFC 6531 3.2 forbids it).
    pub utf8: bool,
    /// Those larger than the SIZE that was offered (RFC 1870 6.1).
    pub size: bool,
}

impl ClientConfig {
    /// The usual: timeouts of RFC 5321 4.5.3.2, pipelining, DATA.
    pub fn new(hostname: DomainName) -> ClientConfig {
        ClientConfig {
            hostname,
            timeouts: Timeouts::default(),
            pipelining: true,
            chunking: false,
            as_is: AsIs::default(),
            tls: None,
        }
    }
}

/// The timeouts of a client, each for one thing waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The TCP connection. For the owner: a session begins when it stands.
    pub connect: Duration,
    /// The greeting (4.5.3.2.1).
    pub greeting: Duration,
    /// The reply to EHLO or HELO.
    pub ehlo: Duration,
    /// The reply to STARTTLS and the handshake.
    pub starttls: Duration,
    /// The reply to MAIL (4.5.3.2.2).
    pub mail: Duration,
    /// The reply to RCPT (4.5.3.2.3).
    pub rcpt: Duration,
    /// The 354 to DATA (4.5.3.2.4).
    pub data_init: Duration,
    /// Progress in writing the message (4.5.3.2.5).
    pub data_block: Duration,
    /// The reply to the final dot (4.5.3.2.6).
    pub dot: Duration,
    /// The reply to RSET.
    pub rset: Duration,
    /// The reply to QUIT.
    pub quit: Duration,
}

impl Default for Timeouts {
    /// RFC 5321 4.5.3.2; where it names no value, Postfix's (smtp_connect_timeout, smtp_helo_timeout,
    /// smtp_starttls_timeout, smtp_rset_timeout, smtp_quit_timeout).
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Timeouts {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            ehlo: minutes(5),
            starttls: minutes(5),
            mail: minutes(5),
            rcpt: minutes(5),
            data_init: minutes(2),
            data_block: minutes(3),
            dot: minutes(10),
            rset: Duration::from_secs(20),
            quit: minutes(5),
        }
    }
}
