//! One entry of the queue: a message for its recipients of one destination. Kept small: a queue holds a million.

use std::sync::Arc;

use crate::Message;

/// Some of the recipients of a message, counted from 0. Never empty in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picks {
    /// The usual case, without an allocation.
    One(u16),
    /// In increasing order.
    Many(Arc<[u16]>),
}

impl Picks {
    /// From a list.
    pub(crate) fn of(list: &[u16]) -> Picks {
        match list {
            [one] => Picks::One(*one),
            many => Picks::Many(many.into()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u16] {
        match self {
            Picks::One(one) => std::slice::from_ref(one),
            Picks::Many(many) => many,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }
}

/// A message for its recipients of one destination.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The message; `None` marks a free place of the slab.
    pub(crate) message: Option<Arc<Message>>,
    /// The recipients still to be served.
    pub(crate) picks: Picks,
    /// The line it stands in.
    pub(crate) line: u32,
    /// Seconds of virtual time at which the message arrived.
    pub(crate) arrived: u32,
    /// The last wait, in seconds.
    pub(crate) wait: u32,
    /// Failed attempts.
    pub(crate) attempts: u16,
    /// Delay warnings sent.
    pub(crate) warned: u8,
    /// Whether the reverse-path is null: then the lifetime of bounces counts.
    pub(crate) is_bounce: bool,
}

impl Entry {
    /// Whole seconds since the message arrived.
    pub(crate) fn age(&self, now: u32) -> u32 {
        now.saturating_sub(self.arrived)
    }
}
