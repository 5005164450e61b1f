//! Commands, their order, and their bounds.

use super::*;

#[test]
fn a_session_begins_and_ends() {
    check_all(
        config(),
        Pass,
        "
        S: 220 mx.test ESMTP mxdrill
        C: EHLO client.test
        S: 250-mx.test
        S: 250-SIZE 10240000
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-CHUNKING
        S: 250-ENHANCEDSTATUSCODES
        S: 250-DSN
        S: 250 ETRN
        C: QUIT
        S: 221 2.0.0 Bye
        closed
    ",
    );
}

#[test]
fn extensions_are_offered_as_configured() {
    check_all(
        without(|offers| *offers = Extensions::NONE),
        Pass,
        "
        S: 220 mx.test ESMTP mxdrill
        C: EHLO client.test
        S: 250 mx.test
        C: NOOP
        S: 250 Ok
    ",
    );
    check_all(
        without(|offers| *offers = Extensions { size: Some(0), ..Extensions::NONE }),
        Pass,
        "
        S: 220 mx.test ESMTP mxdrill
        C: EHLO [192.0.2.9]
        S: 250-mx.test
        S: 250 SIZE 0
        C: HELO client.test
        S: 250 mx.test
    ",
    );
}

#[test]
fn commands_that_carry_no_mail() {
    check(
        "
        C: NOOP
        C: noop and more
        C: RSET
        C: HELP MAIL
        C: VRFY user
        C: Noop  \t
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
        S: 214 2.0.0 See RFC 5321
        S: 252 2.0.0 Cannot verify, but will take mail for it if it is ours
        S: 250 2.0.0 Ok
        C: ETRN @example.test
        flush example.test
        S: 250 Queuing started
        C: ETRN bad..name
        S: 501 5.5.4 Syntax error in the argument
        C: STARTTLS
        S: 502 5.5.1 Command not implemented
        C: EXPN list
        S: 502 5.5.1 Command not implemented
        C: MAKE IT SO
        S: 500 5.5.1 Unknown command
        C: QUIT now
        S: 501 5.5.4 Syntax error in the argument
    ",
    );
    check_with(
        without(|offers| (offers.starttls, offers.etrn) = (true, false)),
        false,
        Pass,
        "
        C: STARTTLS
        S: 454 4.7.0 TLS not available
        C: ETRN example.test
        S: 502 5.5.1 Command not implemented
    ",
    );
}

#[test]
fn the_order_of_commands_is_kept() {
    check_all(
        config(),
        Pass,
        "
        S: 220 mx.test ESMTP mxdrill
        C: MAIL FROM:<a@b.test>
        S: 503 5.5.1 EHLO or HELO first
        C: HELO client.test
        S: 250 mx.test
        C: RCPT TO:<a@b.test>
        S: 503 5.5.1 MAIL first
        C: DATA
        S: 503 5.5.1 MAIL first
        C: MAIL FROM:<a@b.test>
        mail <a@b.test>
        S: 250 2.1.0 Ok
        C: MAIL FROM:<a@b.test>
        S: 503 5.5.1 A transaction is open
        C: DATA
        S: 554 5.5.1 No valid recipients
        C: RCPT TO:<c@d.test>
        S: 250 2.1.5 Ok
        C: RSET
        S: 250 2.0.0 Ok
        C: RCPT TO:<c@d.test>
        S: 503 5.5.1 MAIL first
        C: MAIL FROM:<a@b.test>
        mail <a@b.test>
        S: 250 2.1.0 Ok
        C: HELO client.test
        S: 250 mx.test
        C: RCPT TO:<c@d.test>
        S: 503 5.5.1 MAIL first
    ",
    );
}

#[test]
fn a_bare_cr_or_lf_makes_no_command() {
    check(
        r"
        C- NOOP\n
        S: 500 5.5.2 Bare CR or LF in a command line
        C- NO\rOP\r\n
        S: 500 5.5.2 Bare CR or LF in a command line
        C- NOOP\r\r\nNOOP\r\n
        S: 500 5.5.2 Bare CR or LF in a command line
        S: 250 2.0.0 Ok
        C- NOOP\xff\r\n
        S: 500 5.5.1 Unknown command
        C- \r\n
        S: 500 5.5.1 Unknown command
    ",
    );
}

#[test]
fn a_line_that_is_too_long_is_refused_and_skipped() {
    let noop = |length: usize| format!("NOOP {}", "x".repeat(length - 7));
    for (length, reply) in
        [(512, "250 2.0.0 Ok"), (513, "500 5.5.2 Line too long"), (2048, "500 5.5.2 Line too long")]
    {
        check(&format!("C: {}\nS: {reply}\nC: NOOP\nS: 250 2.0.0 Ok", noop(length)));
    }
    // In pieces, and far beyond any bound.
    let mut bench = Bench::new(config(), false, Pass);
    bench.story.clear();
    for _ in 0..1000 {
        bench.bytes(&[b'x'; 999]);
    }
    assert!(bench.server.line.capacity() <= 4096, "what is too long is not kept");
    bench.bytes(b"\r\nNOOP\r\n");
    assert_eq!(bench.story, "S: 500 5.5.2 Line too long\nS: 250 2.0.0 Ok\n");
}

#[test]
fn too_many_errors_end_the_session() {
    let mut story = String::new();
    for _ in 0..20 {
        story.push_str("C: XYZZY\nS: 500 5.5.1 Unknown command\n");
    }
    check(&format!("{story}C: XYZZY\nS: 421 4.7.0 Too many errors, closing\nclosed"));
}

#[test]
fn an_idle_client_is_told_to_leave() {
    check(
        "
        + 299s
        C: NOOP
        S: 250 2.0.0 Ok
        + 299s
        + 1s
        S: 421 4.4.2 Idle too long, closing
        closed
    ",
    );
    check(
        "
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: DATA
        mail <a@b.test>
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        C: half a mess
        + 5m
        S: 421 4.4.2 Idle too long, closing
        closed
    ",
    );
}

#[test]
fn the_client_may_end_the_connection() {
    check("eof\nclosed");
    check("lost");
    check(
        r"
        C- NOOP\r\nNOO
        S: 250 2.0.0 Ok
        eof
        closed
    ",
    );
}
