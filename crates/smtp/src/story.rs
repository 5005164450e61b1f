//! Dialogues as text, for tests: what goes in is replayed, what comes out is written beside it, and the whole
//! must be the story again.

use std::time::Duration;

use mxdrill_net::{Command, Commands, Conn, DomainName, Fact, Time};

use crate::{Enhanced, MailParameters, Policy, Received, Recipient, Reply, SessionView, Stage, Verdict};

/// The facts of a story: faults that bit, and notes of the policy.
#[derive(Debug)]
pub(crate) enum Note {
    Bit(u32),
    Said(String),
}

impl From<Fact> for Note {
    fn from(fact: Fact) -> Note {
        match fact {
            Fact::Bit(tag) => Note::Bit(tag.0),
            other => Note::Said(format!("{other:?}")),
        }
    }
}

/// Writes down what commands do: lines with `mark`, closes, notes.
pub(crate) fn tell(out: &mut Commands<Note>, mark: &str, story: &mut String) {
    let list = out.take();
    let mut text = Vec::new();
    for command in &list {
        match command {
            Command::Send(_, range) => {
                text.extend_from_slice(&out.text()[range.start as usize..range.end as usize])
            }
            Command::SendShared(_, bytes) => text.extend_from_slice(bytes),
            other => {
                tell_text(&std::mem::take(&mut text), mark, story);
                story.push_str(&match other {
                    Command::Close(_) => "closed\n".to_owned(),
                    Command::Reset(_) => "reset\n".to_owned(),
                    Command::Record(Note::Bit(tag)) => format!("bit {tag}\n"),
                    Command::Record(Note::Said(note)) => format!("{note}\n"),
                    _ => "something else\n".to_owned(),
                });
            }
        }
    }
    tell_text(&text, mark, story);
    out.clear(list);
}

fn tell_text(text: &[u8], mark: &str, story: &mut String) {
    for line in text.split_inclusive(|&b| b == b'\n') {
        let shown = |line: &[u8]| line.escape_ascii().to_string().replace("\\'", "'").replace("\\\"", "\"");
        match line.strip_suffix(b"\r\n") {
            Some(b"") => story.push_str(&format!("{mark}:\n")),
            Some(line) => story.push_str(&format!("{mark}: {}\n", shown(line))),
            None => story.push_str(&format!("{mark}- {}\n", show_edge_spaces(&shown(line)))),
        }
    }
}

/// Spaces at the edge of a line would be trimmed away.
fn show_edge_spaces(text: &str) -> String {
    let inner = text.trim_end_matches(' ');
    let start = inner.len() - inner.trim_start_matches(' ').len();
    let spaces = |count: usize| "\\x20".repeat(count);
    format!("{}{}{}", spaces(start), &inner[start..], spaces(text.len() - inner.len()))
}

/// `C: text` is a line, `C- text` is text without an end, with `\r`, `\n` and `\xNN` for octets.
pub(crate) fn octets(line: &str) -> Option<Vec<u8>> {
    let (mark, text) = (line.get(1..2)?, line.get(3..).unwrap_or_default());
    match mark {
        ":" => Some([text.as_bytes(), b"\r\n"].concat()),
        "-" => Some(unescape(text)),
        _ => None,
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('r')) => octets.push(b'\r'),
            ('\\', Some('n')) => octets.push(b'\n'),
            ('\\', Some('x')) => {
                let hex: String = chars.by_ref().take(2).collect();
                octets.push(u8::from_str_radix(&hex, 16).expect("two hex digits"));
            }
            ('\\', Some(other)) => octets.extend_from_slice(other.to_string().as_bytes()),
            (c, _) => octets.extend_from_slice(c.to_string().as_bytes()),
        }
    }
    octets
}

/// `5m`, `10s`, `250ms`.
pub(crate) fn span(text: &str) -> Duration {
    let number = |unit: &str| text.strip_suffix(unit).and_then(|n| n.parse::<u64>().ok());
    number("ms")
        .map(Duration::from_millis)
        .or_else(|| number("s").map(Duration::from_secs))
        .or_else(|| number("m").map(|minutes| Duration::from_secs(60 * minutes)))
        .expect("a number and ms, s or m")
}

/// The lines of a story, without indentation.
pub(crate) fn lines(story: &str) -> Vec<&str> {
    story.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A policy that takes everyone but a few, and says what it heard.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// The final dot is answered later.
    pub(crate) later: bool,
}

impl Policy<Note> for Desk {
    fn mail(
        &mut self,
        _now: Time,
        session: &SessionView<'_>,
        mail: &MailParameters,
        out: &mut Commands<Note>,
    ) -> Verdict {
        assert_eq!(session.from, Some(&mail.reverse_path));
        let mut heard = format!("mail {}", mail.reverse_path);
        let flags = [(mail.eight_bit, " 8bit"), (mail.utf8, " utf8"), (mail.ret.is_some(), " ret")];
        heard.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| *word));
        heard.extend(mail.envid.iter().map(|envid| format!(" envid={envid}")));
        out.record(Note::Said(heard));
        self.judge(mail.reverse_path.0.as_ref().map_or("", |address| address.local()))
    }

    fn rcpt(
        &mut self,
        _now: Time,
        session: &SessionView<'_>,
        recipient: &Recipient,
        _out: &mut Commands<Note>,
    ) -> Verdict {
        assert_eq!(session.recipient, Some(&recipient.address));
        self.judge(recipient.address.local())
    }

    fn dot(&mut self, _now: Time, _conn: Conn, received: Received, out: &mut Commands<Note>) -> Verdict {
        let to: Vec<String> =
            received.envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
        let content = received.content.escape_ascii();
        let with = received.protocol.word();
        let from = &received.envelope.reverse_path;
        out.record(Note::Said(format!("took {from} {} {with} \"{content}\"", to.join(" "))));
        if self.later { Verdict::Later } else { Verdict::Accept }
    }

    fn etrn(&mut self, _now: Time, domain: &DomainName, out: &mut Commands<Note>) -> Reply {
        out.record(Note::Said(format!("flush {domain}")));
        Reply::plain(250, "Queuing started")
    }

    fn turned_away(
        &mut self,
        _now: Time,
        stage: Stage,
        session: &SessionView<'_>,
        reply: &Reply,
        content: Option<&[u8]>,
        out: &mut Commands<Note>,
    ) {
        let who = session.recipient.map(|address| format!(" {address}")).unwrap_or_default();
        let content = content.map(|content| format!(" \"{}\"", content.escape_ascii())).unwrap_or_default();
        out.record(Note::Said(format!("away {stage} {}{who}{content}", reply.code.number())));
    }
}

impl Desk {
    fn judge(&self, local: &str) -> Verdict {
        match local {
            "later" => Verdict::Later,
            "unknown" => Verdict::Reply(Reply::new(550, Enhanced(5, 1, 1), "No such user")),
            "grey" => Verdict::Reply(Reply::new(451, Enhanced(4, 7, 1), "Come back")),
            _ => Verdict::Accept,
        }
    }
}
