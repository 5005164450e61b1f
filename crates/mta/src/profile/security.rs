//! What an MTA makes of TLS as a client: its good will, and which policies of a destination it knows.

use std::time::Duration;

/// What an MTA makes of TLS as a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Whether STARTTLS is used wherever it is offered (RFC 7435), whatever the certificate.
    pub opportunistic: bool,
    /// Whether good will also asks whose certificate it is: one that does not do is a handshake that failed.
    pub verifies: bool,
    /// What becomes of mail that may go in clear text when the handshake comes to nothing.
    pub fallback: Fallback,
    /// Whether it looks for TLSA records, and keeps to them (RFC 7672).
    pub dane: bool,
    /// Whether it fetches MTA-STS policies, and keeps to them (RFC 8461).
    pub mta_sts: bool,
}

/// What becomes of mail that may go in clear text when the handshake comes to nothing. Where STARTTLS itself is
/// refused, it always goes on in the same session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// It goes to the same host at once, over another connection, in clear text.
    AtOnce,
    /// It does so once it has waited for so long; until then the host counts as one that failed.
    AfterWaiting(Duration),
    /// The host counts as one that failed.
    Never,
}

impl Tls {
    /// Good will, and no policy.
    pub const OPPORTUNISTIC: Tls =
        Tls { opportunistic: true, verifies: false, fallback: Fallback::AtOnce, dane: false, mta_sts: false };
}
