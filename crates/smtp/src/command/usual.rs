//! The command lines of nearly every message, read in one pass. Anything unusual is left to the whole grammar,
//! which would say the same of what is read here.

use super::{Command, Domain, Mail, Path, Rcpt, parse::domain_name_len};
use crate::address::dot_string_len;

/// `MAIL FROM:<dot-string@name>`, perhaps with SIZE, `RCPT TO:<dot-string@name>` or `DATA`, in capitals and ASCII.
pub(super) fn parse(line: &[u8]) -> Option<Command<'_>> {
    if let Some(rest) = line.strip_prefix(b"RCPT TO:<") {
        let (to, rest) = path(rest)?;
        return rest.is_empty().then_some(Command::Rcpt(Rcpt { to, notify: None, orcpt: None }));
    }
    if let Some(rest) = line.strip_prefix(b"MAIL FROM:<") {
        let (from, rest) = path(rest)?;
        let size = if rest.is_empty() { None } else { Some(number(rest.strip_prefix(b" SIZE=")?)?) };
        return Some(Command::Mail(Mail { from: Some(from), size, ..Mail::default() }));
    }
    (line == b"DATA").then_some(Command::Data)
}

fn path(text: &[u8]) -> Option<(Path<'_>, &[u8])> {
    let at = dot_string_len(text);
    let name = text[at..].strip_prefix(b"@").map_or(0, domain_name_len);
    let (path, rest) = text.split_at_checked(at + 1 + name)?;
    // A local part of at most 64 octets, a path of at most 256 with its brackets (RFC 5321 4.5.3.1).
    if at == 0 || at > 64 || name == 0 || path.len() > 254 {
        return None;
    }
    let (local, name) = std::str::from_utf8(path).ok()?.split_at_checked(at)?;
    let path = Path { local, domain: Some(Domain::Name(name.strip_prefix('@')?)) };
    Some((path, rest.strip_prefix(b">")?))
}

/// A size as a message may have.
fn number(digits: &[u8]) -> Option<u64> {
    let sound = (1..=12).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    sound.then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
