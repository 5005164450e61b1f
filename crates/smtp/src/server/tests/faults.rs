//! Every effect of a script, at every stage.

use super::*;
use crate::{Act, Effect, Faults, Matching, Rule, Then, Trigger};
use mxdrill_net::{Seed, Tag};

fn faults(stage: Stage, act: Act) -> Faults {
    let mut faults = Faults::new(Seed(1), 0);
    faults.add(Rule { tag: Tag(1), stage, matching: Matching::default(), trigger: Trigger::default(), act });
    faults
}

#[track_caller]
fn check_act(stage: Stage, act: Act, story: &str) {
    check_with(config(), false, faults(stage, act), story);
}

fn reply(code: u16) -> Act {
    let class = (code / 100) as u8;
    Act::Then(Then::Reply(Reply::new(code, crate::Enhanced(class, 3, 0), "scripted")))
}

/// The dialogue of a whole message, up to and with the line for `stage`.
fn until(stage: Stage) -> &'static str {
    match stage {
        Stage::Mail => "C: MAIL FROM:<a@b.test>",
        Stage::Rcpt => "C: MAIL FROM:<a@b.test>\nmail <a@b.test>\nS: 250 2.1.0 Ok\nC: RCPT TO:<c@d.test>",
        Stage::Data => {
            "C: MAIL FROM:<a@b.test>\nmail <a@b.test>\nS: 250 2.1.0 Ok\nC: RCPT TO:<c@d.test>\nS: 250 2.1.5 Ok
             C: DATA"
        }
        Stage::Dot => {
            "C: MAIL FROM:<a@b.test>\nmail <a@b.test>\nS: 250 2.1.0 Ok\nC: RCPT TO:<c@d.test>\nS: 250 2.1.5 Ok
             C: DATA\nS: 354 End data with <CR><LF>.<CR><LF>\nC: x\nC: ."
        }
        Stage::Quit => "C: QUIT",
        Stage::Ehlo => "C: EHLO again.test",
        Stage::StartTls => "C: STARTTLS",
        Stage::Connect | Stage::Greeting => "",
    }
}

/// What the policy hears and the server says at `stage` when nothing is wrong.
fn usual(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Mail => ("mail <a@b.test>\n", "S: 250 2.1.0 Ok\n"),
        Stage::Rcpt => ("", "S: 250 2.1.5 Ok\n"),
        Stage::Data => ("", "S: 354 End data with <CR><LF>.<CR><LF>\n"),
        Stage::Dot => ("took <a@b.test> c@d.test ESMTP \"x\\r\\n\"\n", "S: 250 2.0.0 Ok\n"),
        Stage::Quit => ("", "S: 221 2.0.0 Bye\n"),
        Stage::StartTls => ("", "S: 454 4.7.0 TLS not available\n"),
        Stage::Ehlo => ("", "S: 250 mx.test\n"),
        Stage::Connect | Stage::Greeting => ("", "S: 220 mx.test ESMTP mxdrill\n"),
    }
}

const IN_SESSION: [Stage; 5] = [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot, Stage::Quit];

#[test]
fn drop_does_nothing_and_resets() {
    for stage in IN_SESSION.into_iter().chain([Stage::Ehlo]) {
        check_with_late(stage, Act::Then(Then::Drop), &format!("{}\nbit 1\nreset", until(stage)));
    }
}

#[test]
fn drop_before_reply_does_the_work_and_resets() {
    for stage in IN_SESSION {
        let (heard, _) = usual(stage);
        check_act(stage, Act::Then(Then::DropBeforeReply), &format!("{}\nbit 1\n{heard}reset", until(stage)));
    }
}

#[test]
fn drop_after_reply_replies_and_closes() {
    for stage in IN_SESSION {
        let (heard, said) = usual(stage);
        check_act(
            stage,
            Act::Then(Then::DropAfterReply),
            &format!("{}\nbit 1\n{heard}{said}closed", until(stage)),
        );
    }
}

#[test]
fn silence_keeps_the_session_until_the_client_leaves() {
    for stage in IN_SESSION {
        check_act(
            stage,
            Act::Then(Then::Silence),
            &format!("{}\nbit 1\n+ 600m\nC: NOOP\neof\nclosed", until(stage)),
        );
    }
}

#[test]
fn a_reply_stands_for_the_servers_own() {
    for (stage, away) in [
        (Stage::Mail, "away mail 451\n"),
        (Stage::Rcpt, "away rcpt 451 c@d.test\n"),
        (Stage::Data, "away data 451 c@d.test\n"),
        (Stage::Dot, "away dot 451 c@d.test \"x\\r\\n\"\n"),
        (Stage::Quit, ""),
    ] {
        let end = if stage == Stage::Quit { "closed" } else { "C: NOOP\nS: 250 2.0.0 Ok" };
        check_act(stage, reply(451), &format!("{}\nbit 1\n{away}S: 451 4.3.0 scripted\n{end}", until(stage)));
        let closing = away.replace("451", "421");
        check_act(
            stage,
            reply(421),
            &format!("{}\nbit 1\n{closing}S: 421 4.3.0 scripted\nclosed", until(stage)),
        );
    }
    // What was refused is not accepted.
    check_act(
        Stage::Mail,
        reply(550),
        &format!(
            "{}\nbit 1\naway mail 550\nS: 550 5.3.0 scripted
        C: RCPT TO:<c@d.test>
        S: 503 5.5.1 MAIL first",
            until(Stage::Mail)
        ),
    );
    check_act(
        Stage::Rcpt,
        reply(550),
        &format!(
            "{}\nbit 1\naway rcpt 550 c@d.test\nS: 550 5.3.0 scripted
        C: DATA
        S: 554 5.5.1 No valid recipients",
            until(Stage::Rcpt)
        ),
    );
    // A positive reply is the server's yes in other words; at the dot it is a lie: nothing is stored.
    check_act(
        Stage::Rcpt,
        reply(251),
        &format!(
            "{}\nbit 1\nS: 251 2.3.0 scripted
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>",
            until(Stage::Rcpt)
        ),
    );
    check_act(Stage::Dot, reply(250), &format!("{}\nbit 1\nS: 250 2.3.0 scripted", until(Stage::Dot)));
}

#[test]
fn a_delay_holds_the_reply_and_what_follows() {
    for stage in IN_SESSION {
        let (heard, said) = usual(stage);
        let (follow, followed) = match stage {
            Stage::Quit => ("", "closed\n"),
            Stage::Data => ("", ""),
            _ => ("C: NOOP\n", "S: 250 2.0.0 Ok\n"),
        };
        let story = format!("{}\nbit 1\n{heard}+ 599s\n{follow}+ 1s\n{said}{followed}", until(stage));
        check_act(stage, Act::Delay(Duration::from_secs(600)), &story);
    }
}

#[test]
fn a_delay_and_a_late_verdict_run_side_by_side() {
    let mut slow = faults(Stage::Dot, Act::Delay(Duration::from_secs(60)));
    let story = |verdict: &str| format!("{}\nbit 1\n{}{verdict}", until(Stage::Dot), usual(Stage::Dot).0);
    check_with(
        config(),
        true,
        slow,
        &story("+ 10s\nverdict 250 2.0.0 Stored\n+ 49s\n+ 1s\nS: 250 2.0.0 Stored\n"),
    );
    slow = faults(Stage::Dot, Act::Delay(Duration::from_secs(60)));
    check_with(config(), true, slow, &story("+ 61s\nverdict 250 2.0.0 Stored\nS: 250 2.0.0 Stored\n"));
}

#[test]
fn a_tarpit_lets_the_reply_trickle() {
    let slowly = r"
        bit 1
        S- 2
        + 1s
        S- 5
        C: NOOP
        + 1s
        S- 0
        + 11s
        S- \x20
        S- 2
        S- .
        S- 1
        S- .
        S- 5
        S- \x20
        S- O
        S- k
        S- \r
        S- \n
        S: 250 2.0.0 Ok";
    check_act(Stage::Rcpt, Act::Tarpit(1), &format!("{}{slowly}", until(Stage::Rcpt)));
    let faster = r"
        bit 1
        S- 250 2.1.5\x20
        + 99ms
        + 1ms
        S: Ok";
    check_act(Stage::Rcpt, Act::Tarpit(100), &format!("{}{faster}", until(Stage::Rcpt)));
}

#[test]
fn greeting_and_connect() {
    let check_first = |stage, act, story: &str| check_all(config(), faults(stage, act), story);
    check_first(Stage::Connect, Act::Then(Then::Drop), "bit 1\nclosed");
    check_first(Stage::Greeting, Act::Then(Then::Drop), "bit 1\nreset");
    check_first(Stage::Connect, Act::Then(Then::Silence), "bit 1\n+ 60m\nC: EHLO a.test\nlost");
    check_first(Stage::Greeting, Act::Then(Then::Silence), "bit 1\n+ 60m\neof\nclosed");
    check_first(Stage::Greeting, reply(421), "bit 1\naway greeting 421\nS: 421 4.3.0 scripted\nclosed");
    check_first(
        Stage::Greeting,
        reply(554),
        "
        bit 1
        away greeting 554
        S: 554 5.3.0 scripted
        C: EHLO a.test
        S: 503 5.5.1 Not serving
        C: QUIT
        S: 221 2.0.0 Bye
        closed
    ",
    );
    for stage in [Stage::Connect, Stage::Greeting] {
        check_first(
            stage,
            Act::Delay(Duration::from_secs(60)),
            "
            bit 1
            C: HELO a.test
            + 59s
            + 1s
            S: 220 mx.test ESMTP mxdrill
            S: 250 mx.test
        ",
        );
        check_first(stage, Act::Then(Then::DropAfterReply), "bit 1\nS: 220 mx.test ESMTP mxdrill\nclosed");
    }
    check_first(Stage::Greeting, Act::Tarpit(10), "bit 1\nS- 2\n+ 100ms\nS- 2\n+ 50ms");
}

#[test]
fn ehlo_can_be_refused_or_stripped() {
    check_all(
        config(),
        faults(Stage::Ehlo, reply(502)),
        "
        S: 220 mx.test ESMTP mxdrill
        C: EHLO a.test
        bit 1
        away ehlo 502
        S: 502 5.3.0 scripted
        C: MAIL FROM:<a@b.test>
        S: 503 5.5.1 EHLO or HELO first
    ",
    );
    check_all(
        config(),
        faults(Stage::Ehlo, Act::Then(Then::Reply(Reply::plain(250, "mx.test")))),
        "
        S: 220 mx.test ESMTP mxdrill
        C: EHLO a.test
        bit 1
        S: 250 mx.test
        C: MAIL FROM:<a@b.test>
        mail <a@b.test>
        S: 250 2.1.0 Ok
    ",
    );
}

#[test]
fn chunks_meet_faults_too() {
    check_act(
        Stage::Data,
        reply(451),
        "
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: BDAT 3 LAST
        C- x\\r\\nNOOP\\r\\n
        mail <a@b.test>
        bit 1
        away data 451 c@d.test
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 451 4.3.0 scripted
        S: 250 2.0.0 Ok
    ",
    );
    check_act(
        Stage::Dot,
        Act::Then(Then::DropBeforeReply),
        "
        C: MAIL FROM:<a@b.test>
        C: RCPT TO:<c@d.test>
        C: BDAT 3 LAST
        C- x\\r\\n
        mail <a@b.test>
        bit 1
        took <a@b.test> c@d.test ESMTP \"x\\r\\n\"
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        reset
    ",
    );
}

/// A script that passes at the EHLO with which [`check_with`] begins.
struct Late<S>(S, bool);

impl<S: Script> Script for Late<S> {
    fn at(&mut self, now: Time, stage: Stage, session: &SessionView<'_>) -> Effect {
        if stage == Stage::Ehlo && !std::mem::replace(&mut self.1, true) {
            return Effect::default();
        }
        self.0.at(now, stage, session)
    }
}

#[track_caller]
fn check_with_late(stage: Stage, act: Act, story: &str) {
    check_with(config(), false, Late(faults(stage, act), false), story);
}
