//! MTA-STS between a sender, two MX and the host of a policy (RFC 8461).

use std::{sync::Arc, time::Duration};

use mxdrill_dns::{RecordData, RecordType, Zones};
use mxdrill_net::{Access, Epoch, HostId, Tag, Time};
use mxdrill_smtp::tls::{Authority, CertificateSpec, ClientTls, Kind, ServerTls};

use super::check;
use crate::{
    Fact, PolicyConfig, StsMode, StsPolicy,
    world::{World, ZONE, name},
};

const POLICY_HOST: &str = "192.0.2.40";

/// A world whose domain has this policy, and the host of the policy.
fn world(policy: &StsPolicy, host_name: &str) -> (World, HostId) {
    let authority = Authority::new("authority", Epoch::default());
    let zone =
        format!("{ZONE}$ORIGIN example.test.\n_mta-sts TXT \"v=STSv1; id=1;\"\nmta-sts A {POLICY_HOST}\n");
    let shown = |host: &str| {
        let spec = CertificateSpec { names: vec![host.into()], not_after: Time::from_secs(86_400) };
        let usual = authority.issue(&name(host), &spec);
        Arc::new(ServerTls::new(Kind::Record, &usual, &authority, &name(host)))
    };
    let mut world = World::of_zones(Zones::parse(&zone).expect("the zone of a test is right"), false);
    world.node("app", "192.0.2.1", "postfix", |config| {
        config.trusted = vec![World::pen()];
        config.trust = Some(Arc::new(ClientTls::new(Kind::Record, &authority, Epoch::default())));
        let mut own = crate::Profile::clone(&config.profile);
        own.tls.mta_sts = true;
        config.profile = Arc::new(own);
    });
    for (label, at) in [("mx1", "192.0.2.10"), ("mx2", "192.0.2.20")] {
        world.node(label, at, "rfc5321", |config| {
            config.delivers = vec![name("example.test")];
            config.certificate = Some(shown(&format!("{label}.example.test")));
        });
    }
    let addresses = vec![POLICY_HOST.parse().expect("an address")];
    let config = PolicyConfig { addresses, text: policy.text().into(), certificate: shown(host_name) };
    let host = world.policy_host(POLICY_HOST, config);
    world.run(1);
    (world, host)
}

fn policy(mode: StsMode, mx: &[&str], max_age: u64) -> StsPolicy {
    let mx = mx.iter().map(|mx| format!("{mx}.example.test")).collect();
    StsPolicy { mode, mx, max_age: Duration::from_secs(max_age) }
}

fn enforced(mx: &[&str]) -> (World, HostId) {
    world(&policy(StsMode::Enforce, mx, 86_400), "mta-sts.example.test")
}

/// How safe the sessions were that took mail from `app`.
fn securities(world: &World) -> Vec<&'static str> {
    let words = world.mta("app").filter_map(|(_, fact)| match fact {
        Fact::Relayed { target, .. } => Some(target.security.word()),
        _ => None,
    });
    words.collect()
}

fn fetches(world: &World) -> usize {
    world.count("app", |fact| matches!(fact, Fact::Policy { .. }))
}

const USER: &[&str] = &["u@example.test"];

#[test]
fn a_policy_is_fetched_once_and_kept_to() {
    let (mut world, _) = enforced(&["mx1", "mx2"]);
    world.send(1, USER).run(100);
    world.send(1, USER).run(1000);
    assert_eq!(securities(&world), ["verified", "verified"]);
    assert_eq!(fetches(&world), 1);
}

#[test]
fn an_mx_that_it_does_not_name_is_passed_by() {
    let (mut world, _) = enforced(&["mx2"]);
    world.send(1, USER).run(10);
    check(
        &world,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app learned the policy of example.test: enforce
         0:00:01 app skipped mx1 TlsPolicy
         0:00:01 app relayed u to mx2",
    );
}

#[test]
fn a_policy_in_testing_binds_nobody() {
    let (mut world, _) = world(&policy(StsMode::Testing, &["mx2"], 86_400), "mta-sts.example.test");
    world.send(1, USER).run(10);
    assert_eq!(securities(&world), ["encrypted"], "to mx1, as without it");
}

#[test]
fn a_policy_that_cannot_be_fetched_is_none_until_it_can() {
    let (mut world, host) = enforced(&["mx2"]);
    world.access_of(host, Access::Refuse(Tag(0))).send(1, USER).run(10);
    world.access_of(host, Access::Open).send(1, USER).run(20);
    assert_eq!(securities(&world), ["encrypted", "encrypted"], "not asked for again so soon");
    world.run(400).send(1, USER).run(500);
    assert_eq!(securities(&world), ["encrypted", "encrypted", "verified"]);
}

#[test]
fn whoever_cannot_prove_to_be_the_policy_host_is_not_believed() {
    let (mut world, _) = world(&policy(StsMode::Enforce, &["mx2"], 86_400), "other.example.test");
    world.send(1, USER).run(10);
    check(
        &world,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app no policy of example.test: the policy host has no sound certificate
         0:00:01 app relayed u to mx1",
    );
}

#[test]
fn a_cached_policy_outlives_its_record_and_its_host_until_its_time_is_over() {
    let (mut world, host) = world(&policy(StsMode::Enforce, &["mx1", "mx2"], 4000), "mta-sts.example.test");
    world.send(1, USER).run(10);
    world.access_of(host, Access::Blackhole(Tag(0)));
    world.on_names(|names| names.set(&name("_mta-sts.example.test"), RecordType::Txt, 300, []));
    world.run(2000).send(1, USER).run(2100);
    assert_eq!(securities(&world), ["verified", "verified"]);
    world.run(4100).send(1, USER).run(4200);
    assert_eq!(securities(&world), ["verified", "verified", "encrypted"], "max_age is over");
}

#[test]
fn a_policy_by_which_mail_could_not_go_is_fetched_anew() {
    let (mut world, _) = enforced(&["mx9"]);
    world.send(1, USER).run(3000);
    assert!(securities(&world).is_empty());
    let attempts = world.count("app", |fact| matches!(fact, Fact::Routed { .. }));
    assert_eq!(fetches(&world), attempts, "so nothing fails for good by what is no longer true");
    assert!(attempts > 2);
}

#[test]
fn while_the_only_mx_that_it_names_is_down_the_policy_is_asked_again() {
    let (mut world, _) = enforced(&["mx1"]);
    world.refuse("mx1").send(1, USER).run(700);
    check(
        &world,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app learned the policy of example.test: enforce
         0:00:01 app failed mx1 connect Connect(Refused)
         0:00:01 app skipped mx2 TlsPolicy
         0:00:01 app deferred 1 until 0:10:00
         0:10:00 app learned the policy of example.test: enforce
         0:10:00 app failed mx1 connect Connect(Refused)
         0:10:00 app skipped mx2 TlsPolicy
         0:10:00 app deferred 1 until 0:20:00",
    );
}

#[test]
fn another_id_is_another_policy() {
    let (mut world, _) = enforced(&["mx1"]);
    world.send(1, USER).run(10);
    world.on_names(|names| {
        let text = [RecordData::txt("v=STSv1; id=2;")];
        names.set(&name("_mta-sts.example.test"), RecordType::Txt, 300, text);
    });
    world.run(400).send(1, USER).run(500);
    assert_eq!(fetches(&world), 2);
}
