//! The way of every message into a node: trace field on top, body shared, name found.

use bytes::{Bytes, BytesMut};
use mxdrill_net::{DomainName, Epoch, Time};
use mxdrill_smtp::{Envelope, Received, Ret};

use crate::{
    Message, Origin, QueueId,
    header::Scan,
    intern::Interner,
    trace::{self, Dates, Stamp},
};

/// Makes the messages of one node, out of what clients send and for what the node itself has to say.
///
/// Headers are written one after another into chunks that messages share, so that a message costs no
/// allocation for its header; a chunk lives as long as the last message in it.
#[derive(Debug)]
pub struct Intake {
    pub(crate) name: DomainName,
    pub(crate) dates: Dates,
    stamp: Stamp,
    interner: Interner,
    chunk: BytesMut,
    last: QueueId,
}

/// Octets of a chunk of headers.
const CHUNK: usize = 16 << 10;

impl Intake {
    /// The intake of the node called `name`, whose virtual time begins at `epoch`.
    pub fn new(name: DomainName, epoch: Epoch) -> Intake {
        Intake {
            name,
            dates: Dates::new(epoch),
            stamp: Stamp::default(),
            interner: Interner::default(),
            chunk: BytesMut::with_capacity(CHUNK),
            last: QueueId(0),
        }
    }

    /// A message that is to be relayed, wholly or in part: this node's Received field is put on top (RFC 5321
    /// 4.4), nothing else is touched (6.4). Content without an empty line gets one: if every line of it is a
    /// header field it is all header; else the body begins with the first line that is none.
    pub fn receive(&mut self, now: Time, received: Received) -> Message {
        self.take_in(now, received, false)
    }

    /// A message whose recipients are all served by this host: final delivery adds Return-Path (RFC 5321 4.4).
    pub fn receive_final(&mut self, now: Time, received: Received) -> Message {
        self.take_in(now, received, true)
    }

    fn take_in(&mut self, now: Time, received: Received, is_final: bool) -> Message {
        let scan = Scan::of(&received.content);
        let id = self.next_id(now);
        let header = self.header(now, &received, &scan, id, is_final);
        let body = self.interner.share_body(&received.content, scan.body_at);
        let key = scan.key(&received.content);
        let Envelope { reverse_path, recipients, eight_bit, utf8, envid, ret } = received.envelope;
        let mut message = Message {
            id,
            key,
            reverse_path,
            recipients: recipients.into(),
            header,
            body: body.bytes,
            body_check: body.check,
            eight_bit,
            utf8,
            ret_full: ret == Some(Ret::Full),
            origin: Origin::Peer,
            received: scan.received.saturating_add(1),
            envid,
            arrived: now,
        };
        self.share_addresses(&mut message);
        message
    }

    fn header(&mut self, now: Time, received: &Received, scan: &Scan, id: QueueId, is_final: bool) -> Bytes {
        let names = received.helo.len() + self.name.as_str().len() + 320;
        let text = &mut self.chunk;
        text.reserve(scan.fields_end + names + trace::TRACE_LEN_MAX);
        if is_final {
            trace::push_return_path(text, &received.envelope.reverse_path);
        }
        self.stamp.push(text, received, &self.name, id, self.dates.print(now));
        text.extend_from_slice(&received.content[..scan.fields_end]);
        text.extend_from_slice(b"\r\n");
        text.split().freeze()
    }

    /// A fresh name: the time in nanoseconds, so that it is new after a restart too, or one more than the last.
    pub(crate) fn next_id(&mut self, now: Time) -> QueueId {
        self.last = QueueId(self.last.0.saturating_add(1).max(now.as_nanos()));
        self.last
    }

    /// Notes a name found in the spool after a restart, so that it is not given again.
    pub(crate) fn saw_id(&mut self, id: QueueId) {
        self.last = self.last.max(id);
    }

    /// Gives a message that was read back from the spool its shared parts.
    pub(crate) fn share(&mut self, message: &mut Message) {
        message.body = self.interner.share_body(&message.body, 0).bytes;
        self.chunk.reserve(message.header.len());
        self.chunk.extend_from_slice(&message.header);
        message.header = self.chunk.split().freeze();
        self.share_addresses(message);
    }

    fn share_addresses(&mut self, message: &mut Message) {
        if let Some(address) = &mut message.reverse_path.0 {
            self.interner.share_address(address);
        }
        for recipient in message.recipients.iter_mut() {
            self.interner.share_address(&mut recipient.address);
        }
    }

    /// Forgets what no live message shares any more. Also done by itself from time to time; worth a call when
    /// a queue has run empty.
    pub fn sweep(&mut self) {
        self.interner.sweep();
    }

    /// How many different bodies are remembered for sharing.
    pub fn bodies(&self) -> usize {
        self.interner.bodies()
    }
}

#[cfg(test)]
mod tests;
