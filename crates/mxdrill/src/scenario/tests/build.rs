//! A drill built in code and a scenario file are the same value.

use insta::assert_snapshot;

use super::{
    super::{Answer, Body, Moment, Scenario, TlsFault, WorldKind},
    read,
};
use crate::build::*;

fn drill() -> Drill {
    Drill::new("The primary refuses")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix))
        .at(minutes(5), fault("mx1").refuse().lasting(hours(2)))
        .at(minutes(6), send(40).over(minutes(10)))
        .at(minutes(20), expect(queued("mx2").is(40)))
}

#[test]
fn a_drill_is_a_scenario_file() {
    assert_snapshot!(drill(), @r#"
    title = "The primary refuses"

    [zone]
    text = """
    $ORIGIN example.test.
    $TTL 300
    @   MX 10 mx1
    @   MX 20 mx2
    mx1 A 192.0.2.10
    mx2 A 192.0.2.20
    """

    [host.mx1]
    delivers = ["example.test"]
    [host.mx2]
    relays = ["example.test"]
    like   = "postfix"

    [[step]]
    at    = "5m"
    fault = { host = "mx1", connect = "refuse", for = "2h" }
    [[step]]
    at   = "6m"
    send = { count = 40, over = "10m" }
    [[step]]
    at     = "20m"
    expect = { queued.mx2 = 40 }
    "#);
}

#[test]
fn and_a_scenario_file_is_a_drill() {
    let scenario = drill().scenario().expect("it reads");
    assert_eq!(scenario.name, "the-primary-refuses");
    assert_eq!(Drill::from(scenario.clone()).scenario(), Ok(scenario.clone()));
    assert_eq!(Scenario { name: "story".into(), ..scenario.clone() }, read(&scenario.to_toml()));
}

#[test]
fn a_scenario_can_be_built_on() {
    let scenario = drill().scenario().expect("it reads");
    let longer = Drill::from(scenario).at(hours(3), flush("mx2")).scenario().expect("it reads");
    assert_eq!(longer.steps.len(), 4);
}

#[test]
fn every_fault_can_be_built() {
    let on = || fault("mx1");
    let all = [
        on().blackhole(),
        on().unreachable(),
        on().close(),
        on().silent(),
        on().at(mxdrill_smtp::Stage::Rcpt).reply("451 4.3.0 later").first(3).client("mx2").named("grey"),
        on().at(mxdrill_smtp::Stage::Dot).drop(Moment::BeforeReply).every(2).odds("5%").sender("<>"),
        on().at(mxdrill_smtp::Stage::Mail).delay(seconds(1)).tarpit(1).recipient("@example.test"),
        on().per("10/min"),
        on().crash().lasting(minutes(1)),
        on().at(mxdrill_smtp::Stage::Data).crash_at(Moment::AfterReply),
        on().restart().may_miss().may_bounce(),
        on().disk_full(),
        on().max_connections(5),
        on().greylist(minutes(5)),
        on().size(1000),
        on().tls(TlsFault::Expired),
        link("mx1", "mx2").partition(),
        way("mx2", "mx1").latency(millis(200)).loss("5%").bandwidth(1000).cut_after(10),
        dns("example.test MX").servfail(),
        dns("@ MX").nxdomain(),
        dns("primary A").timeout(),
        dns("mx1 A").delay(seconds(3)),
        dns("mx1").answer(Answer::Truncate),
    ];
    let drill = all.into_iter().fold(drill(), |drill, fault| drill.at(days(1), fault));
    let scenario = drill.scenario().unwrap_or_else(|err| panic!("{:?}", miette::Report::new(err)));
    assert_eq!(scenario.faults().count(), 24);
}

#[test]
fn every_other_step_can_be_built() {
    let drill = drill()
        .why("to see it")
        .seed(9)
        .end(days(2))
        .only_in([WorldKind::Sim], "no other")
        .without_site()
        .unchecked("mx-order", "not here")
        .host(Host::sends("app").like("exim").retry_list([minutes(1)]).lifetime(days(1)).with("hops-max", 30))
        .at(hours(1), send_at_rate("60/h", hours(1)).by("app").from("<>").to("u{1..9}@example.test").size(10))
        .at(hours(3), send(1).to_all(["user@example.test"]).body(Body::Utf8).forged().notify(["never"]))
        .at(hours(4), send(1).message("x.eml", "Subject: x\n\nhello\n"))
        .at(hours(5), set("example.test MX", ["10 mx1"]))
        .at(hours(5), clear("mx1"))
        .at(hours(5), flush("backup"))
        .at(
            hours(6),
            expect(
                queued("all")
                    .is(0)
                    .and(queued("mx2").at_most(0))
                    .and(delay_max().below(hours(9)))
                    .within(hours(1)),
            ),
        );
    let scenario = drill.scenario().unwrap_or_else(|err| panic!("{:?}", miette::Report::new(err)));
    assert_eq!(Drill::from(scenario.clone()).scenario(), Ok(scenario));
}

#[test]
fn a_mistake_is_shown_in_the_text_of_the_drill() {
    let err = drill().at(minutes(1), flush("mx3")).scenario().expect_err("no such host");
    assert_eq!(err.to_string(), "unknown host `mx3`");
}

#[test]
fn every_profile_has_its_word() {
    let known: Vec<&str> = mxdrill_mta::profile::all().iter().map(|(name, _)| *name).collect();
    assert_eq!(Like::ALL.each_ref().map(AsRef::as_ref).to_vec(), known);
}
