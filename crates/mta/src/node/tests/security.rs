//! TLS between a sender and two MX: what the DNS demands, and what is done where it cannot be had.

use std::sync::Arc;

use mxdrill_dns::{DnsFault, How, Record, RecordData, RecordType, Tlsa, Zones};
use mxdrill_net::{Epoch, Tag, Time};
use mxdrill_smtp::{
    Stage, Then,
    tls::{Authority, CertificateSpec, ClientTls, Flaw, Kind, Pin, ServerTls},
};

use super::check;
use crate::world::{World, ZONE, name};

/// `app` sends, both MX offer STARTTLS, and `tlsa` says which of them the zone knows the certificates of.
fn world(profile: &str, is_secure: bool, tlsa: &[&str]) -> World {
    let authority = Authority::new("authority", Epoch::default());
    let mut zones = Zones::parse(ZONE).expect("the zone of a test is right");
    let shown = |host: &str| {
        let spec = CertificateSpec { names: vec![host.into()], not_after: Time::from_secs(86_400) };
        authority.issue(&name(host), &spec)
    };
    for host in tlsa {
        let host = format!("{host}.example.test");
        let data = Pin::digest(&shown(&host).certificate.key).into();
        let tlsa = Tlsa { usage: 3, selector: 1, matching: 1, data };
        zones.insert(Record::new(name(&format!("_25._tcp.{host}")), RecordData::Tlsa(Arc::new(tlsa))));
    }
    let trust = Arc::new(ClientTls::new(Kind::Record, &authority, Epoch::default()));
    let mut world = World::of_zones(zones, is_secure);
    world.node("app", "192.0.2.1", profile, |config| {
        config.trusted = vec![World::pen()];
        config.trust = Some(trust);
        let mut own = crate::Profile::clone(&config.profile);
        own.tls.dane = true;
        config.profile = Arc::new(own);
    });
    for (label, at) in [("mx1", "192.0.2.10"), ("mx2", "192.0.2.20")] {
        world.node(label, at, "rfc5321", |config| {
            config.delivers = vec![name("example.test")];
            let host = format!("{label}.example.test");
            let tls = ServerTls::new(Kind::Record, &shown(&host), &authority, &name(&host));
            config.certificate = Some(Arc::new(tls));
        });
    }
    world.run(1);
    world
}

fn sent(mut world: World, secs: u64) -> World {
    world.send(1, &["u@example.test"]).run(secs);
    world
}

/// How safe the sessions were that took mail from `app`, one word each.
fn securities(world: &World) -> String {
    let words = world.mta("app").filter_map(|(_, fact)| match fact {
        crate::Fact::Relayed { target, .. } => {
            Some(format!("{} {}", target.host.first_label(), target.security.word()))
        }
        _ => None,
    });
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn good_will_encrypts_wherever_it_can() {
    assert_eq!(securities(&sent(world("postfix", false, &[]), 10)), "mx1 encrypted");
    let mut stripped = world("postfix", false, &[]);
    stripped.fault("mx1", Stage::Ehlo, Then::Strip);
    assert_eq!(securities(&sent(stripped, 10)), "mx1 clear");
}

#[test]
fn tlsa_records_bind_where_the_resolver_vouches_for_them() {
    assert_eq!(securities(&sent(world("postfix", true, &["mx1", "mx2"]), 10)), "mx1 matched");
    assert_eq!(securities(&sent(world("postfix", false, &["mx1", "mx2"]), 10)), "mx1 encrypted");
    assert_eq!(securities(&sent(world("postfix", true, &[]), 10)), "mx1 encrypted", "there are none");
}

#[test]
fn a_host_that_is_not_what_the_dns_says_is_passed_by() {
    let mut wrong = world("postfix", true, &["mx1", "mx2"]);
    wrong.fault("mx1", Stage::StartTls, Then::Show(Flaw::WrongName));
    check(
        &sent(wrong, 10),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 starttls Tls(Certificate(Unmatched))
         0:00:01 app relayed u to mx2",
    );
    let mut stripped = world("postfix", true, &["mx1", "mx2"]);
    stripped.fault("mx1", Stage::Ehlo, Then::Strip);
    let stripped = sent(stripped, 10);
    check(
        &stripped,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 starttls Tls(NotOffered)
         0:00:01 app relayed u to mx2",
    );
    assert_eq!(securities(&stripped), "mx2 matched");
}

#[test]
fn without_another_host_mail_waits_rather_than_go_in_clear_text() {
    let mut world = world("postfix", true, &["mx1", "mx2"]);
    world.fault("mx1", Stage::Ehlo, Then::Strip).fault("mx2", Stage::Ehlo, Then::Strip);
    let mut world = sent(world, 100);
    assert_eq!((world.queued("app"), world.delivered("mx1") + world.delivered("mx2")), (1, 0));
    world.heal("mx1").run(700);
    assert_eq!(securities(&world), "mx1 matched");
}

#[test]
fn an_mx_whose_tlsa_records_cannot_be_looked_up_is_none() {
    let fault = |kind| DnsFault { name: name("_25._tcp.mx1.example.test"), kind, how: How::ServFail };
    let mut world = world("postfix", true, &["mx1", "mx2"]);
    world.on_names(move |names| names.fault(Tag(9), fault(Some(RecordType::Tlsa))));
    check(
        &sent(world, 10),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app skipped mx1 TlsPolicy
         0:00:01 app relayed u to mx2",
    );
}

#[test]
fn where_no_tlsa_records_can_be_looked_up_the_mail_waits() {
    let mut world = world("postfix", true, &["mx1", "mx2"]);
    world.on_names(|names| {
        for (tag, host) in [(8, "mx1"), (9, "mx2")] {
            let name = name(&format!("_25._tcp.{host}.example.test"));
            names.fault(Tag(tag), DnsFault { name, kind: Some(RecordType::Tlsa), how: How::ServFail });
        }
    });
    let mut world = sent(world, 100);
    assert_eq!((world.queued("app"), world.delivered("mx1") + world.delivered("mx2")), (1, 0));
    world.on_names(|names| _ = (names.clear(Tag(8)), names.clear(Tag(9))));
    world.run(700);
    assert_eq!(securities(&world), "mx1 matched");
}

#[test]
fn after_a_broken_handshake_exim_goes_on_in_clear_text_and_postfix_once_the_mail_has_waited() {
    let broken = |profile| {
        let mut world = world(profile, false, &[]);
        world.fault("mx1", Stage::StartTls, Then::DropAfterReply);
        world.fault("mx2", Stage::StartTls, Then::DropAfterReply);
        sent(world, 700)
    };
    check(
        &broken("exim"),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 starttls Lost
         0:00:01 app relayed u to mx1",
    );
    let postfix = broken("postfix");
    check(
        &postfix,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 starttls Lost
         0:00:01 app failed mx2 starttls Lost
         0:00:01 app deferred 1 until 0:10:00
         0:10:00 app failed mx1 starttls Lost
         0:10:00 app relayed u to mx1",
    );
    assert_eq!(securities(&postfix), "mx1 clear");
}

#[test]
fn mail_that_must_be_safe_never_falls_back() {
    let mut world = world("exim", true, &["mx1", "mx2"]);
    world.fault("mx1", Stage::StartTls, Then::DropAfterReply);
    let world = sent(world, 10);
    assert_eq!(securities(&world), "mx2 matched");
}
