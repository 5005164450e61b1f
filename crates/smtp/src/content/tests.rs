//! The end of a message, and what only looks like it.

use super::*;
use proptest::prelude::*;

/// What becomes of octets sent after DATA: kept text, flaw, and how many octets were left behind the end.
fn read(wire: &[u8], pieces: usize) -> Option<(Vec<u8>, Option<Flaw>, usize)> {
    let mut content = Content::new(BytesMut::new(), 0, 1000);
    let mut at = 0;
    while at < wire.len() {
        let piece = &wire[at..wire.len().min(at + pieces)];
        let (taken, ended) = content.take_data(piece);
        at += taken;
        if ended {
            return Some((content.kept().to_vec(), content.flaw(), wire.len() - at));
        }
        assert_eq!(taken, piece.len(), "all is taken until the end");
    }
    None
}

/// The message must read the same however it is cut.
#[track_caller]
fn check(wire: &str, expected: Option<(&str, Option<Flaw>, usize)>) {
    for pieces in 1..=wire.len() {
        let found = read(wire.as_bytes(), pieces);
        let found =
            found.as_ref().map(|(kept, flaw, rest)| (std::str::from_utf8(kept).unwrap(), *flaw, *rest));
        assert_eq!(found, expected, "{wire:?} in pieces of {pieces}");
    }
}

#[track_caller]
fn check_whole(wire: &str, content: &str) {
    check(wire, Some((content, None, 0)));
}

/// The message goes on to the true end, and is refused.
#[track_caller]
fn check_bare(wire: &str) {
    let wire = format!("{wire}\r\n.\r\n");
    for pieces in 1..=wire.len() {
        let (_, flaw, rest) = read(wire.as_bytes(), pieces).expect("it ends");
        assert_eq!((flaw, rest), (Some(Flaw::Bare), 0), "{wire:?} in pieces of {pieces}");
    }
}

#[test]
fn a_message_ends_at_a_lone_dot() {
    check_whole(".\r\n", "");
    check_whole("\r\n.\r\n", "\r\n");
    check_whole("a\r\n.\r\n", "a\r\n");
    check("a\r\n.\r\nNOOP\r\n", Some(("a\r\n", None, 6)));
    check("a\r\n.\r", None);
    check("a\r\n.", None);
    check("a", None);
}

#[test]
fn a_stuffed_dot_is_taken_away() {
    check_whole("..\r\n.\r\n", ".\r\n");
    check_whole("..a\r\n...\r\na.\r\n.\r\n", ".a\r\n..\r\na.\r\n");
    check_whole(".a\r\n.\r\n", "a\r\n");
    check_whole("a\r\n.. \r\n.\r\n", "a\r\n. \r\n");
}

#[test]
fn no_other_spelling_ends_a_message() {
    for wire in [
        "a\n.\n",
        "a\n.\r\n",
        "a\r\n.\n",
        "a\r.\r",
        "a\n.\r",
        "a\r.\n",
        "a\r.\r\n",
        "a\r\n.\r\r\n",
        "a\r\n.\r\rb",
        "a\r\r\n.\r\n b",
        "a\n\n.\r\n",
        "\n.\r\n",
        ".\n",
        ".\r.\r\n",
        "..\n",
        "a\r\n\r.\r\n",
        "a\r\n.\r.",
        "a\0\n.\r\n",
    ] {
        let before_true_end = wire.strip_suffix("\r\n.\r\n").unwrap_or(wire);
        if wire == "a\r\r\n.\r\n b" {
            // The CRLF here is a true one: the message ends at its dot, and is refused for the CR before.
            check(wire, Some(("a\r\r\n", Some(Flaw::Bare), 2)));
        } else {
            check_bare(before_true_end);
        }
    }
}

#[test]
fn a_bare_octet_anywhere_is_a_flaw() {
    check_bare("\n");
    check_bare("\r");
    check_bare("a\nb");
    check_bare("a\rb");
    check_bare("a\r\r\nb");
    check_bare("a\r\n\nb");
    for at in [0, 1, 255, 256, 257, 511, 512] {
        let mut text = "x".repeat(600);
        text.replace_range(at..=at, "\n");
        let wire = format!("{text}\r\n.\r\n");
        assert_eq!(read(wire.as_bytes(), 4096).expect("it ends").1, Some(Flaw::Bare), "LF at {at}");
    }
}

#[test]
fn size_is_counted_without_stuffing_and_without_the_end() {
    let exactly = format!("..{}\r\n.\r\n", "x".repeat(997));
    assert_eq!(read(exactly.as_bytes(), 100).expect("it ends").1, None);
    let beyond = format!("{}\r\n.\r\nNOOP", "x".repeat(999));
    let (kept, flaw, rest) = read(beyond.as_bytes(), 100).expect("it ends");
    assert_eq!((flaw, rest), (Some(Flaw::TooLarge), 4));
    assert!(kept.len() <= 1000);
}

#[test]
fn a_chunk_is_taken_as_it_is() {
    let mut content = Content::new(BytesMut::new(), 0, 0);
    content.take_chunk(b".\r");
    content.take_chunk(b"\n..\r\n");
    assert_eq!((content.kept(), content.flaw(), content.size()), (&b".\r\n..\r\n"[..], None, 7));
    content.take_chunk(b"half");
    content.end_chunks();
    assert_eq!((content.kept(), content.flaw()), (&b".\r\n..\r\nhalf\r\n"[..], None));
    content.take_chunk(b"\n");
    assert_eq!(content.flaw(), Some(Flaw::Bare));
}

proptest! {
    /// What is stuffed comes out as it went in, however it is cut.
    #[test]
    fn unstuffing_undoes_stuffing(lines in prop::collection::vec("[.a]{0,3}", 0..8), cut in 1_usize..20) {
        let text: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
        let mut wire = Vec::new();
        stuff(text.as_bytes(), true, &mut wire);
        prop_assert_eq!(needs_stuffing(text.as_bytes(), true), wire.len() > text.len());
        wire.extend_from_slice(b".\r\n");
        prop_assert_eq!(read(&wire, cut), Some((text.into_bytes(), None, 0)));
    }

    /// The scan in bulk finds what the definition says.
    #[test]
    fn a_run_is_what_it_is_defined_as(text in "[\r\n.a]{0,8}[a]{200,300}[\r\n.a]{0,300}") {
        let text = text.as_bytes();
        let length = text.windows(2).position(|pair| pair == b"\n.").map_or(text.len(), |at| at + 1);
        let bare = text[..length].windows(2).any(|pair| (pair[0] == b'\r') != (pair[1] == b'\n'));
        prop_assert_eq!(scan::run(text), scan::Run { length, bare });
    }
}

proptest! {
    /// smtp-proto takes the same content off the wire, where it is right: it misses an end right behind DATA and
    /// a stuffed dot on the first line.
    #[test]
    fn smtp_proto_agrees(lines in prop::collection::vec("[.a]{0,3}", 0..8), cut in 1_usize..20) {
        let text: String = ["first"].into_iter().chain(lines.iter().map(String::as_str)).flat_map(|line| [line, "\r\n"]).collect();
        let mut wire = Vec::new();
        stuff(text.as_bytes(), true, &mut wire);
        wire.extend_from_slice(b".\r\n");
        let mut receiver = smtp_proto::request::receiver::DataReceiver::new();
        let mut theirs = Vec::new();
        let ended = wire.chunks(cut).any(|piece| receiver.ingest(&mut piece.iter(), &mut theirs));
        prop_assert!(ended);
        prop_assert_eq!(String::from_utf8_lossy(&theirs), text);
    }
}
