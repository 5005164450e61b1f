//! Tables of the command grammar, its laws, and smtp-proto beside it.

use proptest::prelude::*;

use super::*;

/// The command is understood, and printed again as `printed`.
#[track_caller]
fn check_as(line: &str, printed: &str) {
    match Command::parse(line.as_bytes()) {
        Ok(command) => assert_eq!(command.to_string(), printed),
        Err(error) => panic!("{line}: {error}"),
    }
}

#[track_caller]
fn check(line: &str) {
    check_as(line, line);
}

#[track_caller]
fn check_error(error: CommandError, lines: &[&str]) {
    for line in lines {
        assert_eq!(Command::parse(line.as_bytes()), Err(error), "{line}");
    }
}

#[test]
fn verbs() {
    for line in ["DATA", "RSET", "NOOP", "QUIT", "HELP", "STARTTLS", "VRFY some one", "ETRN example.test"] {
        check(line);
    }
    check_as("data  ", "DATA");
    check_as("nOOp what ever", "NOOP");
    check_as("HELP me", "HELP");
    check_as("ETRN #queue", "ETRN queue");
    check_error(
        CommandError::Unknown,
        &["", " ", "DATAA", " DATA", "EHLOEHLO x", "MAILFROM:<a@b>", "DATA\tx", "\u{e9}"],
    );
    check_error(CommandError::NotImplemented, &["EXPN a", "TURN", "SEND FROM:<a@b.c>", "AUTH PLAIN"]);
    check_error(
        CommandError::Argument,
        &["DATA x", "RSET x", "QUIT x", "STARTTLS x", "VRFY", "ETRN", "MAIL", "RCPT", "BDAT"],
    );
    assert_eq!(Command::parse(b"NOOP\xff"), Err(CommandError::Unknown));
    assert_eq!(Command::parse(b"NOOP\r"), Err(CommandError::Bare));
    assert_eq!(Command::parse(b"NO\nOP"), Err(CommandError::Bare));
}

#[test]
fn hello() {
    for line in [
        "EHLO client.test",
        "HELO a",
        "EHLO x-y.a_b.test",
        "EHLO [192.0.2.1]",
        "EHLO [IPv6:2001:db8::1]",
        "EHLO [x-tag:what!ever]",
        "EHLO b\u{fc}cher.test",
    ] {
        check(line);
    }
    check_error(
        CommandError::Argument,
        &[
            "EHLO",
            "EHLO ",
            "EHLO a b",
            "EHLO a.",
            "EHLO .a",
            "EHLO a..b",
            "EHLO -a",
            "EHLO a-",
            "EHLO a-.b",
            "EHLO *.a",
            "EHLO [192.0.2.256]",
            "EHLO [192.0.2.1",
            "EHLO [IPv6:x]",
            "EHLO [tag:]",
            "EHLO [nothing]",
            "EHLO a@b",
        ],
    );
    let label = "x".repeat(63);
    check(&format!("EHLO {label}.test"));
    check_error(
        CommandError::Argument,
        &[&format!("EHLO x{label}.test"), &format!("EHLO {}", "ab.".repeat(90) + "a")],
    );
}

#[test]
fn paths() {
    for path in [
        "a@b.test",
        "a.b.c@d.test",
        "!#$%&'*+-/=?^_`{|}~@b.test",
        "\"a b\"@c.test",
        "\"a@b\\\"c>\"@d.test",
        "\"\"@b.test",
        "a@[192.0.2.1]",
        "\u{e9}@\u{e9}.test",
    ] {
        check(&format!("MAIL FROM:<{path}>"));
        check(&format!("RCPT TO:<{path}>"));
    }
    check("MAIL FROM:<>");
    check("RCPT TO:<Postmaster>");
    check_as("rcpt to:<@one.test,@two.test:a@b.test>", "RCPT TO:<a@b.test>");
    let long = "x".repeat(64);
    check(&format!("RCPT TO:<{long}@b.test>"));
    for path in [
        "",
        "<",
        "a@b.test",
        "<a@b.test",
        "<a>",
        "<@b.test>",
        "<a@>",
        "<.a@b.test>",
        "<a.@b.test>",
        "<a..b@c.test>",
        "<a b@c.test>",
        "<a@b@c.test>",
        "<a@b.test.>",
        "<\"a@b.test>",
        "<\"a\"b@c.test>",
        "<\"a\\\u{e9}\"@c.test>",
        "< a@b.test>",
        "<a@b.test >",
        "<@one.test:>",
        "<@one.test@two.test:a@b.test>",
        "<a@b.test>>",
        "<a@b.test>x",
        "<a,b@c.test>",
        &format!("<x{long}@b.test>"),
        &format!("<a@{}.test>", "abc.".repeat(63)),
    ] {
        let found = Command::parse(format!("RCPT TO:{path}").as_bytes()).map(|_| path.to_owned());
        let wanted = if path.ends_with(">>") || path.ends_with(">x") {
            CommandError::Argument
        } else {
            CommandError::Recipient
        };
        assert_eq!(found, Err(wanted), "{path}");
    }
    check_error(
        CommandError::Sender,
        &["MAIL FROM:<Postmaster>", "MAIL FROM:< >", "MAIL FROM: <a@b.test>", "MAIL FROM:a@b.test"],
    );
    check_error(CommandError::Recipient, &["RCPT TO:<>", "RCPT TO: <a@b.test>"]);
    check_error(
        CommandError::Argument,
        &["MAIL TO:<a@b.test>", "RCPT FROM:<a@b.test>", "MAIL FROM <a@b.test>", "MAIL  FROM:<>"],
    );
}

#[test]
fn parameters() {
    check("MAIL FROM:<> SIZE=0 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb");
    check("MAIL FROM:<> BODY=7BIT RET=HDRS");
    check("MAIL FROM:<> BODY=BINARYMIME");
    check_as(
        "MAIL FROM:<> size=9 body=8bitmime smtputf8 ret=hdrs AUTH=<>",
        "MAIL FROM:<> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=HDRS",
    );
    check("RCPT TO:<a@b.test> NOTIFY=NEVER ORCPT=rfc822;a+20b@c.test");
    check_as(
        "RCPT TO:<a@b.test> NOTIFY=delay,success,failure",
        "RCPT TO:<a@b.test> NOTIFY=SUCCESS,FAILURE,DELAY",
    );
    check_error(
        CommandError::Value,
        &[
            "MAIL FROM:<> SIZE",
            "MAIL FROM:<> SIZE=",
            "MAIL FROM:<> SIZE=-1",
            "MAIL FROM:<> SIZE=+1",
            "MAIL FROM:<> SIZE=1 SIZE=1",
            "MAIL FROM:<> SIZE=99999999999999999999",
            "MAIL FROM:<> SIZE=000000000000000000001",
            "MAIL FROM:<> BODY=9BIT",
            "MAIL FROM:<> SMTPUTF8=1",
            "MAIL FROM:<> SMTPUTF8 SMTPUTF8",
            "MAIL FROM:<> RET=ALL",
            "MAIL FROM:<> ENVID=a+2b",
            "MAIL FROM:<> ENVID=a=b",
            "MAIL FROM:<> AUTH",
            "RCPT TO:<a@b.test> NOTIFY=NEVER,DELAY",
            "RCPT TO:<a@b.test> NOTIFY=",
            "RCPT TO:<a@b.test> ORCPT=a@b.test",
            "RCPT TO:<a@b.test> ORCPT=;x",
            "RCPT TO:<a@b.test> ORCPT=rfc822;",
        ],
    );
    check_error(
        CommandError::Parameter,
        &["MAIL FROM:<> NOTIFY=NEVER", "RCPT TO:<a@b.test> SIZE=1", "MAIL FROM:<> X-Y=1"],
    );
    check_error(
        CommandError::Argument,
        &["MAIL FROM:<>SIZE=1", "MAIL FROM:<>  SIZE=1", "MAIL FROM:<> =1", "MAIL FROM:<> S_Z=1"],
    );
}

#[test]
fn chunks() {
    check("BDAT 0");
    check("BDAT 18446744073709551615 LAST");
    check_as("bdat 5 last", "BDAT 5 LAST");
    check_error(
        CommandError::Argument,
        &["BDAT ", "BDAT -1", "BDAT 1 LIST", "BDAT 1  LAST", "BDAT 18446744073709551616", "BDAT LAST"],
    );
}

#[test]
fn xtext_is_its_own_inverse() {
    assert_eq!(xtext::encode(b"a+b=c \xe9~"), "a+2Bb+3Dc+20+E9~");
    assert_eq!(xtext::decode(b"a+2Bb+3Dc+20+E9~").as_deref(), Some(&b"a+b=c \xe9~"[..]));
    for bad in [&b"a=b"[..], b"a b", b"+2", b"+", b"+2b", b"+GG", b"\xe9", b"\x7f"] {
        assert_eq!(xtext::decode(bad), None, "{bad:?}");
    }
}

fn domains() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-zA-Z0-9]([a-z0-9-]{0,6}[a-z0-9])?(\\.[a-z0-9]{1,6}){0,3}",
        1 => Just("[192.0.2.1]".to_owned()),
        1 => Just("[IPv6:2001:db8::25]".to_owned()),
    ]
}

fn domain(text: &str) -> Domain<'_> {
    if text.starts_with('[') { Domain::Literal(text) } else { Domain::Name(text) }
}

prop_compose! {
    fn mails()(
        path in prop::option::of(("[a-z0-9+=_-]{1,8}(\\.[a-z]{1,4}){0,2}", domains())),
        size in prop::option::of(0..u64::from(u32::MAX)),
        body in prop::option::of(prop::sample::select(vec![Body::SevenBit, Body::EightBitMime, Body::BinaryMime])),
        utf8 in any::<bool>(),
        ret in prop::option::of(prop::sample::select(vec![Ret::Full, Ret::Headers])),
        envid in prop::option::of("[!-*,-<>-~]{1,20}"),
    ) -> String {
        let from = path.as_ref().map(|(local, text)| Path { local, domain: Some(domain(text)) });
        Command::Mail(Mail { from, size, body, utf8, ret, envid: envid.as_deref() }).to_string()
    }
}

prop_compose! {
    fn rcpts()(
        local in prop_oneof!["[a-z0-9+=_-]{1,8}", "\"([a-z @.<>]|\\\\[ -~]){0,8}\""],
        domain_text in domains(),
        notify in prop::option::of((any::<bool>(), any::<bool>(), any::<bool>())),
        orcpt in prop::option::of("rfc822;[!-*,-<>-~]{1,20}"),
    ) -> String {
        let notify = notify.map(|(success, failure, delay)| {
            Notify { never: !(success || failure || delay), success, failure, delay }
        });
        let to = Path { local: &local, domain: Some(domain(&domain_text)) };
        Command::Rcpt(Rcpt { to, notify, orcpt: orcpt.as_deref() }).to_string()
    }
}

proptest! {
    /// What is printed is understood as what it was.
    #[test]
    fn parse_undoes_print(line in prop_oneof![mails(), rcpts()]) {
        let command = Command::parse(line.as_bytes());
        prop_assert_eq!(command.map(|command| command.to_string()), Ok(line));
    }

    /// No octets upset it, and whatever it understands prints to something it understands the same way.
    #[test]
    fn any_octets(line in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "(MAIL FROM|RCPT TO|mail from):<?[@a-z\".\\\\\\[\\]>:, é-]{0,20}>?( [A-Z]{0,8}=?[a-z0-9;+,]{0,6}){0,3}".prop_map(String::into_bytes),
    ]) {
        if let Ok(command) = Command::parse(&line) {
            let printed = command.to_string();
            prop_assert_eq!(Command::parse(printed.as_bytes()), Ok(command));
        }
    }

    /// What is read in one pass is what the whole grammar reads.
    #[test]
    fn the_usual_is_nothing_special(line in prop_oneof![
        mails(), rcpts(), "(MAIL FROM|RCPT TO):<[@a.\\-é]{0,6}@[@a.\\-é]{0,6}>?( SIZE=[0-9]{0,13})?",
    ]) {
        if let Some(command) = usual::parse(line.as_bytes()) {
            prop_assert_eq!(Command::parse_any(line.as_bytes()), Ok(command));
        }
    }

    /// smtp-proto agrees on plain MAIL and RCPT. It unquotes local parts and decodes xtext, so neither is here.
    #[test]
    fn smtp_proto_agrees(line in prop_oneof![mails(), rcpts()].prop_filter("it differs here", |line| {
        !line.contains('"') && !line.contains("ENVID") && !line.contains("ORCPT") && !line.contains('[')
    })) {
        let wire = format!("{line}\r\n");
        let theirs = smtp_proto::Request::parse(&mut wire.as_bytes().iter());
        match (Command::parse(line.as_bytes()), theirs) {
            (Ok(Command::Mail(mail)), Ok(smtp_proto::Request::Mail { from })) => {
                let ours = mail.from.map(|path| format!("{}@{}", path.local, path.domain.expect("one").text()));
                prop_assert_eq!(ours.unwrap_or_default(), from.address.to_string());
                prop_assert_eq!(mail.size.unwrap_or(0), from.size as u64);
                let bit = |bit: u64| from.flags & bit != 0;
                prop_assert_eq!(mail.utf8, bit(smtp_proto::MAIL_SMTPUTF8));
                prop_assert_eq!(mail.body == Some(Body::EightBitMime), bit(smtp_proto::MAIL_BODY_8BITMIME));
                prop_assert_eq!(mail.ret == Some(Ret::Headers), bit(smtp_proto::MAIL_RET_HDRS));
            }
            (Ok(Command::Rcpt(rcpt)), Ok(smtp_proto::Request::Rcpt { to })) => {
                let ours = format!("{}@{}", rcpt.to.local, rcpt.to.domain.expect("one").text());
                prop_assert_eq!(ours, to.address.to_string());
                let bit = |bit: u64| to.flags & bit != 0;
                let notify = rcpt.notify.unwrap_or(Notify { never: false, success: false, failure: false, delay: false });
                prop_assert_eq!(notify.never, bit(smtp_proto::RCPT_NOTIFY_NEVER));
                prop_assert_eq!(notify.success, bit(smtp_proto::RCPT_NOTIFY_SUCCESS));
                prop_assert_eq!(notify.failure, bit(smtp_proto::RCPT_NOTIFY_FAILURE));
                prop_assert_eq!(notify.delay, bit(smtp_proto::RCPT_NOTIFY_DELAY));
            }
            (ours, theirs) => prop_assert!(false, "{ours:?} but {theirs:?}"),
        }
    }
}
