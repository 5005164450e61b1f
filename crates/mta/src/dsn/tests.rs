//! Tests of DSNs: how they look, and that mail-parser understands them.

use mail_parser::{MessageParser, MimeHeaders};
use mxdrill_net::Time;
use mxdrill_smtp::{Address, Enhanced, Envelope, Received, Recipient, Reply, Ret, ReversePath};

use super::{Undelivered, from_xtext};
use crate::{
    Intake, Message, MessageKey, Origin,
    fixture::{intake, received},
};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn envelope() -> Envelope {
    let with_orcpt = Recipient {
        orcpt: Some("rfc822;User+2BX@example.test".into()),
        ..Recipient::new(address("user@example.test"))
    };
    Envelope {
        reverse_path: ReversePath(Some(address("alice@sender.test"))),
        recipients: vec![with_orcpt, Recipient::new(address("bob@example.test"))],
        envid: Some("QQ314159".into()),
        ..Envelope::default()
    }
}

fn message(intake: &mut Intake, envelope: Envelope, content: &'static str) -> Message {
    intake.receive(Time::from_secs(60), Received { envelope, ..received(content) })
}

const CONTENT: &str = "From: alice@sender.test\r\nMessage-ID: <1@sender.test>\r\n\r\nhello\r\n";

fn no_such_user(recipient: u16) -> Undelivered {
    let reply = Reply::new(550, Enhanced(5, 1, 1), "no such user");
    Undelivered {
        recipient,
        status: Enhanced(5, 1, 1),
        text: "mx1.example.test said: 550 5.1.1 no such user".into(),
        remote: Some("mx1.example.test".parse().unwrap()),
        reply: Some(reply.into()),
    }
}

fn silent(recipient: u16) -> Undelivered {
    Undelivered {
        recipient,
        status: Enhanced(4, 4, 1),
        text: "connection refused".into(),
        remote: None,
        reply: None,
    }
}

fn text(dsn: &Message) -> String {
    String::from_utf8([dsn.header.clone(), dsn.body.clone()].concat()).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_failure() {
    let mut intake = intake();
    let about = message(&mut intake, envelope(), CONTENT);
    let dsn = intake.bounce(Time::from_secs(120), &about, &[no_such_user(0), silent(1)]).unwrap();
    assert_eq!((dsn.origin, &dsn.reverse_path), (Origin::Bounce, &ReversePath::NULL));
    assert_eq!(dsn.recipients[..], [Recipient::new(address("alice@sender.test"))]);
    assert_eq!(dsn.arrived, Time::from_secs(120));
    insta::assert_snapshot!(text(&dsn), @r#"
    From: Mail Delivery System <MAILER-DAEMON@mx2.example.test>
    To: <alice@sender.test>
    Subject: Undelivered mail returned to sender
    Date: Tue, 1 Jan 2030 00:02:00 +0000
    Message-ID: <1BF08EB000.dsn@mx2.example.test>
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status;
    	boundary="1BF08EB000/mx2.example.test"

    --1BF08EB000/mx2.example.test
    Content-Type: text/plain; charset=us-ascii

    This is the mail system at mx2.example.test.

    Your message could not be delivered to the recipients below, and is given up.

    <user@example.test>: mx1.example.test said: 550 5.1.1 no such user
    <bob@example.test>: connection refused

    --1BF08EB000/mx2.example.test
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mx2.example.test
    Original-Envelope-Id: QQ314159
    Arrival-Date: Tue, 1 Jan 2030 00:01:00 +0000

    Final-Recipient: rfc822; user@example.test
    Original-Recipient: rfc822; User+X@example.test
    Action: failed
    Status: 5.1.1
    Remote-MTA: dns; mx1.example.test
    Diagnostic-Code: smtp; 550 5.1.1 no such user

    Final-Recipient: rfc822; bob@example.test
    Action: failed
    Status: 4.4.1

    --1BF08EB000/mx2.example.test
    Content-Type: text/rfc822-headers

    Received: from app.sender.test ([192.0.2.1])
    	by mx2.example.test with ESMTP id DF8475800;
    	Tue, 1 Jan 2030 00:01:00 +0000
    From: alice@sender.test
    Message-ID: <1@sender.test>

    --1BF08EB000/mx2.example.test--
    "#);
}

#[test]
fn a_delay_warning() {
    let mut intake = intake();
    let about = message(&mut intake, Envelope { ret: Some(Ret::Full), ..envelope() }, CONTENT);
    let dsn = intake.warning(Time::from_secs(120), &about, &[silent(1)], Time::from_secs(432_060)).unwrap();
    assert_eq!(dsn.origin, Origin::Warning);
    insta::assert_snapshot!(text(&dsn), @r#"
    From: Mail Delivery System <MAILER-DAEMON@mx2.example.test>
    To: <alice@sender.test>
    Subject: Delayed mail, still being tried
    Date: Tue, 1 Jan 2030 00:02:00 +0000
    Message-ID: <1BF08EB000.dsn@mx2.example.test>
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status;
    	boundary="1BF08EB000/mx2.example.test"

    --1BF08EB000/mx2.example.test
    Content-Type: text/plain; charset=us-ascii

    This is the mail system at mx2.example.test.

    Your message could not yet be delivered to the recipients below.
    You need not send it again: it is kept, and tried again.

    <bob@example.test>: connection refused

    --1BF08EB000/mx2.example.test
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mx2.example.test
    Original-Envelope-Id: QQ314159
    Arrival-Date: Tue, 1 Jan 2030 00:01:00 +0000

    Final-Recipient: rfc822; bob@example.test
    Action: delayed
    Status: 4.4.1
    Will-Retry-Until: Sun, 6 Jan 2030 00:01:00 +0000

    --1BF08EB000/mx2.example.test
    Content-Type: text/rfc822-headers

    Received: from app.sender.test ([192.0.2.1])
    	by mx2.example.test with ESMTP id DF8475800;
    	Tue, 1 Jan 2030 00:01:00 +0000
    From: alice@sender.test
    Message-ID: <1@sender.test>

    --1BF08EB000/mx2.example.test--
    "#);
}

#[test]
fn nobody_is_told_about_mail_from_nobody() {
    let mut intake = intake();
    let about = message(&mut intake, Envelope { reverse_path: ReversePath::NULL, ..envelope() }, CONTENT);
    assert_eq!(intake.bounce(Time::ZERO, &about, &[silent(0)]), None);
    assert_eq!(intake.warning(Time::ZERO, &about, &[silent(0)], Time::MAX), None);
    let about = message(&mut intake, envelope(), CONTENT);
    let dsn = intake.bounce(Time::ZERO, &about, &[silent(0)]).unwrap();
    assert_eq!(intake.bounce(Time::ZERO, &dsn, &[silent(0)]), None, "a bounce of a bounce");
}

#[test]
fn mail_parser_reads_it() {
    let mut intake = intake();
    let about = message(&mut intake, Envelope { ret: Some(Ret::Full), ..envelope() }, CONTENT);
    let dsn = intake.bounce(Time::from_secs(120), &about, &[no_such_user(0)]).unwrap();
    let content = [dsn.header.clone(), dsn.body.clone()].concat();
    let parsed = MessageParser::default().parse(&content).unwrap();
    let kind = parsed.content_type().unwrap();
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("report")));
    assert_eq!(kind.attribute("report-type"), Some("delivery-status"));
    assert!(parsed.body_text(0).unwrap().contains("<user@example.test>: mx1.example.test said: 550"));
    let kinds: Vec<_> = parsed.parts.iter().filter_map(|part| part.content_type()?.subtype()).collect();
    assert_eq!(kinds, ["report", "plain", "delivery-status", "rfc822"]);
    let status = std::str::from_utf8(parsed.parts[2].contents()).unwrap();
    assert!(status.contains("Action: failed\r\nStatus: 5.1.1\r\n"), "{status}");
    let returned = parsed.parts[3].message().expect("the message returned");
    assert_eq!(returned.message_id(), Some("1@sender.test"));
    assert_eq!(returned.body_text(0).unwrap().trim_end(), "hello");
    assert_eq!(MessageKey::of(returned.raw_message()), about.key);
}

#[test]
fn a_peer_cannot_write_fields_of_its_own() {
    let mut intake = intake();
    let mut envelope = envelope();
    envelope.envid = Some("a+0D+0AAction: delivered".into());
    envelope.recipients[0].orcpt = Some("rfc822;b+0D+0AAction: relayed".into());
    let about = message(&mut intake, envelope, CONTENT);
    let reply = Reply { text: "no\nAction: expanded\r\nß".into(), ..Reply::new(550, Enhanced(5, 0, 0), "") };
    let what = Undelivered { reply: Some(reply.into()), text: "a\r\n\r\n--\r\n".into(), ..no_such_user(0) };
    let dsn = intake.bounce(Time::ZERO, &about, &[what]).unwrap();
    let actions: Vec<_> = text(&dsn).lines().filter(|l| l.starts_with("Action")).map(str::to_owned).collect();
    assert_eq!(actions, ["Action: failed"]);
    assert!(dsn.body.is_ascii() && !dsn.eight_bit);
}

#[test]
fn xtext_is_decoded_where_it_is_harmless() {
    for (xtext, plain) in [
        ("a+3Db", "a=b"),
        ("+2B", "+"),
        ("", ""),
        ("a+0Ab", "a+0Ab"),
        ("a+", "a+"),
        ("+zz", "+zz"),
        ("+é", "+?"),
    ] {
        assert_eq!(from_xtext(xtext), plain);
    }
}

#[test]
fn addresses_beyond_ascii_take_the_form_of_rfc_6533() {
    let mut intake = intake();
    let recipients = vec![Recipient::new(address("jürgen@example.test"))];
    let about = message(&mut intake, Envelope { recipients, utf8: true, ..envelope() }, CONTENT);
    let dsn = intake.bounce(Time::ZERO, &about, &[no_such_user(0)]).unwrap();
    assert!(dsn.utf8 && dsn.eight_bit);
    assert!(text(&dsn).contains("Final-Recipient: utf-8; jürgen@example.test\n"));
    assert!(text(&dsn).contains("Content-Type: message/global-delivery-status\n"));
}

#[test]
fn the_boundary_is_not_in_what_is_returned() {
    let mut first = intake();
    let about = message(&mut first, envelope(), CONTENT);
    let guessed = first.bounce(Time::from_secs(120), &about, &[silent(0)]).unwrap();
    let content: &'static str = text(&guessed).replace('\n', "\r\n").leak();
    let mut again = intake();
    let about = message(&mut again, Envelope { ret: Some(Ret::Full), ..envelope() }, content);
    let dsn = again.bounce(Time::from_secs(120), &about, &[silent(0)]).unwrap();
    let content = [dsn.header.clone(), dsn.body.clone()].concat();
    let parsed = MessageParser::default().parse(&content).unwrap();
    assert_eq!(parsed.parts.len(), 4, "{}", text(&dsn));
}

#[test]
fn each_dsn_has_its_own_message_id() {
    let mut intake = intake();
    let about = message(&mut intake, envelope(), CONTENT);
    let keys: Vec<_> = (0..3).map(|_| intake.bounce(Time::ZERO, &about, &[silent(0)]).unwrap().key).collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}
