//! The sum of all facts, and what the drill itself did.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_mta::MessageKey;
use mxdrill_net::Tag;
use mxdrill_smtp::{Address, Reply, ReversePath};

/// Anything that happened to a host of a drill.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Seen by the driver.
    Net(mxdrill_net::Fact),
    /// Done by a host's look-ups.
    Dns(mxdrill_dns::Fact),
    /// Done by a mail node.
    Mta(mxdrill_mta::Fact),
    /// Done by the drill.
    Drill(Deed),
}

impl From<mxdrill_net::Fact> for Fact {
    fn from(fact: mxdrill_net::Fact) -> Fact {
        Fact::Net(fact)
    }
}

impl From<mxdrill_dns::Fact> for Fact {
    fn from(fact: mxdrill_dns::Fact) -> Fact {
        Fact::Dns(fact)
    }
}

impl From<mxdrill_mta::Fact> for Fact {
    fn from(fact: mxdrill_mta::Fact) -> Fact {
        Fact::Mta(fact)
    }
}

impl From<Deed> for Fact {
    fn from(deed: Deed) -> Fact {
        Fact::Drill(deed)
    }
}

/// Something the drill did. Messages of the drill are numbered from 1 in the order in which they are sent.
#[derive(Clone, Debug)]
pub enum Deed {
    /// The originator offers a message to the first host. Recorded before anything is sent.
    Sending {
        /// The number of the message: `17`; its recipients are `17.1`, `17.2` ... (`17` alone when there is one).
        number: u32,
        /// Its name across hosts.
        key: MessageKey,
        /// The envelope sender.
        from: ReversePath,
        /// A forged sender: it never sent this, and a bounce to it is backscatter.
        forged: bool,
        /// The recipients.
        to: Arc<[Address]>,
        /// Content as it was sent, header and body, CRLF line ends; shared.
        header: Bytes,
        /// The body; shared by all messages of a send.
        body: Bytes,
    },
    /// What became of one recipient at the first host that took, or did not take, the mail.
    Sent {
        /// The number of the message.
        number: u32,
        /// The recipient, counted from 0.
        recipient: u16,
        /// The outcome.
        taken: Taken,
    },
    /// A fault began, or the last of its kind was lifted.
    Fault {
        /// Its number in the drill.
        tag: Tag,
        /// Whether it begins.
        begins: bool,
    },
    /// The drill looked into a host's queue after its last step: what the host still holds follows as
    /// `mta::Fact::Holds` of the same host and time, then this.
    Looked,
    /// The drill is over.
    Ended {
        /// How much real time it took. Zero in `sim`, where the journal must repeat.
        wall: Duration,
    },
}

/// The three results of an SMTP transaction, never two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// 250 after the dot.
    Acknowledged,
    /// 4xx or 5xx, told apart by the reply's severity.
    Rejected(Arc<Reply>),
    /// The link was lost after the final dot.
    InDoubt,
    /// No host could be reached at all: the originator gave up (a sender without a queue).
    Unreached,
}
