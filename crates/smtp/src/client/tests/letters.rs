//! What is said for a letter, and what becomes of it.

use super::*;

const GROUP: &str = "
    send u v
    C: MAIL FROM:<a@b.test> SIZE=20
    C: RCPT TO:<u@d.test>
    C: RCPT TO:<v@d.test>
    C: DATA
";

const CONTENT: &str = "
    C: Subject: x
    C:
    C: text
    C: .
";

/// A group of a letter to `u` and `v` at a server with PIPELINING, and what follows.
#[track_caller]
fn check_group(story: &str) {
    check(&format!("{GROUP}{}", story.replace("CONTENT", CONTENT)));
}

#[test]
fn a_letter_in_lockstep() {
    check_after(
        config(),
        "250 mx\r\n",
        "
        send u v
        C: MAIL FROM:<a@b.test>
        S: 250 ok
        C: RCPT TO:<u@d.test>
        S: 250 ok
        C: RCPT TO:<v@d.test>
        S: 550 5.1.1 no such user
        C: DATA
        S: 354 go
        C: Subject: x
        C:
        C: text
        C: .
        is ready?
        false
        S: 250 2.0.0 kept
        done: u acknowledged (250 2.0.0 kept), v permanent at rcpt 550
        send u
        C: MAIL FROM:<a@b.test>
        S: 451 not now
        done: u temporary at mail 451
        send u
        C: MAIL FROM:<a@b.test>
        S: 250 ok
        C: RCPT TO:<u@d.test>
        S: 250 ok
        C: DATA
        S: 451 not now
        done: u temporary at data 451
        send u
        C: RSET
        S: 250 ok
        C: MAIL FROM:<a@b.test>
    ",
    );
}

#[test]
fn a_letter_in_one_write() {
    check_group(
        "
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        CONTENT
        S: 452 full
        done: u temporary at dot 452, v temporary at dot 452
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
    ",
    );
}

#[test]
fn rejections_in_a_pipelined_group() {
    // RFC 2920 3.1: everyone refused, DATA too.
    check_group(
        "
        S: 250 ok
        S: 550 no
        S: 450 later
        S: 554 no valid recipients
        done: u permanent at rcpt 550, v temporary at rcpt 450
        send w
        C: RSET
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
        S: 250 ok
    ",
    );
    // Everyone refused, DATA not: a lone dot.
    check_group(
        "
        S: 250 ok
        S: 550 no
        S: 550 no
        S: 354 go
        C: .
        is ready?
        false
        S: 554 nothing to do
        done: u permanent at rcpt 550, v permanent at rcpt 550
        is ready?
        true
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
    ",
    );
    // MAIL refused: what follows says nothing new, even from a server that contradicts itself.
    check_group(
        "
        S: 550 no
        S: 503 what for
        S: 250 well then
        S: 354 go
        C: .
        S: 250 took nothing
        done: u permanent at mail 550, v permanent at mail 550
    ",
    );
    check_group(
        "
        S: 552 too large
        S: 503 no
        S: 503 no
        S: 503 no
        done: u permanent at mail 552, v permanent at mail 552
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
    ",
    );
}

#[test]
fn the_next_letter_follows_the_dot() {
    check_group(
        "
        is ready?
        false
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        CONTENT
        is ready?
        true
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
        is ready?
        false
        S: 250 first
        S: 250 ok
        done: u acknowledged (250 first), v acknowledged (250 first)
        S: 250 ok
        S: 354 go
        CONTENT
        S: 250 second
        done: w acknowledged (250 second)
    ",
    );
    check_group(
        "
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        CONTENT
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
        lost
        failed at dot lost: u in doubt, v in doubt, one ahead
    ",
    );
    check_group(
        "
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        CONTENT
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
        + 9m
        + 1m
        closed
        failed at dot timeout: u in doubt, v in doubt, one ahead
    ",
    );
    check_group(
        "
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        CONTENT
        send w
        C: MAIL FROM:<a@b.test> SIZE=20
        C: RCPT TO:<w@d.test>
        C: DATA
        S: 421 going down
        closed
        done: u temporary at dot 421, v temporary at dot 421
        failed at dot 421: w untried
    ",
    );
}

#[test]
fn a_lost_link_leaves_doubt_only_behind_the_dot() {
    check_group("lost\nfailed at mail lost: u untried, v untried");
    check_group("S: 250 ok\nS: 550 no\neof\nclosed\nfailed at rcpt lost: u permanent at rcpt 550, v untried");
    check_group(
        "
        S: 250 ok
        S: 550 no
        S: 250 ok
        lost
        failed at data lost: u permanent at rcpt 550, v untried
    ",
    );
    check_group(
        "
        S: 250 ok
        S: 550 no
        S: 250 ok
        S: 354 go
        CONTENT
        lost
        failed at dot lost: u permanent at rcpt 550, v in doubt
    ",
    );
    for garbage in ["S: 354 again", "S: what", "S: 250-a\nS: 550 b"] {
        check_group(&format!(
            "
            S: 250 ok
            S: 550 no
            S: 250 ok
            S: 354 go
            CONTENT
            {garbage}
            closed
            failed at dot garbled: u permanent at rcpt 550, v in doubt
        "
        ));
    }
}

#[test]
fn a_421_is_accounted_for_and_ends_the_session() {
    check_group("S: 421 down\nclosed\nfailed at mail 421: u temporary at mail 421, v temporary at mail 421");
    check_group("S: 250 ok\nS: 421 down\nclosed\nfailed at rcpt 421: u temporary at rcpt 421, v untried");
    check_group(
        "
        S: 250 ok
        S: 250 ok
        S: 550 no
        S: 421 down
        closed
        failed at data 421: u temporary at data 421, v permanent at rcpt 550
    ",
    );
    check_group(
        "
        S: 250 ok
        S: 250 ok
        S: 550 no
        S: 354 go
        CONTENT
        S: 421 down
        closed
        done: u temporary at dot 421, v permanent at rcpt 550
        failed at dot 421
    ",
    );
}

#[test]
fn no_answer_that_does_not_fit_the_question() {
    check_group("S: 354 go\nclosed\nfailed at mail garbled: u untried, v untried");
    check_group("S: 250 ok\nS: 354 go\nclosed\nfailed at rcpt garbled: u untried, v untried");
    check_group(
        "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\nclosed\nfailed at data garbled: u untried, v untried",
    );
    check_group("S: 250 ok\nS- 25\\r\\n\nclosed\nfailed at rcpt garbled: u untried, v untried");
}

#[test]
fn what_goes_out_as_it_is_asks_for_nothing() {
    let as_is = AsIs { eight_bit: true, utf8: true, size: true };
    check_after(
        ClientConfig { as_is, ..config() },
        "250-mx\r\n250 SIZE 19\r\n",
        "
        send u is=8bit is=utf8
        C: MAIL FROM:<a@b.test> SIZE=20
    ",
    );
}

#[test]
fn what_the_server_lacks_is_not_asked_for() {
    check_after(
        config(),
        "250-mx\r\n250 SIZE 19\r\n",
        "
        send u is=8bit
        done: u lacks 8BITMIME
        send u is=utf8
        done: u lacks SMTPUTF8
        send \u{fc}
        done: \u{fc} lacks SMTPUTF8
        send u
        done: u lacks SIZE
        is ready?
        true
    ",
    );
    check_after(
        config(),
        "250-mx\r\n250-SIZE 20\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n",
        "
        send u is=8bit is=utf8 is=dsn is=null
        C: MAIL FROM:<> SIZE=20 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id+2B7
    ",
    );
    check_after(config(), "250 mx\r\n", "send u is=dsn\nC: MAIL FROM:<a@b.test>");
}

#[test]
fn dsn_wishes_of_recipients() {
    let mut letter = paper("u");
    letter.to[0].notify = crate::Notify { never: true, success: false, failure: false, delay: false };
    letter.to[0].orcpt = Some("rfc822;u@d.test".into());
    let mut bench = ready(config(), "250-mx\r\n250-PIPELINING\r\n250 DSN\r\n");
    bench.send(letter);
    assert_eq!(
        bench.story,
        "C: MAIL FROM:<a@b.test>\nC: RCPT TO:<u@d.test> NOTIFY=NEVER ORCPT=rfc822;u@d.test\nC: DATA\n"
    );
}

#[test]
fn dots_are_stuffed_and_lines_ended() {
    #[track_caller]
    fn check_content(body: &str, sent: &str) {
        check(&format!(
            "
            send u body={body}
            C: MAIL FROM:<a@b.test> SIZE={}
            C: RCPT TO:<u@d.test>
            C: DATA
            S: 250 ok
            S: 250 ok
            S: 354 go
            C: Subject: x
            C:
            {sent}
            C: .
        ",
            14 + body.replace("\\r", "r").replace("\\n", "n").len()
        ));
    }
    check_content("x.\\r\\n", "C: x.");
    check_content(".\\r\\n", "C: ..");
    check_content("..\\r\\nx\\r\\n.y\\r\\n", "C: ...\nC: x\nC: ..y");
    check_content("x", "C: x");
    check_content("x\\n.\\n", "C- x\\n\nC- ..\\n");
}

#[test]
fn a_letter_in_a_chunk() {
    let chunking = ClientConfig { chunking: true, ..config() };
    let hello = "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
    check_after(
        chunking.clone(),
        hello,
        "
        send u v body=.x
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<u@d.test>
        C: RCPT TO:<v@d.test>
        S: 250 ok
        S: 550 no
        S: 250 ok
        C: BDAT 16 LAST
        C: Subject: x
        C:
        C- .x
        send w
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<w@d.test>
        S: 250 kept
        S: 250 ok
        S: 550 no
        done: u permanent at rcpt 550, v acknowledged (250 kept)
        done: w permanent at rcpt 550
        send w
        C: RSET
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<w@d.test>
    ",
    );
    check_after(
        ClientConfig { pipelining: false, ..chunking },
        hello,
        "
        send u
        C: MAIL FROM:<a@b.test>
        S: 250 ok
        C: RCPT TO:<u@d.test>
        S: 250 ok
        C: BDAT 20 LAST
        C: Subject: x
        C:
        C: text
        lost
        failed at dot lost: u in doubt
    ",
    );
}

#[test]
fn a_large_letter_goes_out_in_blocks() {
    let mut bench = ready(config(), PIPELINING);
    bench.send(paper("u big=300000"));
    bench.bytes(b"250 ok\r\n250 ok\r\n");
    let octets = |bench: &mut Bench| std::mem::take(&mut bench.story).len();
    octets(&mut bench);
    bench.bytes(b"354 go\r\n");
    assert!((128 * 1024..129 * 1024).contains(&octets(&mut bench)));
    assert!(!bench.client.is_ready());
    bench.drained();
    assert!((128 * 1024..129 * 1024).contains(&octets(&mut bench)));
    // Lost before the last block was handed over: nobody can have the message.
    bench.closed(Closed::Reset);
    assert_eq!(bench.story, "failed at data lost: u untried\n");

    let mut bench = ready(config(), PIPELINING);
    bench.send(paper("u big=200000"));
    bench.bytes(b"250 ok\r\n250 ok\r\n354 go\r\n");
    bench.drained();
    assert!(bench.story.ends_with("x\nC: .\n"), "the last block has the dot");
    assert!(bench.client.is_ready());
    bench.drained();
    bench.story.clear();
    bench.closed(Closed::Reset);
    assert_eq!(bench.story, "failed at dot lost: u in doubt\n");

    // The server speaks before the end: its refusal counts, and the rest is not sent.
    let mut bench = ready(config(), PIPELINING);
    bench.send(paper("u big=300000"));
    bench.bytes(b"250 ok\r\n250 ok\r\n354 go\r\n");
    bench.story.clear();
    bench.bytes(b"552 too large\r\n");
    assert_eq!(bench.story, "reset\nfailed at data 552: u permanent at data 552\n");
}

#[test]
fn content_without_dots_is_not_copied() {
    let letter = paper("u");
    let mut client: Client<Paper> = Client::open(Time::ZERO, Conn(7), Arc::new(config()));
    let mut out: Commands<Note> = Commands::default();
    for reply in [&b"220 mx\r\n"[..], PIPELINING.as_bytes()] {
        client.bytes(Time::ZERO, reply, &mut out);
    }
    client.send(Time::ZERO, letter.clone(), &mut out);
    client.bytes(Time::ZERO, b"250 ok\r\n250 ok\r\n354 go\r\n", &mut out);
    let shared: Vec<_> = out
        .take()
        .into_iter()
        .filter_map(|command| match command {
            mxdrill_net::Command::SendShared(_, bytes) => Some(bytes.as_ptr()),
            _ => None,
        })
        .collect();
    assert_eq!(shared, [letter.header.as_ptr(), letter.body.as_ptr()]);
}

#[test]
#[should_panic(expected = "ready")]
fn a_letter_too_many_is_the_owners_mistake() {
    let mut bench = ready(config(), PIPELINING);
    bench.send(paper("u"));
    bench.send(paper("v"));
}
