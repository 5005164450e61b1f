//! TLS between our client and our server, over both byte layers: what one decides the other decides too.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_net::{Command, Commands, Conn, DomainName, Epoch, Fact, Seed, Time};
use proptest::prelude::*;

use super::*;
use crate::{
    Act, Client, ClientConfig, Failure, Faults, Matching, Outcome, Protocol, Recipient, Reply, Rule, Server,
    ServerConfig, Stage, Step, Then, Trigger,
    pair::{Desk, Paper, carried},
};

const KINDS: [Kind; 2] = [Kind::Record, Kind::Real];

fn name(text: &str) -> DomainName {
    text.parse().expect("a name")
}

fn authority() -> Authority {
    Authority::new("the world's own", Epoch::default())
}

fn spec(names: &[&str], not_after: Time) -> CertificateSpec {
    CertificateSpec { names: names.iter().map(|name| (*name).into()).collect(), not_after }
}

/// A server and a client, octet by octet cut as told.
struct Pair {
    now: Time,
    kind: Kind,
    names: Vec<&'static str>,
    issuer: Authority,
    not_after: Time,
    offered: bool,
    faults: Vec<(Stage, Then)>,
    cut: usize,
    body: Bytes,
}

impl Pair {
    fn of(kind: Kind) -> Pair {
        Pair {
            now: Time::from_secs(60),
            kind,
            names: vec!["mx.test"],
            issuer: authority(),
            not_after: Time::from_secs(1000),
            offered: true,
            faults: Vec::new(),
            cut: usize::MAX,
            body: Bytes::from_static(b"text\r\n.dot\r\n"),
        }
    }

    fn credentials(&self) -> Credentials {
        self.issuer.issue(&name("mx.test"), &spec(&self.names, self.not_after))
    }

    fn server(&self) -> ServerConfig {
        let mut config = ServerConfig::new(name("mx.test"));
        let tls = ServerTls::new(self.kind, &self.credentials(), &self.issuer, &name("mx.test"));
        config.extensions.starttls = self.offered;
        config.tls = Some(Arc::new(tls));
        config
    }

    /// Plays a session of one letter with such a demand: how it ended, how safe it was, and with what it came.
    fn play(&self, demand: Demand) -> String {
        let (mut out, mut desk) = (Commands::<Fact>::default(), Desk::default());
        let mut script = Faults::new(Seed(1), 1);
        for (stage, then) in &self.faults {
            let (matching, trigger) = (Matching::default(), Trigger::default());
            let (tag, act) = (mxdrill_net::Tag(1), Act::Then(then.clone()));
            script.add(Rule { tag, stage: *stage, matching, trigger, act });
        }
        let (peer, hosting) = ("192.0.2.9".parse().expect("an address"), Arc::new(self.server()));
        let mut server = Server::open(self.now, Conn(1), peer, hosting, &mut desk, &mut script, &mut out);
        let mut to_client = carried(&mut out);
        let tls = ClientTls::new(self.kind, &authority(), Epoch::default());
        let config = ClientConfig { tls: Some(Arc::new(tls)), ..ClientConfig::new(name("c.test")) };
        let mut client = Client::open(self.now, Conn(2), Arc::new(config)).demanding(demand, name("mx.test"));
        let mut told = String::new();
        let mut sent = false;
        for _ in 0..64 {
            for piece in to_client.chunks(self.cut) {
                client.bytes(self.now, piece, &mut out);
            }
            client.drained(self.now, &mut out);
            while client.is_ready() {
                match std::mem::replace(&mut sent, true) {
                    false => client.send(self.now, self.letter(), &mut out),
                    true => client.quit(self.now, &mut out),
                }
            }
            while let Some(step) = client.poll() {
                told += &show(&step);
            }
            for piece in carried(&mut out).chunks(self.cut) {
                server.bytes(self.now, piece, &mut desk, &mut script, &mut out);
            }
            to_client = carried(&mut out);
        }
        assert!(client.is_over(), "{told}");
        let came = desk.taken.iter().map(|one| format!(" by {}", one.protocol.word())).collect::<String>();
        for taken in &desk.taken {
            assert_eq!(taken.content[b"Subject: x\r\n\r\n".len()..], self.body, "not an octet is lost");
        }
        format!("{}: {told}{came}", client.security().word())
    }

    fn letter(&self) -> Paper {
        Paper {
            from: crate::ReversePath::NULL,
            to: vec![Recipient::new("a@d.test".parse().expect("an address"))],
            header: Bytes::from_static(b"Subject: x\r\n\r\n"),
            body: self.body.clone(),
        }
    }
}

fn show(step: &Step<Paper>) -> String {
    match step {
        Step::Ready => String::new(),
        Step::Closed => "left".into(),
        Step::Done(report) => match &report.outcomes[..] {
            [Outcome::Acknowledged(_)] => "sent, ".into(),
            other => format!("{other:?}, "),
        },
        Step::Failed { stage, failure: Failure::Tls(why), .. } => format!("failed at {stage}: {why}"),
        Step::Failed { stage, failure, .. } => format!("failed at {stage}: {failure:?}"),
    }
}

/// The same in both byte layers.
#[track_caller]
fn check(demand: &Demand, change: impl Fn(&mut Pair), expected: &str) {
    for kind in KINDS {
        let mut pair = Pair::of(kind);
        change(&mut pair);
        assert_eq!(pair.play(demand.clone()), expected, "{kind:?}");
    }
}

fn pins(records: &[(u8, u8, u8, &[u8])]) -> Demand {
    let pin = |(usage, selector, matching, data): &(u8, u8, u8, &[u8])| {
        Pin::new(*usage, *selector, *matching, data).expect("a record for mail")
    };
    Demand::Matched(records.iter().map(pin).collect())
}

fn expired(pair: &mut Pair) {
    pair.now = Time::from_secs(1001);
}

fn untrusted(pair: &mut Pair) {
    pair.issuer = Authority::new("somebody", Epoch::default());
}

fn wrong_name(pair: &mut Pair) {
    pair.names = vec!["other.test"];
}

#[test]
fn clear_text_is_for_those_who_want_no_other() {
    check(&Demand::Clear, |_| {}, "clear: sent, left by ESMTP");
    check(&Demand::Opportunistic, |pair| pair.offered = false, "clear: sent, left by ESMTP");
}

#[test]
fn whoever_takes_any_certificate_looks_at_none() {
    for demand in [Demand::Opportunistic, Demand::Encrypted] {
        check(&demand, |_| {}, "encrypted: sent, left by ESMTPS");
        check(&demand, expired, "encrypted: sent, left by ESMTPS");
        check(&demand, untrusted, "encrypted: sent, left by ESMTPS");
        check(&demand, wrong_name, "encrypted: sent, left by ESMTPS");
    }
}

#[test]
fn a_certificate_is_verified_by_time_authority_and_name() {
    let demand = Demand::Verified;
    check(&demand, |_| {}, "verified: sent, left by ESMTPS");
    check(&demand, |pair| pair.names = vec!["other.test", "MX.test"], "verified: sent, left by ESMTPS");
    check(&demand, expired, "clear: failed at starttls: certificate has expired");
    check(&demand, untrusted, "clear: failed at starttls: certificate is not trusted");
    check(&demand, wrong_name, "clear: failed at starttls: certificate is for another name");
    check(
        &demand,
        |pair| pair.names = vec!["*.test"],
        "clear: failed at starttls: certificate is for another name",
    );
    check(&demand, |pair| pair.offered = false, "clear: failed at starttls: STARTTLS is not offered");
}

#[test]
fn good_will_may_ask_for_the_certificate_too() {
    let demand = Demand::VerifiedIfOffered;
    check(&demand, |_| {}, "verified: sent, left by ESMTPS");
    check(&demand, |pair| pair.offered = false, "clear: sent, left by ESMTP");
    check(&demand, untrusted, "clear: failed at starttls: certificate is not trusted");
}

#[test]
fn dane_ee_asks_for_the_key_alone() {
    let key = authority().issue(&name("mx.test"), &spec(&[], Time::ZERO)).certificate.key.clone();
    let demand = pins(&[(3, 1, 1, &Pin::digest(&key))]);
    check(&demand, |_| {}, "matched: sent, left by ESMTPS");
    check(&demand, expired, "matched: sent, left by ESMTPS");
    check(&demand, untrusted, "matched: sent, left by ESMTPS");
    check(&demand, wrong_name, "matched: sent, left by ESMTPS");
    let other = pins(&[(3, 1, 1, &[0; 32]), (2, 1, 1, &[0; 32])]);
    check(&other, |_| {}, "clear: failed at starttls: certificate matches no TLSA record");
    check(&pins(&[(3, 1, 0, &key), (3, 1, 1, &[0; 32])]), |_| {}, "matched: sent, left by ESMTPS");
}

#[test]
fn dane_ta_asks_for_a_sound_certificate_under_that_authority() {
    let demand = pins(&[(2, 0, 0, &authority().certificate().der)]);
    check(&demand, |_| {}, "matched: sent, left by ESMTPS");
    check(&demand, expired, "clear: failed at starttls: certificate has expired");
    check(&demand, wrong_name, "clear: failed at starttls: certificate is for another name");
    check(&demand, untrusted, "clear: failed at starttls: certificate matches no TLSA record");
}

#[test]
fn a_record_that_mail_cannot_use_is_none() {
    assert_eq!(Pin::new(1, 1, 1, &[0; 32]), None);
    assert_eq!(Pin::new(3, 2, 1, &[0; 32]), None);
    assert_eq!(Pin::new(3, 1, 3, &[0; 32]), None);
    assert_eq!(Pin::new(3, 1, 1, &[0; 31]), None);
    assert_eq!(Pin::new(3, 1, 0, &[]), None);
}

#[test]
fn faults_show_flawed_certificates_or_hide_starttls() {
    let at = |stage, then: Then| move |pair: &mut Pair| pair.faults.push((stage, then.clone()));
    let show = |flaw| at(Stage::StartTls, Then::Show(flaw));
    check(&Demand::Verified, show(Flaw::Expired), "clear: failed at starttls: certificate has expired");
    check(
        &Demand::Verified,
        show(Flaw::WrongName),
        "clear: failed at starttls: certificate is for another name",
    );
    check(&Demand::Opportunistic, show(Flaw::WrongName), "encrypted: sent, left by ESMTPS");
    let stripped = at(Stage::Ehlo, Then::Strip);
    check(&Demand::Opportunistic, &stripped, "clear: sent, left by ESMTP");
    check(&Demand::Encrypted, &stripped, "clear: failed at starttls: STARTTLS is not offered");
}

#[test]
fn a_refusal_of_starttls_leaves_clear_text_to_those_who_may() {
    let reply = Reply::new(454, crate::Enhanced(4, 7, 0), "TLS not available");
    let refused = |pair: &mut Pair| pair.faults.push((Stage::StartTls, Then::Reply(reply.clone())));
    check(&Demand::Opportunistic, refused, "clear: sent, left by ESMTP");
    check(
        &Demand::Encrypted,
        refused,
        "clear: failed at starttls: STARTTLS is refused: 454 4.7.0 TLS not available",
    );
}

#[test]
fn a_large_message_passes_whole() {
    let body: Bytes = "0123456789 and so on\r\n".repeat(20_000).into();
    check(&Demand::Verified, |pair| pair.body = body.clone(), "verified: sent, left by ESMTPS");
}

/// What a server says to pieces that come one after the other, as text.
fn server_says(kind: Kind, pieces: &[&[u8]]) -> (String, bool) {
    let (mut out, mut desk, mut script) =
        (Commands::<Fact>::default(), Desk::default(), Faults::new(Seed(1), 1));
    let (peer, hosting) = ("192.0.2.9".parse().expect("an address"), Arc::new(Pair::of(kind).server()));
    let mut server = Server::open(Time::ZERO, Conn(1), peer, hosting, &mut desk, &mut script, &mut out);
    for piece in pieces {
        server.bytes(Time::ZERO, piece, &mut desk, &mut script, &mut out);
    }
    (String::from_utf8_lossy(&carried(&mut out)).into_owned(), server.is_over())
}

#[test]
fn commands_pipelined_behind_starttls_are_never_served() {
    for kind in KINDS {
        let pipelined: &[u8] = b"EHLO c.test\r\nSTARTTLS\r\nRSET\r\nMAIL FROM:<a@b.test>\r\n";
        let (said, is_over) = server_says(kind, &[pipelined]);
        assert!(said.ends_with("\r\n220 2.0.0 Ready to start TLS\r\n"), "{said}");
        assert!(!is_over, "the handshake may still come");
        let (said, is_over) = server_says(kind, &[b"EHLO c.test\r\nSTARTTLS\r\n", b"RSET\r\n"]);
        assert!(!said.contains("250 2.0.0 Ok"), "{said}");
        assert!(is_over, "clear text is no handshake");
    }
}

#[test]
fn an_offer_is_made_where_there_is_a_certificate_and_no_tls_yet() {
    let (said, _) = server_says(Kind::Record, &[b"EHLO c.test\r\n"]);
    assert!(said.contains("250-STARTTLS\r\n"), "{said}");
    let hello = [&[0x16, 1, 0, 7][..], b"mx.test"].concat();
    let finished = [0x16, 3, 0, 0];
    let pieces: [&[u8]; 4] = [b"EHLO c.test\r\nSTARTTLS\r\n", &hello, &finished, b"MAIL FROM:<>\r\n"];
    let (said, _) = server_says(Kind::Record, &pieces);
    assert!(said.ends_with("503 5.5.1 EHLO or HELO first\r\n"), "what was said before is forgotten: {said}");
    let again: [&[u8]; 4] = [pieces[0], &hello, &finished, b"EHLO c.test\r\nSTARTTLS\r\n"];
    let (said, _) = server_says(Kind::Record, &again);
    assert_eq!(said.matches("STARTTLS").count(), 1, "not offered again: {said}");
    assert!(said.ends_with("503 5.5.1 Bad sequence of commands\r\n"), "{said}");
}

#[test]
fn replies_injected_behind_the_220_are_never_heard() {
    for kind in KINDS {
        let mut out = Commands::<Fact>::default();
        let tls = ClientTls::new(kind, &authority(), Epoch::default());
        let config = ClientConfig { tls: Some(Arc::new(tls)), ..ClientConfig::new(name("c.test")) };
        let mut client = Client::<Paper>::open(Time::ZERO, Conn(2), Arc::new(config))
            .demanding(Demand::Opportunistic, name("mx.test"));
        client.bytes(Time::ZERO, b"220 mx.test\r\n", &mut out);
        client.bytes(Time::ZERO, b"250-mx.test\r\n250 STARTTLS\r\n", &mut out);
        client.bytes(Time::ZERO, b"220 go on\r\n250 mx.test\r\n", &mut out);
        assert!(!client.is_ready() && !client.is_over(), "it waits for the handshake");
        assert_eq!(client.deadline(), Some(Time::ZERO + Duration::from_secs(300)), "not for ever");
        client.bytes(Time::ZERO, b"250 mx.test\r\n", &mut out);
        let step = client.poll().map(|step| show(&step));
        assert_eq!(step.as_deref(), Some("failed at starttls: TLS handshake failed"));
    }
}

#[test]
fn certificates_are_the_same_in_every_world() {
    let made = |host: &str| authority().issue(&name(host), &spec(&[host], Time::from_secs(1000)));
    assert_eq!(made("mx.test").certificate, made("mx.test").certificate);
    assert_ne!(made("mx.test").certificate.key, made("mx2.test").certificate.key);
}

#[test]
fn the_trace_field_tells_of_tls() {
    assert_eq!(Protocol::Esmtps.word(), "ESMTPS");
    assert_eq!(Protocol::Utf8Smtps.word(), "UTF8SMTPS");
}

#[test]
fn a_star_stands_for_one_whole_first_label() {
    use super::certificate::covers;
    assert!(covers("*.example.test", "mx1.Example.test"));
    for other in ["example.test", "a.mx1.example.test", ".example.test", "mx1.example.org"] {
        assert!(!covers("*.example.test", other), "{other}");
    }
    assert!(!covers("*.test", "example.test"), "a star below a public suffix covers nothing");
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..400, real in any::<bool>()) {
        let mut pair = Pair::of(if real { Kind::Real } else { Kind::Record });
        pair.cut = cut;
        prop_assert_eq!(pair.play(Demand::Verified), "verified: sent, left by ESMTPS");
    }

    #[test]
    fn no_handshake_is_so_wrong_as_to_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), real in any::<bool>()) {
        let kind = if real { Kind::Real } else { Kind::Record };
        if let [first, second, ..] = &mut bytes[..] {
            (*first, *second) = (0x16, *second % 6);
        }
        server_says(kind, &[b"EHLO c.test\r\nSTARTTLS\r\n", &bytes]);
        let mut out = Commands::<Fact>::default();
        let tls = ClientTls::new(kind, &authority(), Epoch::default());
        let mut session = tls.session(Demand::Verified, name("mx.test")).expect("a name");
        session.begin(Time::ZERO, Conn(1), &mut out);
        let _ = session.take(Time::ZERO, Conn(1), &bytes, &mut Vec::new(), &mut out);
        prop_assert!(out.take().iter().all(|command| matches!(command, Command::Send(..))));
    }
}
