//! Delivery status notifications (RFC 3464): a recipient was given up, or is late.

use std::{fmt::Write, sync::Arc};

use bytes::Bytes;
use mxdrill_net::{DomainName, Time};
use mxdrill_smtp::{Address, Enhanced, Recipient, Reply, ReversePath};

use crate::{Intake, Message, Origin, QueueId};

/// What a DSN says about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Which of the message's recipients.
    pub recipient: u16,
    /// The status code (RFC 3463).
    pub status: Enhanced,
    /// For people: why, on one line.
    pub text: Arc<str>,
    /// The host that was tried last, and spoke or was silent.
    pub remote: Option<DomainName>,
    /// What it said last.
    pub reply: Option<Arc<Reply>>,
}

/// Longer texts of a peer are cut (a line is at most 998 octets, RFC 5322 2.1.1).
const TEXT_LEN_MAX: usize = 900;

impl Intake {
    /// The DSN that tells the sender of a message that these recipients were given up. `None` if the
    /// reverse-path is null: nobody may be told (RFC 5321 4.5.5, 6.1).
    pub fn bounce(&mut self, now: Time, message: &Message, given_up: &[Undelivered]) -> Option<Message> {
        self.notify(now, message, given_up, Kind::Failed)
    }

    /// The DSN that tells the sender of a message that these recipients are late, and that the node tries on
    /// until `until`. `None` if the reverse-path is null.
    pub fn warning(
        &mut self,
        now: Time,
        message: &Message,
        late: &[Undelivered],
        until: Time,
    ) -> Option<Message> {
        self.notify(now, message, late, Kind::Delayed { until })
    }

    fn notify(&mut self, now: Time, about: &Message, what: &[Undelivered], kind: Kind) -> Option<Message> {
        let to = about.reverse_path.0.clone()?;
        let id = self.next_id(now);
        let content = Draft { id, now, about, what, kind, text: Vec::new() }.write(self, &to);
        let is_ascii = content.is_ascii();
        let made = Message::new(ReversePath::NULL, vec![Recipient::new(to)], &content);
        Some(Message {
            id,
            eight_bit: !is_ascii,
            utf8: about.utf8 && !is_ascii,
            origin: kind.origin(),
            arrived: now,
            ..made
        })
    }
}

/// Which DSN.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Failed,
    Delayed { until: Time },
}

impl Kind {
    fn origin(self) -> Origin {
        match self {
            Kind::Failed => Origin::Bounce,
            Kind::Delayed { .. } => Origin::Warning,
        }
    }

    /// Action (RFC 3464 2.3.3).
    fn action(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Delayed { .. } => "delayed",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Kind::Failed => "Undelivered mail returned to sender",
            Kind::Delayed { .. } => "Delayed mail, still being tried",
        }
    }

    fn prose(self) -> &'static str {
        match self {
            Kind::Failed => "Your message could not be delivered to the recipients below, and is given up.",
            Kind::Delayed { .. } => {
                "Your message could not yet be delivered to the recipients below.\r\n\
                 You need not send it again: it is kept, and tried again."
            }
        }
    }
}

/// A DSN being written.
struct Draft<'a> {
    id: QueueId,
    now: Time,
    about: &'a Message,
    what: &'a [Undelivered],
    kind: Kind,
    text: Vec<u8>,
}

/// Writes formatted text; writing to memory does not fail.
macro_rules! put {
    ($draft:expr, $($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = write!($draft.text, $($arg)*);
    }};
}

impl Draft<'_> {
    fn write(mut self, node: &mut Intake, to: &Address) -> Bytes {
        let boundary = self.boundary(&node.name);
        self.header(node, to, &boundary);
        self.prose(&node.name, &boundary);
        self.status(node, &boundary);
        self.returned(&boundary);
        put!(self, "\r\n--{boundary}--\r\n");
        self.text.into()
    }

    /// A line that occurs nowhere in what is returned (RFC 2046 5.1.1).
    fn boundary(&self, name: &DomainName) -> String {
        let mut boundary = format!("{}/{name}", self.id);
        let occurs = |text: &Bytes, boundary: &str| memchr::memmem::find(text, boundary.as_bytes()).is_some();
        while occurs(&self.about.header, &boundary) || occurs(&self.about.body, &boundary) {
            boundary.push('+');
        }
        // At most 70 characters (RFC 2046 5.1.1); the end of it is what tells it apart.
        boundary.split_off(boundary.len().saturating_sub(70))
    }

    fn header(&mut self, node: &mut Intake, to: &Address, boundary: &str) {
        let (id, name, kind) = (self.id, node.name.clone(), self.kind);
        put!(self, "From: Mail Delivery System <MAILER-DAEMON@{name}>\r\nTo: <{to}>\r\n");
        put!(self, "Subject: {}\r\nDate: {}\r\n", kind.subject(), node.dates.print(self.now));
        // RFC 3834 2: no responder answers this.
        put!(self, "Message-ID: <{id}.dsn@{name}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
        put!(
            self,
            "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n"
        );
        if !self.is_ascii() {
            put!(self, "Content-Transfer-Encoding: 8bit\r\n");
        }
        put!(self, "\r\n");
    }

    /// Whether every part of the DSN is: then it needs no 8BITMIME.
    fn is_ascii(&self) -> bool {
        let is_utf8 = |address: &Address| address.is_utf8();
        self.returned_text().iter().all(|text| text.is_ascii())
            && !self.what.iter().filter_map(|what| self.recipient(what)).any(|r| is_utf8(&r.address))
            && !self.about.reverse_path.0.as_ref().is_some_and(is_utf8)
    }

    fn recipient(&self, what: &Undelivered) -> Option<&Recipient> {
        self.about.recipients.get(usize::from(what.recipient))
    }

    /// The part for people.
    fn prose(&mut self, name: &DomainName, boundary: &str) {
        let charset = if self.is_ascii() { "us-ascii" } else { "utf-8" };
        put!(self, "--{boundary}\r\nContent-Type: text/plain; charset={charset}\r\n");
        self.transfer_encoding();
        put!(self, "\r\nThis is the mail system at {name}.\r\n\r\n{}\r\n\r\n", self.kind.prose());
        for what in self.what {
            if let Some(recipient) = self.about.recipients.get(usize::from(what.recipient)) {
                put!(self, "<{}>: {}\r\n", recipient.address, one_line(&what.text));
            }
        }
    }

    fn transfer_encoding(&mut self) {
        if !self.is_ascii() {
            put!(self, "Content-Transfer-Encoding: 8bit\r\n");
        }
    }

    /// The part for programs (RFC 3464 2.1).
    fn status(&mut self, node: &mut Intake, boundary: &str) {
        // Addresses beyond ASCII need the form of RFC 6533.
        let kind = if self.is_ascii() { "delivery-status" } else { "global-delivery-status" };
        put!(self, "\r\n--{boundary}\r\nContent-Type: message/{kind}\r\n");
        self.transfer_encoding();
        put!(self, "\r\nReporting-MTA: dns; {}\r\n", node.name);
        if let Some(envid) = self.about.envid.as_deref() {
            put!(self, "Original-Envelope-Id: {}\r\n", from_xtext(envid));
        }
        put!(self, "Arrival-Date: {}\r\n", node.dates.print(self.about.arrived));
        for what in self.what {
            self.recipient_status(node, what);
        }
    }

    /// The fields of one recipient (RFC 3464 2.3).
    fn recipient_status(&mut self, node: &mut Intake, what: &Undelivered) {
        let Some(recipient) = self.about.recipients.get(usize::from(what.recipient)) else { return };
        let kind = if recipient.address.is_utf8() { "utf-8" } else { "rfc822" };
        put!(self, "\r\nFinal-Recipient: {kind}; {}\r\n", recipient.address);
        if let Some((kind, address)) = recipient.orcpt.as_deref().and_then(|orcpt| orcpt.split_once(';')) {
            put!(self, "Original-Recipient: {}; {}\r\n", one_line(kind), from_xtext(address));
        }
        put!(self, "Action: {}\r\nStatus: {}\r\n", self.kind.action(), what.status);
        if let Some(remote) = &what.remote {
            put!(self, "Remote-MTA: dns; {remote}\r\n");
        }
        if let Some(reply) = &what.reply {
            put!(self, "Diagnostic-Code: smtp; {}\r\n", one_line(&reply.to_string()));
        }
        if let Kind::Delayed { until } = self.kind {
            put!(self, "Will-Retry-Until: {}\r\n", node.dates.print(until));
        }
    }

    /// The message, or its header section (RFC 3461 4.3: of a delayed one always the latter).
    fn returned(&mut self, boundary: &str) {
        let kind = match (self.is_whole(), self.about.utf8) {
            (true, false) => "message/rfc822",
            (true, true) => "message/global",
            (false, false) => "text/rfc822-headers",
            (false, true) => "message/global-headers",
        };
        put!(self, "\r\n--{boundary}\r\nContent-Type: {kind}\r\n");
        self.transfer_encoding();
        put!(self, "\r\n");
        for text in self.returned_text() {
            self.text.extend_from_slice(&text);
        }
    }

    fn is_whole(&self) -> bool {
        self.about.ret_full && matches!(self.kind, Kind::Failed)
    }

    fn returned_text(&self) -> [Bytes; 2] {
        if self.is_whole() {
            return [self.about.header.clone(), self.about.body.clone()];
        }
        let fields = self.about.header.len().saturating_sub(2);
        [self.about.header.slice(..fields), Bytes::new()]
    }
}

/// A peer's text, made fit to stand in a field: on one line, printable, ASCII, not too long.
fn one_line(text: &str) -> String {
    let fit = |c: char| match c {
        ' '..='~' => c,
        _ if c.is_ascii() => ' ',
        _ => '?',
    };
    text.chars().map(fit).take(TEXT_LEN_MAX).collect()
}

/// Decodes xtext (RFC 3461 4): `+3D` is `=`. What is no xtext, or hides anything but printable ASCII, stays as
/// it is, so that nobody writes fields of their own into a DSN.
fn from_xtext(text: &str) -> String {
    let mut parts = text.split('+');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(octet) = octet.filter(|octet| matches!(octet, b' '..=b'~')) else { return one_line(text) };
        // Writing to memory does not fail.
        let _ = write!(plain, "{}{}", char::from(octet), &part[2..]);
    }
    one_line(&plain)
}

#[cfg(test)]
mod tests;
