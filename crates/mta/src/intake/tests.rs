//! Tests of what a message looks like inside a node.

use bytes::Bytes;
use mxdrill_net::Time;
use mxdrill_smtp::{Envelope, Received, Ret, ReversePath};
use proptest::prelude::*;

use crate::{
    Message, MessageKey,
    fixture::{intake, received},
};

fn whole(message: &Message) -> Bytes {
    [message.header.clone(), message.body.clone()].concat().into()
}

fn check(content: &'static str, expected: &str) {
    let message = intake().receive(Time::from_secs(300), received(content));
    let text = String::from_utf8(whole(&message).to_vec()).unwrap();
    let trace = "Received: from app.sender.test ([192.0.2.1])\r\n\tby mx2.example.test with ESMTP id 45D964B800;\r\n\t\
                 Tue, 1 Jan 2030 00:05:00 +0000\r\n";
    assert_eq!(text.strip_prefix(trace), Some(expected), "{text}");
}

#[test]
fn the_trace_field_comes_on_top_and_nothing_else_is_touched() {
    check("Subject: x\r\n\r\nhello\r\n", "Subject: x\r\n\r\nhello\r\n");
    check("Received: y\r\nSubject: x\r\n\r\n", "Received: y\r\nSubject: x\r\n\r\n");
}

#[test]
fn content_without_an_empty_line_gets_one() {
    check("Subject: x\r\n", "Subject: x\r\n\r\n");
    check("hello\r\n", "\r\nhello\r\n");
    check("Subject: x\r\nhello\r\n", "Subject: x\r\n\r\nhello\r\n");
    check("\r\nhello\r\n", "\r\nhello\r\n");
    check("", "\r\n");
}

#[test]
fn final_delivery_says_the_return_path() {
    let mut intake = intake();
    let message = intake.receive_final(Time::ZERO, received("Subject: x\r\n\r\n"));
    assert!(message.header.starts_with(b"Return-Path: <alice@sender.test>\r\nReceived: from "));
    let null = Received { envelope: Envelope::default(), ..received("") };
    assert!(intake.receive_final(Time::ZERO, null).header.starts_with(b"Return-Path: <>\r\nReceived: from "));
}

#[test]
fn mail_parser_reads_the_trace_field() {
    let message = intake()
        .receive(Time::from_secs(300), Received { peer: "2001:db8::1".parse().unwrap(), ..received("") });
    let content = whole(&message);
    let parsed = mail_parser::MessageParser::default().parse(&content[..]).unwrap();
    let trace = parsed.received().expect("a Received field");
    assert_eq!(trace.from_ip(), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(trace.id(), Some("45D964B800"));
    assert_eq!(trace.date().map(|date| date.to_timestamp()), Some(1_893_456_300));
}

#[test]
fn the_envelope_comes_along() {
    let mut came = received("Received: y\r\n\r\n");
    came.envelope.eight_bit = true;
    came.envelope.envid = Some("QQ+2B1".into());
    came.envelope.ret = Some(Ret::Full);
    let message = intake().receive(Time::from_secs(7), came.clone());
    assert_eq!(message.reverse_path, came.envelope.reverse_path);
    assert_eq!(message.recipients[..], came.envelope.recipients[..]);
    assert_eq!((message.eight_bit, message.utf8, message.ret_full), (true, false, true));
    assert_eq!((message.envid.as_deref(), message.received), (Some("QQ+2B1"), 2));
    assert_eq!(message.arrived, Time::from_secs(7));
}

#[test]
fn messages_share_body_and_names_and_their_header_chunk() {
    let mut intake = intake();
    let mut take = |content: &'static str| intake.receive(Time::ZERO, received(content));
    let (a, b) = (take("Subject: a\r\n\r\nhello\r\n"), take("Subject: b\r\n\r\nhello\r\n"));
    assert_eq!(a.body.as_ptr(), b.body.as_ptr());
    let name = |m: &Message| m.recipients[0].address.domain().as_str().as_ptr();
    assert_eq!(name(&a), name(&b));
    assert_eq!(a.header.as_ptr_range().end, b.header.as_ptr_range().start);
    drop((a, b));
    intake.sweep();
    assert_eq!(intake.bodies(), 0);
}

#[test]
fn ids_differ_within_a_nanosecond_and_over_time() {
    let mut intake = intake();
    let mut id = |nanos| intake.receive(Time::from_nanos(nanos), received("")).id;
    let ids = [id(0), id(0), id(5), id(5), id(6), id(1_000)];
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z-]{1,12}: [ -~]{0,20}",
        "[ -~]{0,20}",
        "\t[ -~]{0,20}",
        Just(String::new()),
        "Message-ID: <[a-c]>"
    ]
}

proptest! {
    #[test]
    fn the_key_is_the_same_at_every_hop(lines in prop::collection::vec(line(), 0..8), end in "(\r\n)?") {
        // Content from SMTP ends in a line end.
        let content = Bytes::from(lines.join("\r\n") + "\r\n" + &end);
        let key = MessageKey::of(&content);
        let first = intake().receive(Time::ZERO, received(content.clone()));
        prop_assert_eq!(first.key, key);
        let second = intake().receive_final(Time::from_secs(9), received(whole(&first)));
        prop_assert_eq!(second.key, key);
        prop_assert_eq!(second.received, first.received + 1);
        prop_assert_eq!(MessageKey::of(&whole(&second)), key);
        prop_assert_eq!(Message::new(ReversePath::NULL, vec![], &content).key, key);
        prop_assert_eq!(first.body, second.body);
    }

    #[test]
    fn any_octets_are_taken(content: Vec<u8>) {
        let message = intake().receive(Time::ZERO, received(content.clone()));
        prop_assert_eq!(crc32fast::hash(&message.body), message.body_check);
        prop_assert!(message.header.ends_with(b"\r\n"));
    }
}

#[test]
fn without_a_message_id_header_and_body_count() {
    let keys =
        ["A: 1\r\n\r\nx\r\n", "A: 2\r\n\r\nx\r\n", "A: 1\r\n\r\ny\r\n"].map(|c| MessageKey::of(c.as_bytes()));
    assert!(keys[0] != keys[1] && keys[0] != keys[2]);
    let with_id = ["Message-ID: <1>\r\n\r\nx\r\n", "message-id:  <1>\r\nA: 1\r\n\r\ny\r\n"];
    assert_eq!(MessageKey::of(with_id[0].as_bytes()), MessageKey::of(with_id[1].as_bytes()));
}
