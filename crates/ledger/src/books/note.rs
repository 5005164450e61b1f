//! What the books noticed in a fact: the unusual, for checks and for the story.

use std::{sync::Arc, time::Duration};

use crate::guard::Objection;

use super::{Differs, Kind, MessageId, RecipientId, Site};
use mxdrill_mta::Target;
use mxdrill_net::Time;
use mxdrill_smtp::Reply;

/// Something unusual about the fact just seen.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// A copy reached a mailbox; `first` when it is the first one of this recipient.
    Delivered {
        message: MessageId,
        site: Site,
        first: bool,
        /// The host that passed it on, and how long it had held it.
        from: Option<(Site, Duration)>,
    },
    /// A recipient was told 4xx for the first time.
    PutOff { message: MessageId, target: Arc<Target>, reply: Arc<Reply> },
    /// A delivery that nobody sent.
    Unexpected { site: Site, what: Unexpected },
    /// What a host stored is not what was sent.
    Altered { message: MessageId, site: Site, how: Differs },
    /// A recipient was given up with a DSN. `by` is the host that made the DSN.
    Bounced { message: MessageId, recipient: RecipientId, by: Site },
    /// A worse MX took, or was offered, a recipient.
    WorseMx { message: MessageId, recipient: RecipientId, site: Site, target: Arc<Target>, offered: Time },
    /// A host that is itself an MX passed a recipient to an MX that is no better.
    RelayedDown { message: MessageId, recipient: RecipientId, site: Site, target: Arc<Target>, own: u16 },
    /// A recipient went to a target against a policy of its destination.
    Unguarded {
        message: MessageId,
        recipient: RecipientId,
        site: Site,
        target: Arc<Target>,
        objection: Objection,
    },
    /// A host used the address record of a destination that has, or may have, MX records. `about` is who was
    /// offered to it, where it came to that.
    AddressRecord { about: Option<(MessageId, RecipientId)>, site: Site, target: Arc<Target> },
    /// A host tried a recipient earlier or later than its schedule says: so long after the last time, and the bound.
    OffBeat { message: MessageId, recipient: RecipientId, site: Site, beat: Beat },
    /// A host still tries a recipient at an age at which it should have given it up.
    Outlived { message: MessageId, recipient: RecipientId, site: Site, age: Duration, max: Duration },
    /// A message came by a host once more, as its trace shows.
    CameAgain { message: MessageId, site: Site, received: u16 },
}

/// How an attempt misses its schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// It came so long after the last one, and should have waited at least so long.
    Early(Duration, Duration),
    /// It came so long after the host last had a reason to wait, and should have come within so long.
    Late(Duration, Duration),
}

/// A delivery that nobody sent.
#[derive(Clone, Debug)]
pub(crate) enum Unexpected {
    /// A message that nobody sent.
    Stray { from: String, to: String },
    /// To somebody to whom the message was not addressed.
    NotAddressed { message: MessageId, to: String },
    /// The first host had rejected it.
    Rejected { message: MessageId, recipient: RecipientId },
}

/// The message and recipient that the fact just seen is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// The message.
    pub(crate) message: MessageId,
    /// The recipient, where the fact is about one.
    pub(crate) recipient: Option<RecipientId>,
    /// Whose message it is.
    pub(crate) kind: Kind,
}
