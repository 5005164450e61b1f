//! The records of the log, as bytes.
//!
//! A record is `check, length, covered, kind, rest`, numbers little-endian. `length` counts what follows these
//! first twelve octets; `check` is the CRC-32 of length, covered, and `covered` octets after them. What lies
//! beyond is the body of a message, whose own CRC-32 stands in the covered part: it is computed once for all
//! messages that share the body.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use mxdrill_net::Time;
use mxdrill_smtp::{Address, Notify, Recipient, ReversePath};

use super::Pending;
use crate::{Message, MessageKey, Origin, QueueId};

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A segment begins. So many recipients were put into mailboxes before it.
    Begin { delivered: u64 },
    /// A message is in the spool. It is decoded later, and only if it is still to be served.
    Stored(Stored),
    /// One recipient is served, or given up.
    Done(QueueId, u16),
    /// All recipients are served: nothing of this message is needed any more.
    Gone(QueueId),
}

/// A stored message, looked into only as far as replaying the log needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: QueueId,
    pub(crate) recipients: u16,
    pub(crate) pending: Pending,
    /// Whether this is a copy that compaction made of an older record.
    pub(crate) is_copy: bool,
    /// What follows id, recipients and pending.
    rest: Bytes,
}

/// Octets before what `length` counts.
const HEAD: usize = 12;
/// The first octets of the log, with the version of its form.
const MAGIC: &[u8; 8] = b"mxspool1";
/// A length that stands for a missing text.
const NONE: u16 = u16::MAX;

const BEGIN: u8 = 1;
const STORED: u8 = 2;
const DONE: u8 = 3;
const GONE: u8 = 4;
/// As `STORED`, copied forward by compaction: its recipients that are not pending were served in some way before.
const COPIED: u8 = 5;

/// Writes a record: `rest` puts what follows the kind; `beyond` is the body that the check does not cover, and
/// `more` are slices of the covered part that are not copied.
fn put(text: &mut BytesMut, kind: u8, more: &[u8], beyond: usize, rest: impl FnOnce(&mut BytesMut)) {
    let start = text.len();
    text.put_bytes(0, HEAD);
    text.put_u8(kind);
    rest(text);
    let covered = text.len() - start - HEAD + more.len();
    text[start + 4..start + 8].copy_from_slice(&((covered + beyond) as u32).to_le_bytes());
    text[start + 8..start + HEAD].copy_from_slice(&(covered as u32).to_le_bytes());
    let mut check = crc32fast::Hasher::new();
    check.update(&text[start + 4..]);
    check.update(more);
    text[start..start + 4].copy_from_slice(&check.finalize().to_le_bytes());
}

/// Writes the record that begins a segment.
pub(crate) fn put_begin(text: &mut BytesMut, delivered: u64) {
    put(text, BEGIN, &[], 0, |text| {
        text.put_slice(MAGIC);
        text.put_u64_le(delivered);
    });
}

/// Writes that a recipient is served.
pub(crate) fn put_done(text: &mut BytesMut, id: QueueId, recipient: u16) {
    put(text, DONE, &[], 0, |text| {
        text.put_u64_le(id.0);
        text.put_u16_le(recipient);
    });
}

/// Writes that all recipients are served.
pub(crate) fn put_gone(text: &mut BytesMut, id: QueueId) {
    put(text, GONE, &[], 0, |text| text.put_u64_le(id.0));
}

/// Writes the head of a stored message; its header and its body are to follow as they are.
pub(crate) fn put_stored(text: &mut BytesMut, message: &Message, pending: &Pending, is_copy: bool) {
    let kind = if is_copy { COPIED } else { STORED };
    put(text, kind, &message.header, message.body.len(), |text| {
        text.put_u64_le(message.id.0);
        text.put_u16_le(message.recipients.len() as u16);
        let served = message.recipients.len() - pending.len();
        text.put_u16_le(served as u16);
        if served > 0 {
            (0..message.recipients.len() as u16)
                .filter(|n| !pending.contains(*n))
                .for_each(|n| text.put_u16_le(n));
        }
        put_envelope(text, message);
    });
}

fn put_envelope(text: &mut BytesMut, message: &Message) {
    text.put_u64_le(message.key.0);
    text.put_u64_le(message.arrived.as_nanos());
    text.put_u32_le(message.body_check);
    text.put_u16_le(message.received);
    text.put_u8(flags(message));
    put_address(text, message.reverse_path.0.as_ref());
    put_text(text, message.envid.as_deref());
    for recipient in &message.recipients {
        text.put_u8(notify_bits(recipient.notify));
        put_address(text, Some(&recipient.address));
        put_text(text, recipient.orcpt.as_deref());
    }
    text.put_u32_le(message.header.len() as u32);
}

fn flags(message: &Message) -> u8 {
    let origin = match message.origin {
        Origin::Peer => 0,
        Origin::Bounce => 1,
        Origin::Warning => 2,
    };
    u8::from(message.eight_bit) | u8::from(message.utf8) << 1 | u8::from(message.ret_full) << 2 | origin << 3
}

fn notify_bits(notify: Notify) -> u8 {
    let Notify { never, success, failure, delay } = notify;
    u8::from(never) | u8::from(success) << 1 | u8::from(failure) << 2 | u8::from(delay) << 3
}

fn put_address(text: &mut BytesMut, address: Option<&Address>) {
    let Some(address) = address else { return text.put_u16_le(NONE) };
    let (local, domain) = (address.local(), address.domain().as_str());
    text.put_u16_le((local.len() + 1 + domain.len()) as u16);
    text.put_slice(local.as_bytes());
    text.put_u8(b'@');
    text.put_slice(domain.as_bytes());
}

/// Longer texts than a command line can bring (RFC 5321 4.5.3.1.4) do not come here.
fn put_text(text: &mut BytesMut, value: Option<&str>) {
    match value {
        Some(value) if value.len() < usize::from(NONE) => {
            text.put_u16_le(value.len() as u16);
            text.put_slice(value.as_bytes());
        }
        _ => text.put_u16_le(NONE),
    }
}

/// Takes the next record off the front of a segment. `None` at its end, at a torn or damaged record, and at
/// anything that is no record; nothing is taken then.
pub(crate) fn take(segment: &mut Bytes) -> Option<Record> {
    let mut head = segment.get(..HEAD)?;
    let (check, length, covered) = (head.get_u32_le(), head.get_u32_le(), head.get_u32_le());
    let whole = segment.get(..HEAD.checked_add(length as usize)?)?;
    let checked = whole.get(4..HEAD.checked_add(covered as usize)?)?;
    if crc32fast::hash(checked) != check {
        return None;
    }
    let record = parse(segment.slice(HEAD..HEAD + length as usize), covered as usize)?;
    segment.advance(HEAD + length as usize);
    Some(record)
}

fn parse(mut payload: Bytes, covered: usize) -> Option<Record> {
    let beyond = payload.len() - covered;
    let kind = payload.try_get_u8().ok()?;
    let record = match kind {
        BEGIN => {
            let magic: [u8; 8] = payload.get(..8)?.try_into().ok()?;
            payload.advance(8);
            (magic == *MAGIC).then_some(())?;
            Record::Begin { delivered: payload.try_get_u64_le().ok()? }
        }
        DONE => Record::Done(QueueId(payload.try_get_u64_le().ok()?), payload.try_get_u16_le().ok()?),
        GONE => Record::Gone(QueueId(payload.try_get_u64_le().ok()?)),
        STORED | COPIED => return Some(Record::Stored(parse_stored(payload, beyond, kind == COPIED)?)),
        _ => return None,
    };
    (payload.is_empty() && beyond == 0).then_some(record)
}

fn parse_stored(mut payload: Bytes, beyond: usize, is_copy: bool) -> Option<Stored> {
    let id = QueueId(payload.try_get_u64_le().ok()?);
    let recipients = payload.try_get_u16_le().ok()?;
    let mut pending = Pending::all(recipients.into());
    for _ in 0..payload.try_get_u16_le().ok()? {
        pending.remove(payload.try_get_u16_le().ok()?).then_some(())?;
    }
    let stored = Stored { id, recipients, pending, is_copy, rest: payload };
    // The body is beyond the check of the record: hold it against its own.
    let body = stored.rest.get(stored.rest.len().checked_sub(beyond)?..)?;
    let body_check = stored.rest.get(16..20)?.try_into().ok().map(u32::from_le_bytes)?;
    (crc32fast::hash(body) == body_check).then_some(stored)
}

impl Stored {
    /// The whole message. `None` if it was not written by this version of the log.
    pub(crate) fn message(&self) -> Option<Message> {
        let mut rest = self.rest.clone();
        let key = MessageKey(rest.try_get_u64_le().ok()?);
        let arrived = Time::from_nanos(rest.try_get_u64_le().ok()?);
        let body_check = rest.try_get_u32_le().ok()?;
        let received = rest.try_get_u16_le().ok()?;
        let flags = rest.try_get_u8().ok()?;
        let reverse_path = ReversePath(take_address(&mut rest)?);
        let envid = take_text(&mut rest)?;
        let recipients = (0..self.recipients).map(|_| take_recipient(&mut rest)).collect::<Option<_>>()?;
        let header_len = rest.try_get_u32_le().ok()? as usize;
        let header = (header_len <= rest.len()).then(|| rest.split_to(header_len))?;
        Some(Message {
            id: self.id,
            key,
            reverse_path,
            recipients,
            header,
            body: rest,
            body_check,
            eight_bit: flags & 1 != 0,
            utf8: flags & 2 != 0,
            ret_full: flags & 4 != 0,
            origin: origin(flags >> 3)?,
            received,
            envid,
            arrived,
        })
    }
}

fn origin(bits: u8) -> Option<Origin> {
    [Origin::Peer, Origin::Bounce, Origin::Warning].get(usize::from(bits)).copied()
}

fn take_recipient(text: &mut Bytes) -> Option<Recipient> {
    let bits = text.try_get_u8().ok()?;
    let notify =
        Notify { never: bits & 1 != 0, success: bits & 2 != 0, failure: bits & 4 != 0, delay: bits & 8 != 0 };
    Some(Recipient { address: take_address(text)??, notify, orcpt: take_text(text)? })
}

/// The outer `None` is a broken record, the inner one the null address.
fn take_address(text: &mut Bytes) -> Option<Option<Address>> {
    match take_text(text)? {
        Some(address) => address.parse().ok().map(Some),
        None => Some(None),
    }
}

fn take_text(text: &mut Bytes) -> Option<Option<Box<str>>> {
    let len = text.try_get_u16_le().ok()?;
    if len == NONE {
        return Some(None);
    }
    let value = std::str::from_utf8(text.get(..usize::from(len))?).ok()?.into();
    text.advance(len.into());
    Some(Some(value))
}

#[cfg(test)]
mod tests;
