//! What a way between two hosts is like.

use std::time::Duration;

use crate::Tag;

/// The properties of one direction of the way between two hosts.
///
/// A connection is a TCP stream: it never reorders and never loses bytes. `loss` delays by retransmission and,
/// past the limit, resets the connection; only datagrams are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// One-way delay.
    pub latency: Duration,
    /// At most this much is added to each segment's delay, drawn by the seed.
    pub jitter: Duration,
    /// Chance of losing a packet, in parts per million.
    pub loss_ppm: u32,
    /// Nothing passes: connects time out, open connections stall and are reset after the kernel's patience.
    pub partition: bool,
    /// Bytes a second; `None` is without bound.
    pub bandwidth: Option<u64>,
    /// Every connection over this way is reset after it carried so many bytes in this direction.
    pub cut_after: Option<u64>,
}

impl Default for Link {
    /// A quiet local network: 0.5 ms, no jitter, no loss.
    fn default() -> Self {
        Link {
            latency: Duration::from_micros(500),
            jitter: Duration::ZERO,
            loss_ppm: 0,
            partition: false,
            bandwidth: None,
            cut_after: None,
        }
    }
}

/// A link as a fault sets it: recorded as [`crate::Fact::Bit`] for the sending host when it bites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRule {
    /// What the way is like.
    pub link: Link,
    /// The fault that made it so.
    pub tag: Tag,
}
