//! The messages of a send step, made one at a time: a million of them cost no more memory than one.

use std::{net::IpAddr, sync::Arc};

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
    form: Form,
    body: Bytes,
    eight_bit: bool,
    /// The recipients, where every message has the same.
    to: Option<Common>,
}

/// The recipients of every message of a batch.
#[derive(Debug)]
struct Common {
    recipients: Arc<[Recipient]>,
    addresses: Arc<[Address]>,
    /// As the header names them.
    text: String,
}

/// What the headers of a batch have in common, in its order.
#[derive(Debug)]
struct Form {
    /// Behind the number in the Message-ID.
    id: String,
    /// From behind the date to before the recipients.
    from: String,
    /// From behind the recipients to before the number in the subject.
    subject: &'static str,
    /// Behind that number.
    rest: &'static str,
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

/// Makes the messages of a batch, one after another: what does not change from one to the next is not made anew.
#[derive(Debug)]
pub(crate) struct Press {
    batch: Arc<Batch>,
    /// The second that the last date names, and its text.
    second: i64,
    date: String,
    /// Headers are written one behind the other and share this memory.
    chunk: BytesMut,
}

/// Octets of a chunk of headers.
const CHUNK: usize = 16 << 10;

impl Form {
    fn new(send: &Send, seed: u64) -> Form {
        let from = send.from.0.as_ref().map_or("drill@mxdrill.test".to_owned(), Address::to_string);
        let body = if let Content::Made { body, .. } = &send.content { *body } else { Body::SevenBit };
        Form {
            id: format!(".{seed}@mxdrill.test>"),
            from: format!("\r\nFrom: {from}\r\nTo: "),
            subject: match body {
                Body::Utf8 => "\r\nSubject: Übung ",
                Body::SevenBit | Body::EightBit | Body::Spam => "\r\nSubject: drill ",
            },
            rest: match body {
                Body::EightBit | Body::Utf8 => {
                    "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                     Content-Transfer-Encoding: 8bit\r\n\r\n"
                }
                Body::SevenBit | Body::Spam => "\r\n\r\n",
            },
        }
    }
}

impl Batch {
    /// The mail of `send`, numbered from `first` on.
    pub(crate) fn new(step: u32, first: u32, at: Time, send: Send, epoch: Epoch, seed: u64) -> Batch {
        let (body, form) = (body_of(&send.content), Form::new(&send, seed));
        let same = !matches!(send.to, To::Numbered { .. });
        let to = same.then(|| Common::of(&send));
        let eight_bit = !body.is_ascii();
        Batch { step, first, at, send, epoch, form, body, eight_bit, to }
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
}

impl Common {
    fn of(send: &Send) -> Common {
        let recipients = recipients(send, 0);
        Common { addresses: addresses(&recipients), text: listed(&recipients), recipients }
    }
}

impl Press {
    /// Makes the messages of `batch`.
    pub(crate) fn new(batch: Arc<Batch>) -> Press {
        Press { batch, second: i64::MIN, date: String::new(), chunk: BytesMut::new() }
    }

    /// What it makes the messages of.
    pub(crate) fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }

    /// Message `index` (from 0).
    pub(crate) fn parcel(&mut self, index: u32) -> Parcel {
        let batch = self.batch.clone();
        let number = batch.first + index;
        let to = batch.to.as_ref().map(|to| to.recipients.clone());
        let to = to.unwrap_or_else(|| recipients(&batch.send, index));
        let key = self.write_id(number);
        match &batch.send.content {
            Content::Made { .. } => self.write_made(number, index, &to),
            Content::File { bytes, .. } => self.chunk.put_slice(&bytes[..header_length(bytes)]),
        }
        let header = self.chunk.split().freeze();
        Parcel { batch, number, key, to, header }
    }

    /// Writes the id field, a Message-ID that no other message of the drill has, and says what it names.
    fn write_id(&mut self, number: u32) -> MessageKey {
        const NAME: &[u8] = b"Message-ID: ";
        if self.chunk.capacity() < CHUNK / 16 {
            self.chunk.reserve(CHUNK);
        }
        self.chunk.put_slice(NAME);
        self.chunk.put_u8(b'<');
        put_number(&mut self.chunk, number);
        self.chunk.put_slice(self.batch.form.id.as_bytes());
        let key = MessageKey::of_id(&self.chunk[NAME.len()..]);
        self.chunk.put_slice(b"\r\n");
        key
    }

    fn write_made(&mut self, number: u32, index: u32, to: &[Recipient]) {
        self.print_date(index);
        let Press { batch, date, chunk, .. } = self;
        let form = &batch.form;
        chunk.put_slice(b"Date: ");
        chunk.put_slice(date.as_bytes());
        chunk.put_slice(form.from.as_bytes());
        match &batch.to {
            Some(to) => chunk.put_slice(to.text.as_bytes()),
            None => chunk.put_slice(listed(to).as_bytes()),
        }
        chunk.put_slice(form.subject.as_bytes());
        put_number(chunk, number);
        chunk.put_slice(form.rest.as_bytes());
    }

    /// Prints the time at which a message is due as RFC 5322 3.3 writes it, unless the last one said the same.
    fn print_date(&mut self, index: u32) {
        let wall = self.batch.epoch.wall(self.batch.due(index));
        if self.second != wall.as_second() || self.date.is_empty() {
            self.second = wall.as_second();
            self.date = wall.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        }
    }
}

impl Parcel {
    /// What the drill records before anything of it is sent.
    pub(crate) fn sending(&self) -> Deed {
        let same = self.batch.to.as_ref().map(|to| to.addresses.clone());
        Deed::Sending {
            number: self.number,
            send: self.batch.step,
            key: self.key,
            from: self.batch.send.from.clone(),
            forged: self.batch.send.forged,
            to: same.unwrap_or_else(|| addresses(&self.to)),
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

fn addresses(recipients: &[Recipient]) -> Arc<[Address]> {
    recipients.iter().map(|recipient| recipient.address.clone()).collect()
}

/// Recipients as a header field lists them (RFC 5322 3.4), each on a line of its own.
fn listed(recipients: &[Recipient]) -> String {
    let texts: Vec<String> = recipients.iter().map(|recipient| recipient.address.to_string()).collect();
    texts.join(",\r\n ")
}

/// Writes a number in digits.
fn put_number(text: &mut BytesMut, number: u32) {
    let mut digits = [0; 10];
    let (mut at, mut left) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return text.put_slice(&digits[at..]);
        }
    }
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
