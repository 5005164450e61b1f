//! What people are told of their mistakes: where, what was expected, and a hint.

use insta::assert_snapshot;

use super::{NoFiles, Scenario};

/// The usual zone and hosts, with steps of one's own.
fn steps(steps: &str) -> String {
    whole(&format!("{HEAD}[host.mx2]\nrelays = [\"example.test\"]\n\n{steps}"))
}

/// The usual zone and hosts, with keys of one's own for the backup.
fn backup(keys: &str) -> String {
    whole(&format!("{HEAD}[host.mx2]\nrelays = [\"example.test\"]\n{keys}\n"))
}

/// All that is told of a file.
fn whole(text: &str) -> String {
    let Err(mistakes) = Scenario::parse("story.toml", text, &NoFiles) else {
        return "no mistake was found".into();
    };
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    let mut told = String::new();
    handler.with_width(110).render_report(&mut told, &mistakes).expect("a string takes everything");
    told.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

const HEAD: &str = r#"title = "A story"
[zone]
text = """
$ORIGIN example.test.
@    MX 10 mx1
@    MX 20 mx2
mx1  A  192.0.2.10
mx2  A  192.0.2.20
"""
[host.mx1]
delivers = ["example.test"]
"#;

#[test]
fn a_slip_in_the_key_of_a_fault() {
    assert_snapshot!(steps(r#"[[step]]
at    = "5m"
fault = { host = "primary", conect = "refuse", for = "2h" }
"#), @r#"
     × unknown key `conect`
       ╭─[story.toml:17:29]
    16 │ at    = "5m"
    17 │ fault = { host = "primary", conect = "refuse", for = "2h" }
       ·                             ───┬──
       ·                                ╰── not a key of a fault
       ╰────
     help: did you mean `connect`?
    "#);
}

#[test]
fn a_slip_in_the_word_of_a_fault() {
    assert_snapshot!(steps(r#"[[step]]
at    = "5m"
fault = { host = "primary", connect = "refsue" }
"#), @r#"
     × `refsue` is not what happens to a connect
       ╭─[story.toml:17:39]
    16 │ at    = "5m"
    17 │ fault = { host = "primary", connect = "refsue" }
       ·                                       ────┬───
       ·                                           ╰── expected one of `refuse`, `blackhole`, `unreachable`, `close`, `silent`
       ╰────
     help: did you mean `refuse`?
    "#);
}

#[test]
fn a_host_that_is_not_there() {
    assert_snapshot!(steps(r#"[[step]]
at    = "5m"
fault = { host = "mx3", connect = "refuse" }
"#), @r#"
     × unknown host `mx3`
       ╭─[story.toml:17:18]
    16 │ at    = "5m"
    17 │ fault = { host = "mx3", connect = "refuse" }
       ·                  ──┬──
       ·                    ╰── not a host of this scenario
       ╰────
     help: did you mean `mx1`?
    "#);
}

#[test]
fn a_place_that_the_zone_does_not_have() {
    assert_snapshot!(steps(r#"[[step]]
at    = "5m"
flush = "backup2"
"#), @r#"
     × no host has the place `backup2`: the MX of example.test name 2 of the hosts
       ╭─[story.toml:17:9]
    16 │ at    = "5m"
    17 │ flush = "backup2"
       ·         ────┬────
       ·             ╰── no such place
       ╰────
     help: places follow from the MX records of the zone; only hosts under [host] have one
    "#);
}

#[test]
fn a_number_where_a_duration_belongs() {
    assert_snapshot!(steps(r#"[[step]]
at   = 5
send = { count = 1 }
"#), @r#"
     × expected a duration such as "5m", found an integer
       ╭─[story.toml:16:8]
    15 │ [[step]]
    16 │ at   = 5
       ·        ┬
       ·        ╰── expected a duration such as "5m"
    17 │ send = { count = 1 }
       ╰────
     help: write a unit: "5s" (w d h m s ms)
    "#);
}

#[test]
fn a_duration_without_a_unit() {
    assert_snapshot!(steps(r#"[[step]]
at   = "5m"
send = { count = 1, over = "10" }
"#), @r#"
     × `10` is not a duration such as "5m"
       ╭─[story.toml:17:28]
    16 │ at   = "5m"
    17 │ send = { count = 1, over = "10" }
       ·                            ──┬─
       ·                              ╰── `10` has no unit: w, d, h, m, s or ms
       ╰────
    "#);
}

#[test]
fn an_unknown_unit_of_time() {
    assert_snapshot!(steps(r#"[[step]]
at   = "3 days"
send = { count = 1 }
"#), @r#"
     × `3 days` is not a duration such as "5m"
       ╭─[story.toml:16:8]
    15 │ [[step]]
    16 │ at   = "3 days"
       ·        ────┬───
       ·            ╰── `days` is no unit of time: w, d, h, m, s or ms
    17 │ send = { count = 1 }
       ╰────
    "#);
}

#[test]
fn an_address_without_an_at_sign() {
    assert_snapshot!(steps(r#"[[step]]
at   = "0s"
send = { to = "user" }
"#), @r#"
     × `user` is not an address
       ╭─[story.toml:17:15]
    16 │ at   = "0s"
    17 │ send = { to = "user" }
       ·               ───┬──
       ·                  ╰── an address is `local-part@domain`; this one has no `@`
       ╰────
     help: such as "user@example.test"
    "#);
}

#[test]
fn a_range_of_addresses_that_runs_backwards() {
    assert_snapshot!(steps(r#"[[step]]
at   = "0s"
send = { to = "u{9..1}@example.test" }
"#), @r#"
     × `u{9..1}@example.test` is no range of addresses
       ╭─[story.toml:17:15]
    16 │ at   = "0s"
    17 │ send = { to = "u{9..1}@example.test" }
       ·               ───────────┬──────────
       ·                          ╰── expected "u{1..500}@example.test"
       ╰────
    "#);
}

#[test]
fn a_reply_that_is_no_refusal() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", stage = "rcpt", reply = "250 fine" }
"#), @r#"
     × `250 fine` is no reply of a fault
       ╭─[story.toml:17:49]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", stage = "rcpt", reply = "250 fine" }
       ·                                                 ─────┬────
       ·                                                      ╰── expected a 4xx or 5xx code: a fault says no
       ╰────
     help: such as "451 4.3.0 later"
    "#);
}

#[test]
fn a_reply_without_a_code() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", stage = "rcpt", reply = "come back later" }
"#), @r#"
     × `come back later` is no reply of a fault
       ╭─[story.toml:17:49]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", stage = "rcpt", reply = "come back later" }
       ·                                                 ────────┬────────
       ·                                                         ╰── expected three digits first, such as 451 (RFC 5321 4.2)
       ╰────
     help: such as "451 4.3.0 later"
    "#);
}

#[test]
fn a_reply_that_contradicts_itself() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", stage = "rcpt", reply = "451 5.7.1 later" }
"#), @r#"
     × `451 5.7.1 later` is no reply of a fault
       ╭─[story.toml:17:49]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", stage = "rcpt", reply = "451 5.7.1 later" }
       ·                                                 ────────┬────────
       ·                                                         ╰── the enhanced status code is of another class than the code (RFC 3463 2)
       ╰────
     help: such as "451 4.3.0 later"
    "#);
}

#[test]
fn connect_is_no_stage() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", stage = "connect", reply = "451 later" }
"#), @r#"
     × `connect` is no stage of the dialogue
       ╭─[story.toml:17:33]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", stage = "connect", reply = "451 later" }
       ·                                 ────┬────
       ·                                     ╰── no word has been said yet
       ╰────
     help: write `connect = "refuse"`, or another of its words, instead of `stage`
    "#);
}

#[test]
fn two_faults_in_one() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", connect = "refuse", disk = "full" }
"#), @r#"
     × `disk` contradicts `connect`
       ╭─[story.toml:17:25]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", connect = "refuse", disk = "full" }
       ·                         ───┬───             ──┬─
       ·                            │                  ╰── a fault takes one of the two
       ·                            ╰── the other
       ╰────
    "#);
}

#[test]
fn a_key_of_the_dialogue_beside_a_connect() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", connect = "refuse", first = 3 }
"#), @r#"
     × `first` does not go with `connect`
       ╭─[story.toml:17:25]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", connect = "refuse", first = 3 }
       ·                         ───┬───             ──┬──
       ·                            │                  ╰── goes with `stage`
       ·                            ╰── this fault
       ╰────
    "#);
}

#[test]
fn a_stage_at_which_nothing_happens() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { host = "mx1", stage = "rcpt", first = 3 }
"#), @r#"
     × the fault does not say what happens at this stage
       ╭─[story.toml:17:25]
    16 │ at    = "0s"
    17 │ fault = { host = "mx1", stage = "rcpt", first = 3 }
       ·                         ──┬──
       ·                           ╰── expected `reply`, `drop`, `delay`, `tarpit` or `crash` beside it
       ╰────
     help: such as `reply = "451 4.3.0 later"`
    "#);
}

#[test]
fn a_fault_of_nothing() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { connect = "refuse" }
"#), @r#"
     × a fault of what?
       ╭─[story.toml:17:9]
    16 │ at    = "0s"
    17 │ fault = { connect = "refuse" }
       ·         ───────────┬──────────
       ·                    ╰── expected `host`, `link` or `dns`
       ╰────
     help: such as `host = "primary"`
    "#);
}

#[test]
fn two_faults_of_one_name() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { name = "grey", host = "mx1", greylist = "5m" }
[[step]]
at    = "1h"
fault = { name = "grey", host = "mx2", greylist = "5m" }
"#), @r#"
     × two faults are called `grey`
       ╭─[story.toml:17:18]
    16 │ at    = "0s"
    17 │ fault = { name = "grey", host = "mx1", greylist = "5m" }
       ·                  ───┬──
       ·                     ╰── the first
    18 │ [[step]]
    19 │ at    = "1h"
    20 │ fault = { name = "grey", host = "mx2", greylist = "5m" }
       ·                  ───┬──
       ·                     ╰── the second
       ╰────
    "#);
}

#[test]
fn a_clear_of_a_fault_that_is_not_there() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { name = "grey", host = "mx1", greylist = "5m" }
[[step]]
at    = "1h"
clear = "gray"
"#), @r#"
     × no fault and no host is called `gray`
       ╭─[story.toml:20:9]
    19 │ at    = "1h"
    20 │ clear = "gray"
       ·         ───┬──
       ·            ╰── nothing to clear
       ╰────
     help: did you mean `grey`?
    "#);
}

#[test]
fn a_clear_before_the_fault() {
    assert_snapshot!(steps(r#"[[step]]
at    = "2h"
fault = { name = "grey", host = "mx1", greylist = "5m" }
[[step]]
at    = "1h"
clear = "grey"
"#), @r#"
     × `grey` is cleared before it begins
       ╭─[story.toml:17:18]
    16 │ at    = "2h"
    17 │ fault = { name = "grey", host = "mx1", greylist = "5m" }
       ·                  ───┬──
       ·                     ╰── the fault
    18 │ [[step]]
    19 │ at    = "1h"
    20 │ clear = "grey"
       ·         ───┬──
       ·            ╰── cleared here
       ╰────
    "#);
}

#[test]
fn a_link_to_itself() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { link = "mx1>primary", partition = true }
"#), @r#"
     × a link goes from one host to another
       ╭─[story.toml:17:18]
    16 │ at    = "0s"
    17 │ fault = { link = "mx1>primary", partition = true }
       ·                  ──────┬──────
       ·                        ╰── both ends are the same host
       ╰────
    "#);
}

#[test]
fn a_chance_beyond_one() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { link = "mx2>mx1", loss = 1.5 }
"#), @r#"
     × `1.5` is no chance
       ╭─[story.toml:17:36]
    16 │ at    = "0s"
    17 │ fault = { link = "mx2>mx1", loss = 1.5 }
       ·                                    ─┬─
       ·                                     ╰── a chance is a number from 0 to 1, of at most six decimals
       ╰────
    "#);
}

#[test]
fn a_wrong_answer_of_the_dns() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { dns = "example.test MX", answer = "servfial" }
"#), @r#"
     × `servfial` is not a wrong answer
       ╭─[story.toml:17:45]
    16 │ at    = "0s"
    17 │ fault = { dns = "example.test MX", answer = "servfial" }
       ·                                             ─────┬────
       ·                                                  ╰── expected one of `servfail`, `nxdomain`, `refused`, `timeout`, `nodata`, `truncate`, `stale`
       ╰────
     help: did you mean `servfail`?
    "#);
}

#[test]
fn a_record_type_that_is_none() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
fault = { dns = "example.test MXX", answer = "servfail" }
"#), @r#"
     × `MXX` is no record type that the lab serves: MX, A, AAAA, CNAME, TXT, TLSA, PTR, NS and SOA
       ╭─[story.toml:17:17]
    16 │ at    = "0s"
    17 │ fault = { dns = "example.test MXX", answer = "servfail" }
       ·                 ─────────┬────────
       ·                          ╰── expected a record type
       ╰────
    "#);
}

#[test]
fn a_record_that_cannot_be_read() {
    assert_snapshot!(steps(r#"[[step]]
at  = "0s"
set = { dns = "mx1 A", to = ["192.0.2.999"] }
"#), @r#"
     × the record cannot be read: expected an IPv4 address, found `192.0.2.999`
       ╭─[story.toml:17:29]
    16 │ at  = "0s"
    17 │ set = { dns = "mx1 A", to = ["192.0.2.999"] }
       ·                             ───────┬───────
       ·                                    ╰── expected the data in master-file form
       ╰────
    "#);
}

#[test]
fn a_step_that_does_nothing() {
    assert_snapshot!(steps(r#"[[step]]
at = "0s"
"#), @r#"
     × the step does nothing
       ╭─[story.toml:15:1]
    14 │
    15 │ [[step]]
       · ────┬───
       ·     ╰── expected one of `send`, `fault`, `clear`, `flush`, `set`, `expect`
    16 │ at = "0s"
       ╰────
    "#);
}

#[test]
fn a_step_that_does_two_things() {
    assert_snapshot!(steps(r#"[[step]]
at    = "0s"
send  = { count = 1 }
flush = "mx2"
"#), @r#"
     × `flush` contradicts `send`
       ╭─[story.toml:17:1]
    16 │ at    = "0s"
    17 │ send  = { count = 1 }
       · ──┬─
       ·   ╰── the other
    18 │ flush = "mx2"
       · ──┬──
       ·   ╰── a step takes one of the two
       ╰────
    "#);
}

#[test]
fn a_step_without_a_time() {
    assert_snapshot!(steps(r#"[[step]]
send = { count = 1 }
"#), @r#"
     × a step needs `at`
       ╭─[story.toml:15:1]
    14 │
    15 │ [[step]]
       · ────┬───
       ·     ╰── `at` is missing
    16 │ send = { count = 1 }
       ╰────
     help: such as `at = "5m"`
    "#);
}

#[test]
fn one_bracket_too_few() {
    assert_snapshot!(steps(r#"[step]
at   = "0s"
send = { count = 1 }
"#), @r#"
     × expected an array of steps, found a table
       ╭─[story.toml:15:1]
    14 │
    15 │ [step]
       · ───┬──
       ·    ╰── expected an array of steps
    16 │ at   = "0s"
       ╰────
     help: each step begins with [[step]], in two brackets
    "#);
}

#[test]
fn a_count_beside_a_rate() {
    assert_snapshot!(steps(r#"[[step]]
at   = "0s"
send = { count = 10, rate = "3000/h", for = "1h" }
"#), @r#"
     × `rate` contradicts `count`
       ╭─[story.toml:17:10]
    16 │ at   = "0s"
    17 │ send = { count = 10, rate = "3000/h", for = "1h" }
       ·          ──┬──       ──┬─
       ·            │           ╰── a send takes one of the two
       ·            ╰── the other
       ╰────
    "#);
}

#[test]
fn a_rate_without_an_end() {
    assert_snapshot!(steps(r#"[[step]]
at   = "0s"
send = { rate = "3000/h" }
"#), @r#"
     × `rate` needs `for`
       ╭─[story.toml:17:10]
    16 │ at   = "0s"
    17 │ send = { rate = "3000/h" }
       ·          ──┬─
       ·            ╰── `for` is missing
       ╰────
     help: such as `for = "2h"`
    "#);
}

#[test]
fn a_message_beside_a_made_one() {
    assert_snapshot!(steps(r#"[[step]]
at   = "0s"
send = { message = "x.eml", size = "1 MB" }
"#), @r#"
     × `size` contradicts `message`
       ╭─[story.toml:17:10]
    16 │ at   = "0s"
    17 │ send = { message = "x.eml", size = "1 MB" }
       ·          ───┬───            ──┬─
       ·             │                 ╰── a send takes one of the two
       ·             ╰── the other
       ╰────
    "#);
}

#[test]
fn a_figure_that_is_none() {
    assert_snapshot!(steps(r#"[[step]]
at     = "20m"
expect = { queud.mx2 = 40 }
"#), @r#"
     × there is no figure `queud`
       ╭─[story.toml:17:12]
    16 │ at     = "20m"
    17 │ expect = { queud.mx2 = 40 }
       ·            ──┬──
       ·              ╰── not a figure
       ╰────
     help: did you mean `queued`?
    "#);
}

#[test]
fn a_figure_of_an_unknown_host() {
    assert_snapshot!(steps(r#"[[step]]
at     = "20m"
expect = { queued.mx22 = 40 }
"#), @r#"
     × unknown host `mx22`
       ╭─[story.toml:17:19]
    16 │ at     = "20m"
    17 │ expect = { queued.mx22 = 40 }
       ·                   ──┬─
       ·                     ╰── not a host of this scenario
       ╰────
     help: did you mean `mx2`?
    "#);
}

#[test]
fn a_figure_of_nothing() {
    assert_snapshot!(steps(r#"[[step]]
at     = "20m"
expect = { queued = 40 }
"#), @r#"
     × expected a figure of something, found an integer
       ╭─[story.toml:17:21]
    16 │ at     = "20m"
    17 │ expect = { queued = 40 }
       ·                     ─┬
       ·                      ╰── expected a figure of something
       ╰────
     help: write `queued.all = ...`, or a host instead of `all`
    "#);
}

#[test]
fn a_number_where_a_time_is_measured() {
    assert_snapshot!(steps(r#"[[step]]
at     = "20m"
expect = { delay.max = 40 }
"#), @r#"
     × `delay.max` is a duration: `40` has no unit: w, d, h, m, s or ms
       ╭─[story.toml:17:24]
    16 │ at     = "20m"
    17 │ expect = { delay.max = 40 }
       ·                        ─┬
       ·                         ╰── expected such as 40, "<= 40" or "<= 3h30m"
       ╰────
    "#);
}

#[test]
fn an_unknown_profile() {
    assert_snapshot!(backup(r#"like = "postfxi""#), @r#"
     × unknown profile `postfxi`
       ╭─[story.toml:14:8]
    13 │ relays = ["example.test"]
    14 │ like = "postfxi"
       ·        ────┬────
       ·            ╰── expected one of `rfc5321`, `postfix`, `exim`, `sendmail`, `opensmtpd`, `qmail`, `haraka`, `stalwart`, `kumomta`, `mox`, `chasquid`, `maddy`, `postal`, `zonemta`, `dma`, `exchange`, `james`, `one-try`
       ╰────
     help: did you mean `postfix`?
    "#);
}

#[test]
fn a_part_of_one_schedule_over_another_kind() {
    assert_snapshot!(backup(r#"like = "exim"
retry = { age = { min = "5m" } }"#), @r#"
     × a part of `age` over the schedule `rules` of exim: `max` is missing to make it whole
       ╭─[story.toml:15:9]
    14 │ like = "exim"
    15 │ retry = { age = { min = "5m" } }
       ·         ────────────┬───────────
       ·                     ╰── a part of another schedule
       ╰────
     help: give the whole schedule, or the parts of the kind that the profile has
    "#);
}

#[test]
fn two_kinds_of_schedule_at_once() {
    assert_snapshot!(backup(r#"retry = { list = ["5m"], rules = "F,2h,15m" }"#), @r#"
     × `rules` contradicts `list`
       ╭─[story.toml:14:11]
    13 │ relays = ["example.test"]
    14 │ retry = { list = ["5m"], rules = "F,2h,15m" }
       ·           ──┬─           ──┬──
       ·             │              ╰── a retry schedule takes one of the two
       ·             ╰── the other
       ╰────
    "#);
}

#[test]
fn a_retry_rule_that_is_none() {
    assert_snapshot!(backup(r#"retry = { rules = "F,2h,15m; H,4h" }"#), @r#"
     × `H,4h` is no retry rule
       ╭─[story.toml:14:19]
    13 │ relays = ["example.test"]
    14 │ retry = { rules = "F,2h,15m; H,4h" }
       ·                   ────────┬───────
       ·                           ╰── expected `F,until,every` or `G,until,first,factor`, separated by `;`
       ╰────
    "#);
}

#[test]
fn a_size_without_a_unit() {
    assert_snapshot!(backup(r#"spool = "10""#), @r#"
     × `10` is not a size such as "10 MB"
       ╭─[story.toml:14:9]
    13 │ relays = ["example.test"]
    14 │ spool = "10"
       ·         ──┬─
       ·           ╰── `10` has no unit (one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)
       ╰────
    "#);
}

#[test]
fn a_route_without_brackets() {
    assert_snapshot!(backup(r#"route = { "example.test" = "mx1" }"#), @r#"
     × a next hop stands in brackets
       ╭─[story.toml:14:28]
    13 │ relays = ["example.test"]
    14 │ route = { "example.test" = "mx1" }
       ·                            ──┬──
       ·                              ╰── expected "[mx1]"
       ╰────
     help: write "[mx1]": the host itself, without an MX look-up
    "#);
}

#[test]
fn a_domain_both_delivered_and_relayed() {
    assert_snapshot!(backup(r#"delivers = ["example.test"]"#), @r#"
     × example.test is both delivered and relayed
       ╭─[story.toml:13:1]
    12 │ [host.mx2]
    13 │ relays = ["example.test"]
       · ───┬──
       ·    ╰── a host is the final destination of a domain, or holds it for a better MX
    14 │ delivers = ["example.test"]
       · ────┬───
       ·     ╰── delivered here
       ╰────
    "#);
}

#[test]
fn like_and_run() {
    assert_snapshot!(backup(r#"like = "postfix"
run = "lettre""#), @r#"
     × `run` contradicts `like`
       ╭─[story.toml:14:1]
    13 │ relays = ["example.test"]
    14 │ like = "postfix"
       · ──┬─
       ·   ╰── the other
    15 │ run = "lettre"
       · ─┬─
       ·  ╰── a host takes one of the two
       ╰────
    "#);
}

#[test]
fn a_mistake_in_the_zone() {
    assert_snapshot!(whole(r#"title = "A mistake in the zone"
[zone]
text = """
$ORIGIN example.test.
@    MX 10 mx1
mx1  A  192.0.2.300
"""
"#), @r#"
     × the zone cannot be read: expected an IPv4 address, found `192.0.2.300`
      ╭─[story.toml:6:9]
    5 │ @    MX 10 mx1
    6 │ mx1  A  192.0.2.300
      ·         ─────┬─────
      ·              ╰── here
    7 │ """
      ╰────
     help: such as `mx1 A 192.0.2.10`
    "#);
}

#[test]
fn no_zone() {
    assert_snapshot!(whole(r#"title = "No zone"
"#), @r#"
     × a scenario needs `zone`
      ╭─[story.toml:1:1]
    1 │ title = "No zone"
      · ▲
      · ╰── `zone` is missing
      ╰────
     help: such as `[zone]` with `text = """$ORIGIN example.test. ..."""`
    "#);
}

#[test]
fn no_title_and_a_slip() {
    assert_snapshot!(whole(r#"titel = "A slip"
[zone]
text = """
$ORIGIN example.test.
@ MX 10 mx1
"""
"#), @r#"
     × unknown key `titel`
      ╭─[story.toml:1:1]
    1 │ titel = "A slip"
      · ──┬──
      ·   ╰── not a key of a scenario
    2 │ [zone]
      ╰────
     help: did you mean `title`?
    "#);
}

#[test]
fn a_host_that_is_called_all() {
    assert_snapshot!(whole(r#"title = "A reserved word"
[zone]
text = """
$ORIGIN example.test.
@ MX 10 mx1
"""
[host.all]
delivers = ["example.test"]
"#), @r#"
     × a host cannot be called `all`
      ╭─[story.toml:7:7]
    6 │ """
    7 │ [host.all]
      ·       ─┬─
      ·        ╰── not a name for a host
    8 │ delivers = ["example.test"]
      ╰────
     help: `all`, `primary`, `backup` and `backup2` to `backup9` are words of steps: places follow from the MX
    "#);
}

#[test]
fn a_zone_file_that_is_not_there() {
    assert_snapshot!(whole(r#"title = "No file"
[zone]
files = ["example.test.zone"]
"#), @r#"
     × cannot read `example.test.zone`
      ╭─[story.toml:3:10]
    2 │ [zone]
    3 │ files = ["example.test.zone"]
      ·          ─────────┬─────────
      ·                   ╰── this scenario has no folder to look in
      ╰────
    "#);
}

#[test]
fn an_end_before_the_last_step() {
    assert_snapshot!(whole(r#"title = "Too early"
end   = "1h"
[zone]
text = """
$ORIGIN example.test.
@ MX 10 mx1
"""
[host.mx1]
delivers = ["example.test"]
[[step]]
at    = "2h"
flush = "mx1"
"#), @r#"
     × the drill ends before its last step
      ╭─[story.toml:2:1]
    1 │ title = "Too early"
    2 │ end   = "1h"
      · ─┬─
      ·  ╰── the last step is at 2h
    3 │ [zone]
      ╰────
    "#);
}

#[test]
fn worlds_without_a_reason() {
    assert_snapshot!(whole(r#"title = "Why?"
worlds = ["sim", "moon"]
[zone]
text = """
$ORIGIN example.test.
@ MX 10 mx1
"""
"#), @r#"
      × a scenario needs `worlds-why`
       ╭─[story.toml:1:1]
     1 │ title = "Why?"
       · ▲
       · ╰── `worlds-why` is missing
     2 │ worlds = ["sim", "moon"]
       ╰────
      help: such as `worlds-why = "needs a simulated disk"`

    Error:
      × `moon` is not a world
       ╭─[story.toml:2:18]
     1 │ title = "Why?"
     2 │ worlds = ["sim", "moon"]
       ·                  ───┬──
       ·                     ╰── expected one of `sim`, `live`, `netns`
     3 │ [zone]
       ╰────
    "#);
}

#[test]
fn an_unknown_check() {
    assert_snapshot!(whole(r#"title = "Off"
[unchecked]
mx-oder = "they are shuffled"
[zone]
text = """
$ORIGIN example.test.
@ MX 10 mx1
"""
"#), @r#"
     × unknown check `mx-oder`
      ╭─[story.toml:3:1]
    2 │ [unchecked]
    3 │ mx-oder = "they are shuffled"
      · ───┬───
      ·    ╰── not the name of a check
    4 │ [zone]
      ╰────
     help: did you mean `mx-order`?
    "#);
}

#[test]
fn no_toml() {
    assert_snapshot!(whole(r#"title = "No end
[zone
"#), @r#"
      × this is not TOML: invalid basic string, expected `"`
       ╭─[story.toml:1:16]
     1 │ title = "No end
       ·                ▲
       ·                ╰── here
     2 │ [zone
       ╰────

    Error:
      × this is not TOML: unclosed table, expected `]`
       ╭─[story.toml:2:6]
     1 │ title = "No end
     2 │ [zone
       ·      ▲
       ·      ╰── here
       ╰────
    "#);
}

#[test]
fn several_mistakes_at_once() {
    assert_snapshot!(whole(r#"title = "Several"
sead  = 7
[zone]
text = """
$ORIGIN example.test.
@ MX 10 mx1
"""
[host.mx1]
delivers = ["example.test"]
liek     = "postfix"
[[step]]
at    = "soon"
flush = "mx2"
"#), @r#"
      × unknown key `sead`
       ╭─[story.toml:2:1]
     1 │ title = "Several"
     2 │ sead  = 7
       · ──┬─
       ·   ╰── not a key of a scenario
     3 │ [zone]
       ╰────
      help: did you mean `seed`?

    Error:
      × unknown key `liek`
        ╭─[story.toml:10:1]
      9 │ delivers = ["example.test"]
     10 │ liek     = "postfix"
        · ──┬─
        ·   ╰── not a key of a host
     11 │ [[step]]
        ╰────
      help: did you mean `like`?

    Error:
      × `soon` is not a duration such as "5m"
        ╭─[story.toml:12:9]
     11 │ [[step]]
     12 │ at    = "soon"
        ·         ───┬──
        ·            ╰── `soon` is no unit of time: w, d, h, m, s or ms
     13 │ flush = "mx2"
        ╰────

    Error:
      × unknown host `mx2`
        ╭─[story.toml:13:9]
     12 │ at    = "soon"
     13 │ flush = "mx2"
        ·         ──┬──
        ·           ╰── not a host of this scenario
        ╰────
      help: did you mean `mx1`?
    "#);
}

#[test]
fn more_messages_than_memory() {
    assert_snapshot!(steps(r#"[[step]]
at   = "0s"
send = { count = 4000000000 }
"#), @r#"
     × 4000000000 is out of bounds
       ╭─[story.toml:17:18]
    16 │ at   = "0s"
    17 │ send = { count = 4000000000 }
       ·                  ─────┬────
       ·                       ╰── expected a number of messages, 1 to 10000000
       ╰────
    "#);
}

#[test]
fn a_name_for_many_faults() {
    assert_snapshot!(steps(r#"[[step]]
at     = "0s"
fault  = { name = "down", host = "primary", connect = "refuse" }
repeat = { every = "1m", times = 3 }
"#), @r#"
     × all of these faults would be called `down`
       ╭─[story.toml:18:10]
    17 │ fault  = { name = "down", host = "primary", connect = "refuse" }
    18 │ repeat = { every = "1m", times = 3 }
       ·          ─────────────┬─────────────
       ·                       ╰── leave out `name`
       ╰────
    "#);
}

#[test]
fn two_hosts_at_one_address() {
    assert_snapshot!(backup(r#"addresses = ["192.0.2.10"]"#), @r#"
     × mx1 and mx2 have the same address
       ╭─[story.toml:12:7]
    11 │ delivers = ["example.test"]
    12 │ [host.mx2]
       ·       ─┬─
       ·        ╰── 192.0.2.10 is there twice
    13 │ relays = ["example.test"]
       ╰────
    "#);
}
