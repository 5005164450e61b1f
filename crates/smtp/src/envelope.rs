//! Recipients of the envelope, and what their sender wants to hear of them.

use crate::Address;

/// One recipient of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// When the sender wants to hear (RFC 3461 4.1).
    pub notify: Notify,
}

/// NOTIFY of RFC 3461 4.1, as bits; the default is failure and delay at the node's discretion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// NOTIFY=NEVER: no DSN of any kind.
    pub never: bool,
    /// SUCCESS was asked for.
    pub success: bool,
    /// FAILURE was asked for, or nothing was said.
    pub failure: bool,
    /// DELAY was asked for, or nothing was said.
    pub delay: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Notify { never: false, success: false, failure: true, delay: true }
    }
}
