//! How sessions begin, end and fail.

use super::*;

#[test]
fn a_session_begins_and_ends() {
    check_all(
        config(),
        "
        S: 220-mx.test
        S: 220 ready
        C: EHLO client.test
        S: 250-mx.test hello
        S: 250-pipelining
        S: 250-X-UNKNOWN really
        S: 250 SIZE
        ready
        is ready?
        true
        quit
        C: QUIT
        S: 221 bye
        closed
        left
    ",
    );
}

#[test]
fn what_is_offered_is_read() {
    let offers = |hello: &str| *ready(config(), hello).client.offers();
    let all = "250-mx\r\n250-SIZE 77\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n\
        250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-STARTTLS\r\n250 ETRN\r\n";
    assert_eq!(offers(all), Extensions { size: Some(77), starttls: true, ..Extensions::USUAL });
    assert_eq!(offers("250 PIPELINING\r\n"), Extensions::NONE);
    assert_eq!(offers("250-mx\r\n250 SIZE much\r\n"), Extensions { size: Some(0), ..Extensions::NONE });
}

#[test]
fn helo_follows_a_refused_ehlo() {
    for code in [500, 502, 504, 550, 554] {
        let story = format!(
            "
            S: 220 mx.test
            C: EHLO client.test
            S: {code} no
            C: HELO client.test
            S: 250 mx.test
            ready
        "
        );
        check_all(config(), &story);
    }
    check_all(
        config(),
        "
        S: 220 mx.test
        C: EHLO client.test
        S: 502 no
        C: HELO client.test
        S: 550 no
        failed at ehlo 550
        C: QUIT
        closed
    "
        .replace(
            "failed at ehlo 550\n        C: QUIT\n        closed",
            "C: QUIT\n        closed\n        failed at ehlo 550",
        )
        .as_str(),
    );
}

#[test]
fn a_bad_greeting_fails_the_session() {
    for (greeting, failed) in [("554 no", "554"), ("450 not now", "450"), ("421 down", "421")] {
        let quit = if failed == "421" { "" } else { "C: QUIT\n" };
        check_all(config(), &format!("S: {greeting}\n{quit}closed\nfailed at greeting {failed}"));
    }
    for garbage in
        ["S: HTTP/1.1 400 Bad Request", "S: 354 go on", "S: 999 what", "S: 220-a\nS: 221 b", "S- 220 x\\n"]
    {
        check_all(config(), &format!("{garbage}\nclosed\nfailed at greeting garbled"));
    }
    check_all(config(), "eof\nclosed\nfailed at greeting lost");
    check_all(config(), "S- 220-half\neof\nclosed\nfailed at greeting lost");
    check_all(config(), "lost\nfailed at greeting lost");
    check_all(config(), "S: 220 mx.test\nC: EHLO client.test\nS: 421 down\nclosed\nfailed at ehlo 421");
    check_all(
        config(),
        "S: 220 mx.test\nC: EHLO client.test\nS: 450 later\nC: QUIT\nclosed\nfailed at ehlo 450",
    );
}

#[test]
fn an_idle_session_may_be_left_by_either_side() {
    check("S: 421 idle too long\nclosed\nleft");
    check("eof\nclosed\nleft");
    check("lost\nleft");
    check("+ 600m\nquit\nC: QUIT\neof\nclosed\nleft");
    check("S: 250 what for\nclosed\nfailed at mail garbled");
    check("quit\nC: QUIT\nS: 500 I do not know that\nclosed\nleft");
}

#[test]
fn quit_waits_for_the_letter_in_hand() {
    check(
        "
        send u
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<u@d.test>
        C: DATA
        quit
        is ready?
        false
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Subject: x
        C:
        C: text
        C: .
        S: 250 ok
        C: QUIT
        done: u acknowledged (250 ok)
        + 5m
        closed
        left
    ",
    );
    check_all(
        config(),
        "quit\nS: 220 mx.test\nC: EHLO client.test\nS: 250 mx.test\nC: QUIT\nready\nS: 221 bye\nclosed\nleft",
    );
}

/// Each timeout fires at its own time and not before, and is named.
#[test]
fn each_timeout_by_name() {
    let timeouts = Timeouts {
        connect: Duration::from_secs(1),
        greeting: Duration::from_secs(11),
        ehlo: Duration::from_secs(12),
        starttls: Duration::from_secs(13),
        mail: Duration::from_secs(14),
        rcpt: Duration::from_secs(15),
        data_init: Duration::from_secs(16),
        data_block: Duration::from_secs(17),
        dot: Duration::from_secs(18),
        rset: Duration::from_secs(19),
        quit: Duration::from_secs(20),
    };
    let config = ClientConfig { timeouts, pipelining: false, ..config() };
    let mut story = String::new();
    let mut check_end = |lines: &str, seconds: u64, failed: &str| {
        story.push_str(lines);
        let before = seconds - 1;
        check_all(config.clone(), &format!("{story}+ {before}s\n+ 999ms\n+ 1ms\n{failed}"));
    };
    check_end("", 11, "closed\nfailed at greeting timeout");
    check_end("S: 220 mx\nC: EHLO client.test\n", 12, "closed\nfailed at ehlo timeout");
    check_end(
        "S: 250-mx\nS: 250 SIZE\nready\nsend u\nC: MAIL FROM:<a@b.test> SIZE=20\n",
        14,
        "closed\nfailed at mail timeout: u untried",
    );
    check_end("S: 250 ok\nC: RCPT TO:<u@d.test>\n", 15, "closed\nfailed at rcpt timeout: u untried");
    check_end("S: 250 ok\nC: DATA\n", 16, "closed\nfailed at data timeout: u untried");
    check_end(
        "S: 354 go\nC: Subject: x\nC:\nC: text\nC: .\n",
        18,
        "closed\nfailed at dot timeout: u in doubt",
    );
    check_end("S: 250 ok\ndone: u acknowledged (250 ok)\nquit\nC: QUIT\n", 20, "closed\nleft");
    // RSET: the letter before was refused by all.
    check_all(
        config.clone(),
        "
        S: 220 mx
        C: EHLO client.test
        S: 250 mx
        ready
        send u
        C: MAIL FROM:<a@b.test>
        S: 250 ok
        C: RCPT TO:<u@d.test>
        S: 550 no
        done: u permanent at rcpt 550
        send u
        C: RSET
        + 18s
        + 1s
        closed
        failed at mail timeout: u untried
    ",
    );
    // Progress in writing: each block has its own time.
    let mut bench = ready(config, "250 mx\r\n");
    bench.send(paper("u big=400000"));
    for reply in ["250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
        bench.bytes(reply.as_bytes());
    }
    bench.pass(Duration::from_secs(16));
    bench.drained();
    bench.pass(Duration::from_secs(16));
    bench.story.clear();
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.story, "reset\nfailed at data timeout: u untried\n");
}
