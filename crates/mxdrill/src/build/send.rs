//! Mail that a drill built in code sends.

use std::time::Duration;

use bytes::Bytes;

use super::{Act, set_key};
use crate::scenario::{
    Body, Octets,
    print::duration,
    toml_text::{Node, Table},
};

/// Mail: made by [`send`] or [`send_at_rate`]. What it does not say is taken from the send before.
#[derive(Clone, Debug, Default)]
pub struct Send {
    keys: Table,
    file: Option<(String, Bytes)>,
}

/// So many messages.
pub fn send(count: u32) -> Send {
    Send::default().key("count", Node::plain(count))
}

/// So many messages a time (`"3000/h"`), for so long.
pub fn send_at_rate(rate: &str, lasting: Duration) -> Send {
    Send::default().key("rate", Node::text(rate)).key("for", duration(lasting))
}

impl Send {
    fn key(mut self, key: &str, node: Node) -> Send {
        set_key(&mut self.keys, key, node);
        self
    }

    /// The host that originates it.
    pub fn by(self, host: &str) -> Send {
        self.key("by", Node::text(host))
    }

    /// The envelope sender; `"<>"` is null.
    pub fn from(self, address: &str) -> Send {
        self.key("from", Node::text(address))
    }

    /// The recipient, or `"u{1..500}@example.test"`.
    pub fn to(self, address: &str) -> Send {
        self.key("to", Node::text(address))
    }

    /// The recipients of each message.
    pub fn to_all<'a>(self, addresses: impl IntoIterator<Item = &'a str>) -> Send {
        self.key("to", Node::texts(addresses))
    }

    /// Spread evenly over a time.
    pub fn over(self, time: Duration) -> Send {
        self.key("over", duration(time))
    }

    /// What kind of body.
    pub fn body(self, body: Body) -> Send {
        self.key("body", Node::text(body.word()))
    }

    /// Octets of the body.
    pub fn size(self, bytes: u64) -> Send {
        self.key("size", Node::text(Octets(bytes).to_string()))
    }

    /// This message; `name` is what the scenario calls it.
    pub fn message(mut self, name: &str, bytes: impl Into<Bytes>) -> Send {
        self.file = Some((name.into(), bytes.into()));
        self.key("message", Node::text(name))
    }

    /// The envelope sender never sent it: a bounce to it is backscatter.
    pub fn forged(self) -> Send {
        self.key("forged", Node::plain(true))
    }

    /// What the sender wants to hear: `never`, or some of `success`, `failure`, `delay` (RFC 3461).
    pub fn notify<'w>(self, words: impl IntoIterator<Item = &'w str>) -> Send {
        self.key("notify", Node::texts(words))
    }
}

impl From<Send> for Act {
    fn from(send: Send) -> Act {
        Act { files: send.file.into_iter().collect(), ..Act::new("send", Node::Table(send.keys)) }
    }
}
