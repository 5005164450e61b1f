//! The command line, as people and scripts meet it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

const MXDRILL: &str = env!("CARGO_BIN_EXE_mxdrill");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn mxdrill(arguments: &[&str]) -> Output {
    Command::new(MXDRILL).args(arguments).current_dir(root()).output().expect("mxdrill starts")
}

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(mxdrill(arguments).stdout).expect("reports are UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[arguments, &["--format", "json"]].concat())).expect("one document")
}

/// Without what only the wall clock knows.
fn timeless(text: &str) -> String {
    let lines = text.lines().map(|line| line.split(" played in ").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn check_exit(arguments: &[&str], code: i32) {
    let output = mxdrill(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{said}");
}

#[test]
fn commands_print_what_their_pages_say() {
    trycmd::TestCases::new().register_bin("mxdrill", Path::new(MXDRILL)).case("tests/cmd/*.trycmd");
}

/// Each `console` block of the README is a command and the whole of what it prints.
#[test]
fn the_readme_shows_what_is_printed() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).expect("the README is there");
    let (mut told, mut shown) = (Vec::new(), Vec::new());
    for block in readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let (command, text) = block.split_once('\n').expect("a command and its output");
        let arguments: Vec<&str> = command.trim_start_matches("$ mxdrill ").split(' ').collect();
        told.push((command, timeless(text)));
        shown.push((command, timeless(&printed(&arguments))));
    }
    assert_eq!(told.len(), 4);
    assert_eq!(told, shown);
}

/// The README's table of profiles has a row for each, with what `mxdrill profiles` says of it.
#[test]
fn the_readme_has_every_profile() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README is there");
    let table =
        readme.split("\n\n").find(|part| part.starts_with("| `like` |")).expect("a table of profiles");
    let document = json(&["profiles"]);
    let row = |profile: &Value| {
        let word = |key: &str| profile[key].as_str().expect("a text").to_owned();
        let last = profile["last_attempt_seconds"].as_f64().expect("a number") / 3600.0;
        let greeting = &profile["greeting_5xx"];
        let (more, end) = (greeting["more"].as_str(), greeting["last"].as_str());
        format!(
            "| `{}` | {} | {} | {last:.1} h | {}, {} |",
            word("profile"),
            word("about"),
            word("schedule"),
            more.expect("a verdict"),
            end.expect("a verdict")
        )
    };
    let rows: Vec<String> = document["profiles"].as_array().expect("profiles").iter().map(row).collect();
    assert_eq!(table.lines().skip(2).collect::<Vec<_>>(), rows);
}

#[test]
fn profiles_are_columns_markdown_or_json() {
    let text = printed(&["profiles"]);
    assert!(text.starts_with("profile ") && text.contains("\nstalwart "), "{text}");
    let markdown = printed(&["profiles", "--format", "markdown"]);
    assert_eq!(markdown.lines().count(), 2 + 18);
    check_keys(
        &json(&["profiles"])["profiles"][0],
        "profile about schedule lifetime last_attempt_seconds given_up_seconds connect_seconds mx greeting_5xx \
         delay_notice_seconds dane mta_sts source",
    );
}

#[test]
fn a_comparison_is_the_same_whatever_the_jobs() {
    let compare = ["compare", "outage-1h", "--sender", "postfix,qmail", "--backup", "kumomta,james"];
    let with = |more: &[&str]| printed(&[&compare, more].concat());
    assert_eq!(with(&["--jobs", "1"]), with(&["--jobs", "4"]));
    assert_ne!(with(&["--seed", "1"]), with(&["--seed", "2"]));
    assert_eq!(with(&["--format", "markdown"]).lines().filter(|line| line.starts_with("| ")).count(), 2 + 4);
    let document = json(&compare);
    check_keys(&document, "mxdrill schema scenario title world seed rows skipped");
    let row = &document["rows"][3];
    check_keys(row, "sender backup primary verdict rules counts missed_share failover drain delay notes");
    assert_eq!((row["sender"].as_str(), row["backup"].as_str()), (Some("qmail"), Some("james")));
    check_keys(&row["drain"], "held delivered");
    check_exit(&compare, 0);
    check_exit(&["compare", "outage-1h", "--backup", "pigeon"], 2);
    check_exit(&["compare", "scenarios", "--backup", "all"], 2);
}

const REFUSED: &str = "scenarios/reachability/primary-refused.toml";

#[test]
fn exit_codes_are_a_contract() {
    check_exit(&["run", REFUSED], 0);
    check_exit(&["run", REFUSED, "--site", "crates/cli/tests/sites/no-relay.toml"], 1);
    check_exit(&["run", REFUSED, "--nonsense"], 2);
    check_exit(&["run", REFUSED, "--without", "mx9"], 2);
    check_exit(&["run", "crates/cli/tests/drills/unknown-host.toml"], 2);
    check_exit(&["run", "crates/cli/tests/drills/idle.toml"], 3);
    check_exit(&["run", "no-such-drill"], 4);
    check_exit(&["run", "outage-1h", "--world", "live"], 4);
}

#[test]
fn a_failure_beats_what_is_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let idle = fs::read_to_string(root().join("crates/cli/tests/drills/idle.toml")).expect("a drill");
    fs::write(folder.path().join("b.toml"), &idle).expect("written");
    let wrong = idle + "[[step]]\nat = \"10m\"\nexpect = { delivered.mx1 = 7 }\n";
    fs::write(folder.path().join("a.toml"), wrong).expect("written");
    let folder = folder.path().to_str().expect("a name");
    check_exit(&["run", folder, "--jobs", "2"], 1);
}

#[test]
fn a_mistake_is_shown_in_the_text() {
    let said = mxdrill(&["run", "crates/cli/tests/drills/unknown-host.toml"]).stderr;
    let said = String::from_utf8(said).expect("UTF-8");
    for part in ["unknown host `primry`", "unknown-host.toml", "did you mean `primary`?"] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn nothing_is_coloured_where_nobody_watches() {
    assert!(!printed(&["run", REFUSED]).contains('\x1b'));
    assert!(!mxdrill(&["run", "no-such-drill"]).stderr.contains(&0x1b));
}

#[test]
fn the_published_schema_is_the_printed_one() {
    let published = fs::read_to_string(root().join("scenarios/schema.json")).expect("the schema is there");
    assert_eq!(published, printed(&["schema"]), "write it again: cargo run --bin mxdrill -- schema");
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "fish", "zsh"] {
        assert!(printed(&["completions", shell]).contains("world"), "{shell}");
    }
}

/// Whether the keys of an object are just these.
fn check_keys(object: &Value, keys: &str) {
    let found: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut found = found;
    let mut expected: Vec<&str> = keys.split(' ').collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn json_has_the_keys_of_its_contract() {
    let document = json(&["run", REFUSED, "outage-1h", "--world", "sim,live"]);
    check_keys(&document, "mxdrill schema drills skipped");
    assert_eq!(document["schema"], 1);
    let drill = &document["drills"][0];
    check_keys(
        drill,
        "scenario world seed verdict virtual_seconds wall_seconds counts hosts delay failover drain_seconds \
         drained violations journal_hash",
    );
    check_keys(
        &drill["counts"],
        "messages sent acknowledged rejected in_doubt delivered queued bounced discarded lost duplicated unexpected",
    );
    check_keys(&drill["hosts"]["mx2"], "accepted delivered queued_max bytes_max oldest_max sessions_max");
    check_keys(&drill["delay"], "n p50 p95 max");
    check_keys(&drill["failover"], "p50 p95 max");
    check_keys(&drill["drained"], "held n p50 p95 max");
    check_keys(&document["skipped"][0], "scenario world reason");
    assert_eq!(drill["virtual_seconds"], 12600.0);
    assert!(drill["journal_hash"].is_string());
}

#[test]
fn json_tells_each_violation() {
    let document = json(&["run", REFUSED, "--site", "crates/cli/tests/sites/no-relay.toml"]);
    let violation = &document["drills"][0]["violations"][0];
    check_keys(violation, "rule clause host at text recipients");
    assert_eq!(violation["rule"], "bounced");
    assert_eq!(violation["recipients"].as_array().map(Vec::len), Some(40));
}

#[test]
fn a_journal_hash_is_of_a_seed_and_of_sim() {
    let hash = |arguments: &[&str]| {
        json(&[&["run", REFUSED], arguments].concat())["drills"][0]["journal_hash"].clone()
    };
    assert_eq!(hash(&[]), hash(&["--seed", "1"]));
    assert_ne!(hash(&[]), hash(&["--seed", "2"]));
    assert_eq!(hash(&["--world", "live"]), Value::Null);
}

#[test]
fn a_journal_is_records_or_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str| {
        let path = folder.path().join(name);
        check_exit(&["run", REFUSED, "--journal", path.to_str().expect("a name")], 0);
        fs::read(path).expect("a journal")
    };
    assert!(write("a.journal").starts_with(b"mxdrill journal 1\n"));
    let lines = String::from_utf8(write("a.jsonl")).expect("UTF-8");
    assert!(lines.lines().count() > 100);
    for line in lines.lines() {
        let fact: Value = serde_json::from_str(line).expect("a fact a line");
        assert!(fact["fact"].is_string() && fact["at"].is_number(), "{line}");
    }
    check_exit(&["run", "scenarios", "--journal", folder.path().join("b").to_str().expect("a name")], 2);
}

#[test]
fn without_its_backup_the_sender_keeps_the_mail() {
    let story = printed(&["run", REFUSED, "--without", "mx2"]);
    assert!(story.contains("1 MX") && story.contains("app keeps 40"), "{story}");
}

#[test]
fn folders_are_played_in_the_order_of_their_paths_whatever_the_jobs() {
    let reachability = "scenarios/reachability";
    let one = printed(&["run", reachability, "--jobs", "1"]);
    assert_eq!(timeless(&one), timeless(&printed(&["run", reachability, "--jobs", "3"])));
}

#[test]
fn junit_has_a_case_a_drill() {
    let report =
        printed(&["run", REFUSED, "--site", "crates/cli/tests/sites/no-relay.toml", "--format", "junit"]);
    assert!(report.contains("failures=\"1\"") && report.contains("name=\"primary-refused\""), "{report}");
}
