//! Parsing commands: RFC 5321 4.1.1 and 4.1.2 to the letter, without a copy.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Body, Command, CommandError, Domain, Mail, Path, Rcpt, usual, xtext};
use crate::{
    Notify, Ret,
    address::{dot_string_len, is_local_part},
};

impl<'a> Command<'a> {
    /// Parses a line without its CRLF. White space at its end is tolerated (4.1.1).
    pub fn parse(line: &'a [u8]) -> Result<Command<'a>, CommandError> {
        match usual::parse(line) {
            Some(command) => Ok(command),
            None => Command::parse_any(line),
        }
    }

    pub(super) fn parse_any(line: &'a [u8]) -> Result<Command<'a>, CommandError> {
        if memchr::memchr2(b'\r', b'\n', line).is_some() {
            return Err(CommandError::Bare);
        }
        let mut line = std::str::from_utf8(line).map_err(|_| CommandError::Unknown)?;
        while let Some(shorter) = line.strip_suffix(' ').or(line.strip_suffix('\t')) {
            line = shorter;
        }
        let (verb, argument) = match line.split_once(' ') {
            Some((verb, argument)) => (verb, Some(argument)),
            None => (line, None),
        };
        let mut upper = [0; 8];
        let upper = upper.get_mut(..verb.len()).ok_or(CommandError::Unknown)?;
        upper.copy_from_slice(verb.as_bytes());
        upper.make_ascii_uppercase();
        parse_verb(upper, argument)
    }
}

fn parse_verb<'a>(verb: &[u8], argument: Option<&'a str>) -> Result<Command<'a>, CommandError> {
    let alone = |command| if argument.is_none() { Ok(command) } else { Err(CommandError::Argument) };
    let needed = argument.ok_or(CommandError::Argument);
    match verb {
        b"MAIL" => parse_mail(needed?).map(Command::Mail),
        b"RCPT" => parse_rcpt(needed?).map(Command::Rcpt),
        b"DATA" => alone(Command::Data),
        b"BDAT" => parse_bdat(needed?),
        b"EHLO" => Ok(Command::Ehlo(parse_domain(needed?).ok_or(CommandError::Argument)?)),
        b"HELO" => Ok(Command::Helo(parse_domain(needed?).ok_or(CommandError::Argument)?)),
        b"RSET" => alone(Command::Rset),
        b"NOOP" => Ok(Command::Noop),
        b"QUIT" => alone(Command::Quit),
        b"HELP" => Ok(Command::Help),
        b"VRFY" => Ok(Command::Vrfy(needed?)),
        b"STARTTLS" => alone(Command::StartTls),
        // RFC 1985 5.1: `@` asks for subdomains too, `#` names a queue.
        b"ETRN" => Ok(Command::Etrn(needed?.trim_start_matches(['@', '#']))),
        b"EXPN" | b"TURN" | b"SEND" | b"SOML" | b"SAML" | b"AUTH" => Err(CommandError::NotImplemented),
        _ => Err(CommandError::Unknown),
    }
}

/// RFC 3030 2: `BDAT SP chunk-size [SP LAST]`.
fn parse_bdat(argument: &str) -> Result<Command<'_>, CommandError> {
    let (size, last) = match argument.split_once(' ') {
        Some((size, last)) if last.eq_ignore_ascii_case("LAST") => (size, true),
        Some(_) => return Err(CommandError::Argument),
        None => (argument, false),
    };
    Ok(Command::Bdat { size: parse_number(size).ok_or(CommandError::Argument)?, last })
}

fn parse_mail(argument: &str) -> Result<Mail<'_>, CommandError> {
    let rest = strip_word(argument, b"FROM:").ok_or(CommandError::Argument)?;
    let (from, rest) = match rest.strip_prefix("<>") {
        Some(rest) => (None, rest),
        None => parse_path(rest).map(|(path, rest)| (Some(path), rest)).ok_or(CommandError::Sender)?,
    };
    if from.is_some_and(|path| path.domain.is_none()) {
        return Err(CommandError::Sender);
    }
    let mut mail = Mail { from, ..Mail::default() };
    each_parameter(rest, |keyword, value| set_mail_parameter(&mut mail, keyword, value))?;
    Ok(mail)
}

fn set_mail_parameter<'a>(
    mail: &mut Mail<'a>,
    keyword: &str,
    value: Option<&'a str>,
) -> Result<(), CommandError> {
    let is = |word: &str| keyword.eq_ignore_ascii_case(word);
    if is("SIZE") {
        once(&mut mail.size, value.and_then(parse_number))
    } else if is("BODY") {
        once(&mut mail.body, value.and_then(parse_body))
    } else if is("SMTPUTF8") {
        let again = std::mem::replace(&mut mail.utf8, true);
        if again || value.is_some() { Err(CommandError::Value) } else { Ok(()) }
    } else if is("RET") {
        once(&mut mail.ret, value.and_then(parse_ret))
    } else if is("ENVID") {
        // RFC 3461 4.4: at most 100 octets.
        once(&mut mail.envid, value.filter(|text| xtext::is_valid(text, 100)))
    } else if is("AUTH") {
        // RFC 4954 5: a server that does not authenticate ignores it.
        if value.is_some() { Ok(()) } else { Err(CommandError::Value) }
    } else {
        Err(CommandError::Parameter)
    }
}

fn parse_rcpt(argument: &str) -> Result<Rcpt<'_>, CommandError> {
    let rest = strip_word(argument, b"TO:").ok_or(CommandError::Argument)?;
    let (to, rest) = parse_path(rest).ok_or(CommandError::Recipient)?;
    let mut rcpt = Rcpt { to, notify: None, orcpt: None };
    each_parameter(rest, |keyword, value| {
        if keyword.eq_ignore_ascii_case("NOTIFY") {
            once(&mut rcpt.notify, value.and_then(parse_notify))
        } else if keyword.eq_ignore_ascii_case("ORCPT") {
            once(&mut rcpt.orcpt, value.filter(|text| is_orcpt(text)))
        } else {
            Err(CommandError::Parameter)
        }
    })?;
    Ok(rcpt)
}

/// Sets a parameter that may come once, from a value that was understood.
fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), CommandError> {
    if slot.is_some() || value.is_none() {
        return Err(CommandError::Value);
    }
    *slot = value;
    Ok(())
}

/// Hands out ` keyword[=value]` one by one (4.1.2, esmtp-param).
fn each_parameter<'a>(
    mut rest: &'a str,
    mut set: impl FnMut(&'a str, Option<&'a str>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    while !rest.is_empty() {
        rest = rest.strip_prefix(' ').ok_or(CommandError::Argument)?;
        let end = rest.bytes().position(|b| b == b' ').unwrap_or(rest.len());
        let (keyword, value) = match rest.bytes().take(end).position(|b| b == b'=') {
            Some(at) => (&rest[..at], Some(&rest[at + 1..end])),
            None => (&rest[..end], None),
        };
        if keyword.is_empty() || !keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(CommandError::Argument);
        }
        if value.is_some_and(|value| value.is_empty() || value.bytes().any(|b| b.is_ascii_control())) {
            return Err(CommandError::Value);
        }
        set(keyword, value)?;
        rest = &rest[end..];
    }
    Ok(())
}

/// 1 to 20 digits (RFC 1870 4) that fit.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn parse_body(text: &str) -> Option<Body> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("7BIT") {
        Some(Body::SevenBit)
    } else if is("8BITMIME") {
        Some(Body::EightBitMime)
    } else if is("BINARYMIME") {
        Some(Body::BinaryMime)
    } else {
        None
    }
}

fn parse_ret(text: &str) -> Option<Ret> {
    if text.eq_ignore_ascii_case("FULL") {
        Some(Ret::Full)
    } else if text.eq_ignore_ascii_case("HDRS") {
        Some(Ret::Headers)
    } else {
        None
    }
}

/// RFC 3461 4.1: NEVER alone, or a list of the others.
fn parse_notify(text: &str) -> Option<Notify> {
    let mut notify = Notify { never: false, success: false, failure: false, delay: false };
    if text.eq_ignore_ascii_case("NEVER") {
        return Some(Notify { never: true, ..notify });
    }
    for word in text.split(',') {
        let bit = if word.eq_ignore_ascii_case("SUCCESS") {
            &mut notify.success
        } else if word.eq_ignore_ascii_case("FAILURE") {
            &mut notify.failure
        } else if word.eq_ignore_ascii_case("DELAY") {
            &mut notify.delay
        } else {
            return None;
        };
        *bit = true;
    }
    Some(notify)
}

/// RFC 3461 4.2: `addr-type;xtext`, at most 500 octets.
fn is_orcpt(text: &str) -> bool {
    let Some((kind, address)) = text.split_once(';') else { return false };
    let atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    atom && text.len() <= 500 && xtext::is_valid(address, 500)
}

/// `<` [source route `:`] local-part [`@` domain] `>`, and what follows (4.1.2). At most 256 octets
/// (4.5.3.1.3). Only the postmaster needs no domain (4.1.1.3).
fn parse_path(text: &str) -> Option<(Path<'_>, &str)> {
    let inner = strip_route(text.strip_prefix('<')?)?;
    let (local, rest) = inner.split_at(local_len(inner));
    if local.is_empty() {
        return None;
    }
    let (domain, rest) = match rest.strip_prefix('@') {
        Some(rest) => split_domain(rest).map(|(domain, rest)| (Some(domain), rest))?,
        None if local.eq_ignore_ascii_case("postmaster") => (None, rest),
        None => return None,
    };
    let rest = rest.strip_prefix('>')?;
    (text.len() - rest.len() <= 256).then_some((Path { local, domain }, rest))
}

/// Skips `@one,@two:` (4.1.2 A-d-l). It is ignored, as appendix C and F.2 ask.
fn strip_route(text: &str) -> Option<&str> {
    if !text.starts_with('@') {
        return Some(text);
    }
    let (route, rest) = text.split_once(':')?;
    let sound = route.split(',').all(|hop| hop.strip_prefix('@').is_some_and(is_domain_name));
    sound.then_some(rest)
}

/// Octets of the local part that `text` begins with; 0 if it begins with none.
fn local_len(text: &str) -> usize {
    if !text.starts_with('"') {
        let octets = dot_string_len(text.as_bytes());
        return if is_local_part(&text[..octets]) { octets } else { 0 };
    }
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' if is_local_part(&text[..=at]) => return at + 1,
            b'"' => return 0,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    0
}

/// The domain that `text` begins with, and what follows. A literal may contain anything printable but brackets.
fn split_domain(text: &str) -> Option<(Domain<'_>, &str)> {
    let end = if text.starts_with('[') { text.find(']')? + 1 } else { domain_name_len(text.as_bytes()) };
    let (domain, rest) = text.split_at(end);
    if end == 0 {
        return None;
    }
    if text.starts_with('[') {
        Some((parse_domain(domain)?, rest))
    } else {
        Some((Domain::Name(domain), rest))
    }
}

pub(super) fn parse_domain(text: &str) -> Option<Domain<'_>> {
    match text.strip_prefix('[') {
        Some(rest) => is_literal(rest.strip_suffix(']')?).then_some(Domain::Literal(text)),
        None => is_domain_name(text).then_some(Domain::Name(text)),
    }
}

/// RFC 5321 4.1.2, sub-domain: letters, digits and inner hyphens; UTF-8 (RFC 6531 3.3), and the underscore
/// that life has. No dot at the end.
fn is_domain_name(text: &str) -> bool {
    let octets = text.as_bytes();
    !text.is_empty() && domain_name_len(octets) == text.len() && (text.is_ascii() || has_no_space(text))
}

/// Octets of the domain name that `text` begins with; 0 if it begins with none, or with one that ends in a dot.
#[inline]
pub(super) fn domain_name_len(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let label = rest.iter().take_while(|octet| LABEL_OCTETS[usize::from(**octet)]).count();
        let hyphen = label > 0 && (rest[0] == b'-' || rest[label - 1] == b'-');
        end += label;
        match text.get(end) {
            _ if label == 0 || label > 63 || hyphen || end > 253 => return 0,
            Some(b'.') => end += 1,
            _ => return end,
        }
    }
}

static LABEL_OCTETS: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = matches!(octet as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | 0x80..);
        octet += 1;
    }
    table
};

#[cold]
fn has_no_space(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// RFC 5321 4.1.3: IPv4, `IPv6:` address, or a general literal `tag:content`.
fn is_literal(text: &str) -> bool {
    if text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    match text.split_once(':') {
        Some((tag, rest)) if tag.eq_ignore_ascii_case("IPv6") => rest.parse::<Ipv6Addr>().is_ok(),
        Some((tag, rest)) => {
            let ldh = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let content = rest.bytes().all(|b| matches!(b, b'!'..=b'Z' | b'^'..=b'~'));
            ldh && !tag.is_empty() && !tag.ends_with('-') && !rest.is_empty() && content
        }
        None => false,
    }
}

/// Takes a keyword in capitals off the front, whatever its case there.
fn strip_word<'a, const N: usize>(text: &'a str, word: &[u8; N]) -> Option<&'a str> {
    let head = text.as_bytes().first_chunk::<N>()?;
    let differ = head.iter().zip(word).fold(0, |any, (one, two)| any | (one.to_ascii_uppercase() ^ two));
    if differ == 0 { text.get(N..) } else { None }
}
