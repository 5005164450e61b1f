//! Places follow from the MX, and a drill can be moved to an operator's own site.

use super::{
    super::{NoFiles, Place, Scenario, Site, SiteError, catalogue},
    read,
};

const STORY: &str = "[[step]]\nat = \"0s\"\nsend = { count = 1 }\n";

fn story(zone: &str, hosts: &str) -> Scenario {
    read(&format!(
        "title = \"Places\"\n[zone]\ntext = \"\"\"\n$ORIGIN example.test.\n{zone}\"\"\"\n{hosts}{STORY}"
    ))
}

/// Who is the primary, the backups and the sender, in that order.
fn check(zone: &str, hosts: &str, expected: &str) {
    let scenario = story(zone, hosts);
    let words = ["primary", "backup", "backup2", "sender"];
    let found: Vec<&str> = words.iter().filter_map(|word| scenario.place(&Place::from(*word)).ok()).collect();
    assert_eq!(found.join(" "), expected);
}

const MX1: &str = "[host.mx1]\ndelivers = [\"example.test\"]\n";
const MX2: &str = "[host.mx2]\nrelays = [\"example.test\"]\n";

#[test]
fn the_best_preference_is_the_primary() {
    check("@ MX 10 mx1\n@ MX 20 mx2\n", &format!("{MX2}{MX1}"), "mx1 mx2 sender");
}

#[test]
fn swapped_preferences_swap_the_places() {
    check("@ MX 20 mx1\n@ MX 10 mx2\n", &format!("{MX1}{MX2}"), "mx2 mx1 sender");
}

#[test]
fn a_host_has_the_place_of_its_best_preference() {
    check("@ MX 10 mx1\n@ MX 20 mx2\n@ MX 30 mx1\n", &format!("{MX1}{MX2}"), "mx1 mx2 sender");
}

#[test]
fn a_name_without_a_host_has_no_place() {
    check("@ MX 5 nowhere\n@ MX 10 mx1\n@ MX 20 mx2\n", &format!("{MX1}{MX2}"), "mx1 mx2 sender");
}

#[test]
fn without_mx_the_domain_itself_is_the_primary() {
    let host = "[host.\"example.test\"]\ndelivers = [\"example.test\"]\n";
    check("@ A 192.0.2.10\n", host, "example.test sender");
}

#[test]
fn the_only_host_that_only_sends_is_the_sender() {
    check("@ MX 10 mx1\n", &format!("{MX1}[host.app]\nlike = \"exim\"\n"), "mx1 app");
    check("@ MX 10 mx1\n", &format!("{MX1}[host.app]\n[host.web]\n"), "mx1 sender");
}

#[test]
fn a_published_backup_that_relays_nothing_is_not_the_sender() {
    check("@ MX 10 mx1\n@ MX 20 mx2\n", &format!("{MX1}[host.mx2]\n[host.app]\n"), "mx1 mx2 app");
    check("@ MX 10 mx1\n@ MX 20 mx2\n", &format!("{MX1}[host.mx2]\n"), "mx1 mx2 sender");
}

#[test]
fn resolving_names_hosts_and_adds_the_implicit_sender() {
    let scenario = catalogue::named("primary-refused")[0].scenario().expect("it reads");
    let mut implicit = scenario.clone();
    implicit.hosts.retain(|host| host.label != "app");
    let resolved = implicit.resolved().expect("every place has a host");
    let labels: Vec<&str> = resolved.hosts.iter().map(|host| host.label.as_str()).collect();
    assert_eq!(labels, ["mx1", "mx2", "sender"]);
    let printed = resolved.to_toml();
    assert!(printed.contains("host = \"mx1\", connect = \"refuse\""), "{printed}");
    assert!(printed.contains("queued.mx2 = 40, delivered.mx1 = 10"), "{printed}");
}

#[test]
fn records_of_a_set_name_hosts_in_full_and_keep_their_ttl() {
    let scenario = story("$TTL 600\n@ MX 10 mx1\n@ MX 20 mx2\n", &format!("{MX1}{MX2}"));
    let set = "[[step]]\nat = \"0s\"\nset = { dns = \"@ MX\", to = [\"20 backup\"] }\n";
    let scenario = read(&scenario.to_toml().replace("[[step]]", &format!("{set}[[step]]")));
    let super::super::Action::Set(record) = &scenario.steps[0].action else { panic!("a set") };
    let records = scenario.records(record).expect("they read");
    let [record] = &records[..] else { panic!("one record: {records:?}") };
    assert_eq!(record.ttl, 600);
    assert_eq!(
        format!("{:?}", record.data),
        r#"Mx { preference: 20, exchange: Some(DomainName("mx2.example.test")) }"#
    );
}

const SITE: &str = r#"
title = "Ours"
[zone]
text = """
$ORIGIN ours.test.
@     MX 5  front
@     MX 50 spare
front A 198.51.100.1
spare A 198.51.100.2
"""
[host.front]
delivers = ["ours.test"]
[host.spare]
relays = ["ours.test"]
like = "exim"
"#;

fn site() -> Site {
    Site::parse("my-site.toml", SITE, &NoFiles).expect("it reads")
}

#[test]
fn on_a_site_places_and_recipients_follow() {
    for entry in catalogue::all() {
        let scenario = entry.scenario().expect("it reads");
        let moved = match scenario.on_site(&site()) {
            Ok(moved) => moved,
            // The catalogue names places only.
            Err(err) => {
                assert!(matches!(err, SiteError::LeftOut | SiteError::Place(_)), "{}: {err}", entry.path);
                continue;
            }
        };
        assert!(!moved.to_toml().contains("example.test"), "{}", entry.path);
        assert_eq!(moved.place(&Place::Primary), Ok("front"));
        assert_eq!(read(&moved.to_toml()), Scenario { name: "story".into(), ..moved });
    }
}

#[test]
fn what_only_the_scenario_has_cannot_move() {
    let moved = |steps: &str| {
        let zone = "@ MX 10 mx1\n@ MX 20 mx2\n";
        let text =
            story(zone, &format!("{MX1}{MX2}")).to_toml().replace("[[step]]", &format!("{steps}[[step]]"));
        read(&text).on_site(&site()).map(drop).map_err(|err| err.to_string())
    };
    let own = |at: &str, what: &str| {
        Err(format!(
            "the step at {at} names `{what}`, which is the scenario's own: use a place, or say `site = false`"
        ))
    };
    assert_eq!(moved(""), Ok(()));
    assert_eq!(moved("[[step]]\nat = \"5m\"\nflush = \"mx2\"\n"), own("5m", "mx2"));
    assert_eq!(moved("[[step]]\nat = \"5m\"\nflush = \"backup\"\n"), Ok(()));
    assert_eq!(
        moved("[[step]]\nat = \"5m\"\nset = { dns = \"mx1 A\", to = [\"192.0.2.9\"] }\n"),
        own("5m", "mx1")
    );
    assert_eq!(
        moved("[[step]]\nat = \"5m\"\nset = { dns = \"primary A\", to = [\"192.0.2.9\"] }\n"),
        own("5m", "192.0.2.9")
    );
}

#[test]
fn a_scenario_about_its_own_tables_is_left_out() {
    let text = catalogue::named("primary-refused")[0].text.replace("seed  = 1", "site = false");
    assert_eq!(read(&text).on_site(&site()), Err(SiteError::LeftOut));
}

#[test]
fn a_site_says_nothing_of_steps() {
    let text = format!("{SITE}[[step]]\nat = \"0s\"\n");
    let err = Site::parse("my-site.toml", &text, &NoFiles).expect_err("a step");
    assert_eq!(err.to_string(), "unknown key `step`");
}
