//! The messages of a send step, made one at a time: a million of them cost no more memory than one.

use std::{io::Write, net::IpAddr, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use mxdrill_ledger::{Deed, Taken};
use mxdrill_mta::MessageKey;
use mxdrill_net::{Epoch, Time};
use mxdrill_smtp::{Address, Letter, Recipient, ReversePath};

use crate::scenario::{Body, Content, Send, To};

/// The string that content filters reject on purpose (GTUBE).
const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n";

/// The mail of one send step.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The number of the send step, counted from 0.
    pub(crate) step: u32,
    /// The number of its first message; the others follow.
    pub(crate) first: u32,
    /// When the step takes place.
    pub(crate) at: Time,
    /// What the scenario says.
    pub(crate) send: Send,
    epoch: Epoch,
    seed: u64,
    body: Bytes,
    eight_bit: bool,
    /// The recipients, where every message has the same.
    to: Option<Arc<[Recipient]>>,
}

/// One message, ready to be offered.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// The send it belongs to.
    batch: Arc<Batch>,
    /// Its number in the drill.
    number: u32,
    /// Its name across hosts.
    key: MessageKey,
    /// Its recipients.
    to: Arc<[Recipient]>,
    /// The header section through the empty line.
    header: Bytes,
}

impl Batch {
    /// The mail of `send`, numbered from `first` on.
    pub(crate) fn new(step: u32, first: u32, at: Time, send: Send, epoch: Epoch, seed: u64) -> Batch {
        let body = body_of(&send.content);
        let same = !matches!(send.to, To::Numbered { .. });
        let to = same.then(|| recipients(&send, 0));
        let eight_bit = !body.is_ascii();
        Batch { step, first, at, send, epoch, seed, body, eight_bit, to }
    }

    /// How many messages there are.
    pub(crate) fn count(&self) -> u32 {
        self.send.spacing.count()
    }

    /// What the drill records when the step begins.
    pub(crate) fn sends(&self) -> Deed {
        Deed::Sends {
            send: self.step,
            from: self.send.from.clone(),
            to: self.send.to.to_string().into(),
            count: self.count(),
            over: self.send.spacing.lasting(),
        }
    }

    /// When message `index` (from 0) is to start.
    pub(crate) fn due(&self, index: u32) -> Time {
        self.at + self.send.spacing.start(index)
    }

    /// Message `index` (from 0).
    pub(crate) fn parcel(batch: &Arc<Batch>, index: u32) -> Parcel {
        let number = batch.first + index;
        let to = batch.to.clone().unwrap_or_else(|| recipients(&batch.send, index));
        let header = batch.header(number, index, &to);
        Parcel { batch: batch.clone(), number, key: MessageKey::of(&header), to, header }
    }

    fn header(&self, number: u32, index: u32, to: &[Recipient]) -> Bytes {
        let mut header = BytesMut::with_capacity(320).writer();
        let written = match &self.send.content {
            Content::Made { body, .. } => self.write_made(&mut header, number, index, to, *body),
            Content::File { bytes, .. } => self.write_file(&mut header, number, bytes),
        };
        written.expect("memory takes every write");
        header.into_inner().freeze()
    }

    fn write_made(
        &self,
        header: &mut impl Write,
        number: u32,
        index: u32,
        to: &[Recipient],
        body: Body,
    ) -> std::io::Result<()> {
        self.write_id(header, number)?;
        let date = self.epoch.wall(self.due(index)).strftime("%a, %d %b %Y %H:%M:%S +0000");
        write!(header, "Date: {date}\r\nFrom: ")?;
        match &self.send.from.0 {
            Some(address) => write!(header, "{address}")?,
            None => write!(header, "drill@mxdrill.test")?,
        }
        write!(header, "\r\nTo: ")?;
        for (place, recipient) in to.iter().enumerate() {
            write!(header, "{}{}", if place == 0 { "" } else { ",\r\n " }, recipient.address)?;
        }
        let subject = if body == Body::Utf8 { "Übung" } else { "drill" };
        write!(header, "\r\nSubject: {subject} {number}\r\n")?;
        if matches!(body, Body::EightBit | Body::Utf8) {
            let mime = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
            write!(header, "{mime}Content-Transfer-Encoding: 8bit\r\n")?;
        }
        write!(header, "\r\n")
    }

    fn write_file(&self, header: &mut impl Write, number: u32, file: &[u8]) -> std::io::Result<()> {
        self.write_id(header, number)?;
        header.write_all(&file[..header_length(file)])
    }

    /// The id field: a Message-ID that no other message of the drill has.
    fn write_id(&self, header: &mut impl Write, number: u32) -> std::io::Result<()> {
        write!(header, "Message-ID: <{number}.{}@mxdrill.test>\r\n", self.seed)
    }
}

impl Parcel {
    /// What the drill records before anything of it is sent.
    pub(crate) fn sending(&self) -> Deed {
        Deed::Sending {
            number: self.number,
            send: self.batch.step,
            key: self.key,
            from: self.batch.send.from.clone(),
            forged: self.batch.send.forged,
            to: self.to.iter().map(|recipient| recipient.address.clone()).collect(),
            header: self.header.clone(),
            body: self.batch.body.clone(),
        }
    }

    /// Its number in the drill.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// What the drill records of one recipient (from 0), and whose word it is.
    pub(crate) fn sent(&self, recipient: usize, taken: Taken, by: Option<IpAddr>) -> Deed {
        let recipient = u16::try_from(recipient).unwrap_or(u16::MAX);
        Deed::Sent { number: self.number, recipient, taken, by }
    }
}

impl Letter for Parcel {
    fn reverse_path(&self) -> &ReversePath {
        &self.batch.send.from
    }

    fn recipients(&self) -> usize {
        self.to.len()
    }

    fn recipient(&self, index: usize) -> &Recipient {
        &self.to[index]
    }

    fn header(&self) -> &Bytes {
        &self.header
    }

    fn body(&self) -> &Bytes {
        &self.batch.body
    }

    fn eight_bit(&self) -> bool {
        self.batch.eight_bit
    }

    fn utf8(&self) -> bool {
        matches!(self.batch.send.content, Content::Made { body: Body::Utf8, .. })
    }
}

/// The Message-ID of a header section, unfolded (RFC 5322 3.6.4).
pub(crate) fn message_id(header: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(header);
    let mut lines = text
        .split("\r\n")
        .skip_while(|line| !line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:")));
    let mut id = lines.next()?.get(11..)?.trim().to_owned();
    lines.take_while(|line| line.starts_with([' ', '\t'])).for_each(|line| id.push_str(line.trim()));
    (!id.is_empty()).then_some(id)
}

fn recipients(send: &Send, index: u32) -> Arc<[Recipient]> {
    let recipient = |address: Address| Recipient { notify: send.notify, ..Recipient::new(address) };
    send.to.of(index).into_iter().map(recipient).collect()
}

fn body_of(content: &Content) -> Bytes {
    match content {
        Content::Made { body, size } => made(*body, *size),
        Content::File { bytes, .. } => bytes.slice(header_length(bytes)..),
    }
}

/// Where the body begins: after the first empty line, or at the end where there is none.
fn header_length(content: &[u8]) -> usize {
    content.windows(4).position(|four| four == b"\r\n\r\n").map_or(content.len(), |at| at + 4)
}

/// A body of so many octets, in lines that end in CRLF.
fn made(body: Body, size: u64) -> Bytes {
    let (first, line) = match body {
        Body::SevenBit => ("", "The quick brown fox jumps over the lazy dog while the primary is down.\r\n"),
        Body::EightBit | Body::Utf8 => {
            ("", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\r\n")
        }
        Body::Spam => (GTUBE, "Buy now, while the backup takes everything.\r\n"),
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(first.len());
    let mut text = BytesMut::with_capacity(size);
    text.put_slice(first.as_bytes());
    while size - text.len() >= line.len() {
        text.put_slice(line.as_bytes());
    }
    pad(&mut text, size);
    text.freeze()
}

/// Fills up to `size` with one last line; a single octet left over has no room for CRLF and is left out.
fn pad(text: &mut BytesMut, size: usize) {
    let left = size - text.len();
    if left >= 2 {
        text.put_bytes(b'-', left - 2);
        text.put_slice(b"\r\n");
    }
}
