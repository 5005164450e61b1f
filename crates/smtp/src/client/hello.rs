//! Reading the reply to EHLO (RFC 5321 4.1.1.1).

use crate::{Extensions, ReplyView, command::parse_number};

/// What the lines after the first offer. What is not known is skipped.
pub(super) fn parse(reply: &ReplyView<'_>) -> Extensions {
    let mut offers = Extensions::NONE;
    for line in reply.lines().skip(1) {
        let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default();
        if keyword.eq_ignore_ascii_case(b"SIZE") {
            // RFC 1870 3: without a number, or 0, no limit is told.
            let number = words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(parse_number);
            offers.size = Some(number.unwrap_or(0));
        } else if let Some(offered) = flag(&mut offers, keyword) {
            *offered = true;
        }
    }
    offers
}

fn flag<'a>(offers: &'a mut Extensions, keyword: &[u8]) -> Option<&'a mut bool> {
    let is = |word: &[u8]| keyword.eq_ignore_ascii_case(word);
    if is(b"PIPELINING") {
        Some(&mut offers.pipelining)
    } else if is(b"8BITMIME") {
        Some(&mut offers.eight_bit)
    } else if is(b"SMTPUTF8") {
        Some(&mut offers.utf8)
    } else if is(b"CHUNKING") {
        Some(&mut offers.chunking)
    } else if is(b"ENHANCEDSTATUSCODES") {
        Some(&mut offers.enhanced)
    } else if is(b"DSN") {
        Some(&mut offers.dsn)
    } else if is(b"STARTTLS") {
        Some(&mut offers.starttls)
    } else if is(b"ETRN") {
        Some(&mut offers.etrn)
    } else {
        None
    }
}
