//! The sum of all facts, and what the drill itself did.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_mta::MessageKey;
use mxdrill_net::Tag;
use mxdrill_smtp::{Address, Reply, ReversePath};

use crate::{Expectation, Quantity};

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
///
/// A deed is recorded for the host it concerns; one that concerns none, for [`crate::DRILL`].
#[derive(Clone, Debug)]
pub enum Deed {
    /// A step begins to send, recorded for the originator. The `Sending` of its messages follow.
    Sends {
        /// The number of the send step, counted from 0.
        send: u32,
        /// The envelope sender.
        from: ReversePath,
        /// The recipients, as the scenario writes them.
        to: Arc<str>,
        /// How many messages.
        count: u32,
        /// From the first to the last of them.
        over: Duration,
    },
    /// A host was told to try its whole queue at once (ETRN, postqueue -f, exim -qff). Recorded for the host.
    Flush,
    /// A DNS record set was replaced.
    Set {
        /// What it is now, in master-file words: `example.test MX 10 mx1`.
        text: Arc<str>,
    },
    /// The scenario expected a figure at this time.
    Expected {
        /// What was expected.
        expectation: Arc<Expectation>,
        /// What was found.
        found: Quantity,
        /// Whether it held.
        held: bool,
    },
    /// The originator, for which this is recorded, offers a message to the first host. Recorded before anything is sent.
    Sending {
        /// The number of the message: `17`; its recipients are `17.1`, `17.2` ... (`17` alone when there is one).
        number: u32,
        /// The send step that it belongs to.
        send: u32,
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
    /// What became of one recipient at the first host that took, or did not take, the mail: recorded for that
    /// host, or for the originator where none was reached.
    Sent {
        /// The number of the message.
        number: u32,
        /// The recipient, counted from 0.
        recipient: u16,
        /// The outcome.
        taken: Taken,
        /// The address of the host whose answer it is; `None` where none was reached. The play records the deed
        /// for that host.
        by: Option<IpAddr>,
    },
    /// A fault began or ended. Recorded for the host that it is on, if it is on one.
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
