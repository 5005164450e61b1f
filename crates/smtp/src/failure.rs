//! How a session fails, as a client sees it.

use std::sync::Arc;

use mxdrill_net::ConnectError;

use crate::{Reply, TlsFailure};

/// Why a session failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connect failed.
    Connect(ConnectError),
    /// The machine's own timeout at that stage.
    Timeout,
    /// The peer closed or reset the connection.
    Lost,
    /// The peer said no to the session itself (greeting, EHLO).
    Reply(Arc<Reply>),
    /// What the peer sent is no SMTP.
    Garbled,
    /// The session is not as safe as it must be.
    Tls(TlsFailure),
}
