//! Tables of the reply grammar, its laws, and smtp-proto beside it.

use proptest::prelude::*;

use super::*;

/// A reply on the wire reads as code, enhanced code and text.
#[track_caller]
fn check(wire: &str, expected: (u16, Option<(u8, u16, u16)>, &str)) {
    let reply = Reply::parse(wire.as_bytes()).expect("a reply");
    let enhanced = reply.enhanced.map(|Enhanced(class, subject, detail)| (class, subject, detail));
    assert_eq!((reply.code.number(), enhanced, &*reply.text), expected, "{wire:?}");
}

#[track_caller]
fn check_error(error: ReplyError, wires: &[&str]) {
    for wire in wires {
        assert_eq!(Reply::parse(wire.as_bytes()), Err(error), "{wire:?}");
    }
}

#[test]
fn replies() {
    check("250 Ok\r\n", (250, None, "Ok"));
    check("250\r\n", (250, None, ""));
    check("250 \r\n", (250, None, ""));
    check("220-one\r\n220-\r\n220 three\r\n", (220, None, "one\n\nthree"));
    check("220-one\r\n220\r\n", (220, None, "one\n"));
    check("550 5.1.1 No such user\r\n", (550, Some((5, 1, 1)), "No such user"));
    check("550 5.7.510\r\n", (550, Some((5, 7, 510)), ""));
    check("550-5.1.1 No\r\n550-such\r\n550 5.1.1 user\r\n", (550, Some((5, 1, 1)), "No\nsuch\nuser"));
    check("250 \u{e9}\r\n", (250, None, "\u{e9}"));
    check("250 a\0b\rc\td\r\n", (250, None, "a b c\td"));
}

#[test]
fn an_enhanced_code_must_fit_the_code() {
    check("550 4.1.1 which\r\n", (550, None, "4.1.1 which"));
    check("354 3.0.0 go\r\n", (354, None, "3.0.0 go"));
    for text in [
        "5.1 x",
        "5.1.1.1 x",
        "5.1.01 x",
        "5.1.1234 x",
        "5..1 x",
        "5.1.a x",
        "5.1.1-x",
        "192.0.2.1 is listed",
    ] {
        check(&format!("550 {text}\r\n"), (550, None, text));
    }
}

#[test]
fn what_is_no_reply() {
    check_error(
        ReplyError::Line,
        &[
            "",
            "\r\n",
            "25\r\n",
            "25 Ok\r\n",
            "250Ok\r\n",
            "250_Ok\r\n",
            "250 Ok\n",
            "250 Ok\r",
            "250 Ok",
            "2a0 Ok\r\n",
            "150 x\r\n",
            "600 x\r\n",
            "999 x\r\n",
            "260 x\r\n",
            "250-a\r\n",
            "+OK\r\n",
            " 250 x\r\n",
            "250 a\r\n250 b\r\n",
            "250-a\nb\r\n",
        ],
    );
    check_error(ReplyError::Codes, &["250-a\r\n550 b\r\n", "250-a\r\n251-b\r\n250 c\r\n"]);
    let long = format!("250 {}\r\n", "x".repeat(17_000));
    check_error(ReplyError::TooLong, &[&long, &"250-x\r\n".repeat(3000)]);
    assert!(Reply::parse(b"250 \xff\xfe\r\n").expect("a reply").text.contains('\u{fffd}'));
}

#[test]
fn control_characters_cannot_be_smuggled_into_a_reply() {
    let mut wire = Vec::new();
    let text = "a\r\n250 fake\0".into();
    Reply { code: Code::new(550).expect("a code"), enhanced: None, text }.write(true, &mut wire);
    assert_eq!(String::from_utf8_lossy(&wire), "550-a \r\n550 250 fake \r\n");
}

#[test]
fn fixed_replies_are_written_as_any_other() {
    use fixed::Words;
    for fixed in [&fixed::OK, &fixed::GO_ON, &fixed::TOO_LARGE, &fixed::IDLE] {
        for enhanced in [true, false] {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            Words::write(fixed, enhanced, &mut one);
            Reply::write(fixed, enhanced, &mut two);
            assert_eq!(String::from_utf8_lossy(&one), String::from_utf8_lossy(&two));
        }
    }
}

prop_compose! {
    fn replies_of_any_kind()(
        first in prop::sample::select(vec![2_u16, 4, 5]),
        rest in 0_u16..60,
        enhanced in prop::option::of((0_u16..1000, 0_u16..1000)),
        // Without an enhanced code a text must not look as if it had one.
        text in "[ -/:-~é]{0,20}(\n[ -/:-~\t]{0,20}){0,3}",
    ) -> Reply {
        let enhanced = enhanced.map(|(subject, detail)| Enhanced(first as u8, subject, detail));
        Reply { code: Code::new(first * 100 + rest).expect("a code"), enhanced, text: text.into() }
    }
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut wire = Vec::new();
    reply.write(true, &mut wire);
    wire
}

proptest! {
    /// What is printed is understood as what it was.
    #[test]
    fn parse_undoes_print(reply in replies_of_any_kind()) {
        prop_assert_eq!(Reply::parse(&written(&reply)), Ok(reply));
    }

    /// However a stream of replies is cut, the same replies come out of it.
    #[test]
    fn cuts_do_not_matter(replies in prop::collection::vec(replies_of_any_kind(), 0..5), size in 1_usize..50) {
        let stream: Vec<u8> = replies.iter().flat_map(written).collect();
        let mut reader = ReplyReader::default();
        let mut found = Vec::new();
        for mut piece in stream.chunks(size) {
            while let Some(view) = reader.next(&mut piece).expect("sound replies") {
                found.push(view.to_reply());
            }
        }
        prop_assert_eq!(found, replies);
    }

    /// No octets upset it, and it keeps no more than its bound.
    #[test]
    fn any_octets(pieces in prop::collection::vec(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30),
        "250[ -][a-z]{0,5}(\r\n)?".prop_map(String::into_bytes),
    ], 0..20)) {
        let mut reader = ReplyReader::default();
        'reading: for piece in &pieces {
            let mut rest = &piece[..];
            loop {
                match reader.next(&mut rest) {
                    Ok(Some(view)) => prop_assert!(Reply::parse(view.wire()) == Ok(view.to_reply())),
                    Ok(None) => break,
                    Err(_) => break 'reading,
                }
            }
        }
    }

    /// smtp-proto agrees on code, enhanced code and text of single lines.
    #[test]
    fn smtp_proto_agrees(
        class in prop::sample::select(vec![2_u8, 4, 5]),
        rest in 0_u16..60,
        subject in 0_u16..256,
        detail in 0_u16..256,
        text in "[a-zA-Z]([a-z0-9 .:;<>@-]{0,20}[a-z])",
    ) {
        let code = Code::new(u16::from(class) * 100 + rest).expect("a code");
        let reply = Reply { code, enhanced: Some(Enhanced(class, subject, detail)), text: text.into() };
        let mut receiver = smtp_proto::response::parser::ResponseReceiver::default();
        let theirs = receiver.parse(&mut written(&reply).iter());
        let ours = reply.enhanced.map(|Enhanced(class, subject, detail)| [class, subject as u8, detail as u8]);
        match theirs {
            Ok(theirs) => {
                prop_assert_eq!(theirs.code, reply.code.number());
                prop_assert_eq!(Some(theirs.esc), ours);
                prop_assert_eq!(theirs.message, reply.text);
            }
            Err(error) => prop_assert!(false, "{reply}: {error:?}"),
        }
    }
}
