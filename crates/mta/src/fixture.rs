//! Messages for the tests of this crate.

use bytes::Bytes;
use mxdrill_net::Epoch;
use mxdrill_smtp::{Envelope, Protocol, Received, Recipient, ReversePath};

use crate::Intake;

/// The intake of mx2.
pub(crate) fn intake() -> Intake {
    Intake::new("mx2.example.test".parse().unwrap(), Epoch::default())
}

/// A message from alice to user, as it comes in from app.
pub(crate) fn received(content: impl Into<Bytes>) -> Received {
    Received {
        envelope: Envelope {
            reverse_path: ReversePath(Some("alice@sender.test".parse().unwrap())),
            recipients: vec![Recipient::new("user@example.test".parse().unwrap())],
            ..Envelope::default()
        },
        helo: "app.sender.test".into(),
        peer: [192, 0, 2, 1].into(),
        protocol: Protocol::Esmtp,
        content: content.into(),
    }
}
