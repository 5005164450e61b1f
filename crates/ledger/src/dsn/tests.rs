//! DSNs as MTAs write them, and what is none.

use super::*;

/// A DSN with one recipient.
pub(crate) fn dsn(action: &str, message_id: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx2.example.test\r\nTo: alice@sender.test\r\nSubject: Undelivered\r\n\
         Message-ID: <dsn@mx2.example.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx2.example.test\r\n\r\n\
         Final-Recipient: rfc822; user@example.test\r\nAction: {action}\r\nStatus: 5.0.0\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n\
         Received: by mx2.example.test\r\nMessage-ID: {message_id}\r\nSubject: hello\r\n\r\nhello\r\n\r\n--b--\r\n"
    )
}

fn key(message_id: &str) -> MessageKey {
    MessageKey::of(format!("Message-ID: {message_id}\r\n\r\n").as_bytes())
}

#[test]
fn a_failure() {
    let report = read(dsn("failed", "<17@drill.test>").as_bytes()).expect("a DSN");
    assert!(report.is_failure() && !report.is_prose());
    assert_eq!(report.original, Some(key("<17@drill.test>")));
    assert_eq!(report.failed().map(ToString::to_string).collect::<Vec<_>>(), ["user@example.test"]);
}

#[test]
fn a_warning() {
    let report = read(dsn("delayed", "<17@drill.test>").as_bytes()).expect("a DSN");
    assert!(!report.is_failure());
    assert_eq!(report.recipients[0].0, Action::Delayed);
}

#[test]
fn prose_in_the_manner_of_qmail() {
    let text = "From: MAILER-DAEMON@mx2.example.test\r\nTo: alice@sender.test\r\nSubject: failure notice\r\n\r\n\
                Hi. This is the qmail-send program.\r\n<user@example.test>:\r\nno such user\r\n\r\n\
                --- Below this line is a copy of the message.\r\n\r\nMessage-ID: <17@drill.test>\r\n\r\nhello\r\n";
    let report = read(text.as_bytes()).expect("a bounce");
    assert!(report.is_failure() && report.is_prose());
    assert_eq!(report.original, Some(key("<17@drill.test>")));
}

#[test]
fn an_automatic_answer_is_no_dsn() {
    assert_eq!(read(b"From: a@sender.test\r\nSubject: away\r\n\r\nI am on holiday.\r\n"), None);
    assert_eq!(read(b""), None);
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn a_dsn_cut_off_anywhere_gives_an_answer(at in 0..600usize) {
        let text = dsn("failed", "<17@drill.test>");
        let _ = read(&text.as_bytes()[..at.min(text.len())]);
    }
}
