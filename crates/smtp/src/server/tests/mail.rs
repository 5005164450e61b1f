//! Mail: transactions, pipelining, parameters, limits, chunks.

use super::*;

#[test]
fn a_message_in_lockstep_and_in_one_write() {
    check(
        "
        C: MAIL FROM:<alice@sender.test>
        mail <alice@sender.test>
        S: 250 2.1.0 Ok
        C: RCPT TO:<user@example.test>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: hello
        C:
        C: ..dots
        C: .
        took <alice@sender.test> user@example.test ESMTP \"Subject: hello\\r\\n\\r\\n.dots\\r\\n\"
        S: 250 2.0.0 Ok
    ",
    );
    check(
        "
        C: MAIL FROM:<>
        C: RCPT TO:<a@example.test>
        C: RCPT TO:<b@example.test>
        C: DATA
        C: x
        C: .
        C: MAIL FROM:<>
        C: RCPT TO:<c@example.test>
        C: DATA
        C: .
        C: QUIT
        mail <>
        took <> a@example.test b@example.test ESMTP \"x\\r\\n\"
        mail <>
        took <> c@example.test ESMTP \"\"
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        S: 250 2.0.0 Ok
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        S: 250 2.0.0 Ok
        S: 221 2.0.0 Bye
        closed
    ",
    );
}

#[test]
fn refusals_in_a_pipelined_group() {
    check(
        "
        C: MAIL FROM:<unknown@sender.test>
        C: RCPT TO:<a@example.test>
        C: DATA
        mail <unknown@sender.test>
        S: 550 5.1.1 No such user
        S: 503 5.5.1 MAIL first
        S: 503 5.5.1 MAIL first
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<unknown@example.test>
        C: RCPT TO:<grey@example.test>
        C: DATA
        mail <a@b.test>
        S: 250 2.1.0 Ok
        S: 550 5.1.1 No such user
        S: 451 4.7.1 Come back
        S: 554 5.5.1 No valid recipients
    ",
    );
    // What is pipelined behind a refused MAIL is no error of the client's, however much it is.
    let mut bench = Bench::new(config(), false, Pass);
    bench.bytes(b"EHLO client.test\r\nMAIL FROM:<unknown@b.test>\r\n");
    bench.story.clear();
    bench.bytes("RCPT TO:<a@b.test>\r\n".repeat(50).as_bytes());
    assert_eq!(bench.story, "S: 503 5.5.1 MAIL first\n".repeat(50));
}

#[test]
fn the_verdict_may_come_later() {
    check_with(
        config(),
        true,
        Pass,
        "
        C: MAIL FROM:<later@sender.test>
        C: RCPT TO:<later@example.test>
        C: DATA
        mail <later@sender.test>
        verdict 250 2.1.0 Sender taken
        S: 250 2.1.0 Sender taken
        verdict 250 2.1.5 Recipient taken
        S: 250 2.1.5 Recipient taken
        S: 354 End data with <CR><LF>.<CR><LF>
        C: x
        C: .
        C: NOOP
        took <later@sender.test> later@example.test ESMTP \"x\\r\\n\"
        + 60m
        C: NOOP
        verdict 250 2.0.0 Stored
        S: 250 2.0.0 Stored
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
        verdict 250 2.0.0 Again
    ",
    );
    check_with(
        config(),
        true,
        Pass,
        "
        C: MAIL FROM:<a@sender.test>
        C: RCPT TO:<later@example.test>
        C: DATA
        mail <a@sender.test>
        S: 250 2.1.0 Ok
        verdict 450 4.2.0 Not now
        S: 450 4.2.0 Not now
        S: 554 5.5.1 No valid recipients
    ",
    );
    check_with(
        config(),
        true,
        Pass,
        "
        C: MAIL FROM:<later@sender.test>
        mail <later@sender.test>
        verdict 421 4.3.2 Going down
        S: 421 4.3.2 Going down
        closed
    ",
    );
}

#[test]
fn the_client_may_leave_before_the_verdict() {
    let take = "
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: DATA
        C: x
        C: .
        C: QUIT
        mail <a@b.test>
        took <a@b.test> c@d.test ESMTP \"x\\r\\n\"
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
    ";
    check_with(
        config(),
        true,
        Pass,
        &format!(
            "{take}
        eof
        verdict 250 2.0.0 Stored
        S: 250 2.0.0 Stored
        S: 221 2.0.0 Bye
        closed
    "
        ),
    );
    check_with(config(), true, Pass, &format!("{take}\nlost\nverdict 250 2.0.0 Stored"));
}

#[test]
fn what_is_held_is_bounded() {
    let mut bench = Bench::new(ServerConfig { held_max: 100, ..config() }, false, Pass);
    bench.bytes(b"EHLO client.test\r\nMAIL FROM:<later@b.test>\r\n");
    bench.story.clear();
    bench.bytes(&[b'x'; 100]);
    assert_eq!(bench.story, "");
    bench.bytes(b"x");
    assert_eq!(bench.story, "S: 421 4.3.2 Too much input ahead of a reply, closing\nclosed\n");
}

#[test]
fn parameters_of_mail_and_rcpt() {
    check(
        "
        C: MAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2B1 AUTH=<>
        mail <a@b.test> 8bit utf8 ret envid=x+2B1
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@d.test
        S: 250 2.1.5 Ok
        C: RCPT TO:<c@d.test> FOO=BAR
        away rcpt 555 c@d.test
        S: 555 5.5.4 Parameter not known or not offered
        C: RCPT TO:<Postmaster>
        S: 250 2.1.5 Ok
        C: RCPT TO:<@one.test,@two.test:user@d.test>
        S: 250 2.1.5 Ok
        C: DATA
        C: .
        took <a@b.test> c@d.test Postmaster@mx.test user@d.test UTF8SMTP \"\"
        S: 354 End data with <CR><LF>.<CR><LF>
        S: 250 2.0.0 Ok
        C: MAIL FROM:<a@b.test> BODY=BINARYMIME
        away mail 555
        S: 555 5.5.4 Parameter not known or not offered
        C: MAIL FROM:<a@b.test> SIZE=10240001
        away mail 552
        S: 552 5.3.4 Message too large
        C: MAIL FROM:<\u{e9}@b.test>
        away mail 553
        S: 553 5.6.7 Address needs SMTPUTF8
        C: MAIL FROM:<a@[192.0.2.1]>
        away mail 553
        S: 553 5.1.8 Address literals are not served
        C: MAIL FROM:a@b.test
        away mail 501
        S: 501 5.1.7 Syntax error in the sender's address
        C: MAIL FROM: <a@b.test>
        away mail 501
        S: 501 5.1.7 Syntax error in the sender's address
    ",
    );
    let plain = "
        C: MAIL FROM:<a@b.test> SIZE=1
        away mail 555
        S: 555 Parameter not known or not offered
        C: MAIL FROM:<a@b.test> BODY=7BIT
        away mail 555
        S: 555 Parameter not known or not offered
        C: MAIL FROM:<a@b.test> SMTPUTF8
        away mail 555
        S: 555 Parameter not known or not offered
        C: MAIL FROM:<a@b.test> RET=FULL
        away mail 555
        S: 555 Parameter not known or not offered
        C: MAIL FROM:<a@b.test>
        mail <a@b.test>
        S: 250 Ok
        C: RCPT TO:<c@d.test> NOTIFY=NEVER
        away rcpt 555
        S: 555 Parameter not known or not offered
    ";
    check_with(without(|offers| *offers = Extensions::NONE), false, Pass, plain);
}

#[test]
fn limits_of_recipients_and_size() {
    let mut config = config();
    (config.recipients_max, config.extensions.size) = (1, Some(10));
    check_with(
        config,
        false,
        Pass,
        "
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: RCPT TO:<e@d.test>
        C: DATA
        mail <a@b.test>
        away rcpt 452 e@d.test
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 452 4.5.3 Too many recipients
        S: 354 End data with <CR><LF>.<CR><LF>
        C: 123456789
        C: .
        C: NOOP
        away dot 552 c@d.test \"123456789\\r\"
        S: 552 5.3.4 Message too large
        S: 250 2.0.0 Ok
    ",
    );
}

#[test]
fn a_bare_octet_in_a_message_refuses_it_after_its_true_end() {
    check(
        r#"
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: DATA
        mail <a@b.test>
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        C- x\n.\nMAIL FROM:<forged@b.test>\r\n
        C- .\r\nNOOP\r\n
        away dot 550 c@d.test "x\n.\nMAIL FROM:<forged@b.test>\r\n"
        S: 550 5.5.2 Bare CR or LF in the message
        S: 250 2.0.0 Ok
    "#,
    );
}

#[test]
fn chunks() {
    check(
        r#"
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: BDAT 5
        C- .\r\n\r\nBDAT 3\r\nend
        C: BDAT 0 LAST
        C: NOOP
        mail <a@b.test>
        took <a@b.test> c@d.test ESMTP ".\r\n\r\nend\r\n"
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 250 2.0.0 Ok, chunk taken
        S: 250 2.0.0 Ok, chunk taken
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
    "#,
    );
    check(
        r"
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<unknown@d.test>
        C: BDAT 7 LAST
        C: DATAx
        C: BDAT 6 LAST
        C: NOOP
        C: MAIL FROM:<a@b.test>
        mail <a@b.test>
        mail <a@b.test>
        S: 250 2.1.0 Ok
        S: 550 5.1.1 No such user
        S: 554 5.5.1 No valid recipients
        S: 503 5.5.1 MAIL first
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.test>
        C- BDAT 1\r\nx
        C: DATA
        C: RCPT TO:<c@d.test>
        S: 250 2.1.5 Ok
        S: 250 2.0.0 Ok, chunk taken
        S: 503 5.5.1 Bad sequence of commands
        S: 503 5.5.1 Bad sequence of commands
        C: BDAT 1 LIST
        S: 501 5.5.4 Syntax error in the argument
    ",
    );
}
