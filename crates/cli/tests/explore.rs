//! `mxdrill explore` and `merge`, as people, scripts and the engines that spread them meet them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

const MXDRILL: &str = env!("CARGO_BIN_EXE_mxdrill");

/// A site whose backup was never told to relay: an outage of the primary bounces mail.
fn site() -> String {
    r#"title = "A backup that does not relay"
[zone]
text = """
$ORIGIN example.test.
@    MX 10 mx1
@    MX 20 mx2
"""
[host.mx1]
delivers = ["example.test"]
[host.mx2]
[host.app]
like = "postfix"
[[step]]
at   = "0s"
send = { by = "app" }
"#
    .into()
}

fn mxdrill(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(MXDRILL).args(arguments).current_dir(folder).output().expect("mxdrill starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn check(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = mxdrill(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", said(&output));
    said(&output)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn what_is_found_is_saved_as_a_file_that_fails_again() {
    let folder = folder();
    fs::write(folder.path().join("site.toml"), site()).expect("it is written");
    let arguments = ["explore", "site.toml", "--seeds", "200", "--faults", "connect", "--save", "found"];
    let told = check(folder.path(), &arguments, 1);
    assert!(told.contains("safety `bounced`") && told.contains("mx2 does not relay example.test"), "{told}");
    let saved: Vec<PathBuf> = fs::read_dir(folder.path().join("found"))
        .expect("it was made")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let [file] = &saved[..] else { panic!("one file: {saved:?}") };
    let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(name.starts_with("bounced-1-") && name.ends_with(".toml"), "{name}");
    let again = check(folder.path(), &["run", file.to_str().expect("a path")], 1);
    assert!(again.contains("bounced") && again.contains("FAIL"), "{again}");
}

#[test]
fn a_sound_site_passes_and_coverage_says_what_was_never_tried() {
    let told = check(folder().path(), &["explore", "primary-refused", "--seeds", "3"], 0);
    assert!(told.contains("PASS  3 drills"), "{told}");
    assert!(told.contains("never bit: ") && told.contains("\n  mx1 "), "{told}");
}

#[test]
fn lines_are_the_same_whatever_the_jobs() {
    let folder = folder();
    fs::write(folder.path().join("site.toml"), site()).expect("it is written");
    let with = |jobs| {
        let arguments = ["explore", "site.toml", "--seeds", "12", "--faults", "connect", "--keep-going"];
        let more = ["--format", "jsonl", "--jobs", jobs];
        let output = mxdrill(folder.path(), &[&arguments[..], &more].concat());
        String::from_utf8(output.stdout).expect("lines are UTF-8")
    };
    let one = with("1");
    assert_eq!(one, with("2"));
    let lines: Vec<Value> = one.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["type"], "begin");
    assert_eq!(lines[lines.len() - 1]["type"], "end");
    assert!(lines.iter().any(|line| line["type"] == "finding"));
    assert!(lines.iter().any(|line| line["type"] == "shrunk"));
}

#[test]
fn mistakes_are_said() {
    let folder = folder();
    let check = |arguments: &[&str], words: &str| {
        let told = self::check(folder.path(), &[&["explore", "primary-refused"], arguments].concat(), 2);
        assert!(told.contains(words), "{told}");
    };
    check(&["--partition", "9/8"], "`9/8` is no share");
    check(&["--partition", "auto"], "no share is in the environment");
    check(&["--faults", "gremlins"], "`gremlins` is no family of faults");
    check(&["--seeds", "3", "--time", "3s"], "cannot be used with");
}

/// Plays the body of the Slurm script as a task of an array would.
fn task(folder: &Path, id: u32) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/explore.slurm.sh");
    let variables = [
        ("MXDRILL", MXDRILL),
        ("SCENARIO", "primary-refused"),
        ("SEEDS", "16"),
        ("SLURM_CPUS_PER_TASK", "1"),
    ];
    Command::new("sh")
        .arg(script)
        .current_dir(folder)
        .envs(variables)
        .env("SLURM_ARRAY_TASK_ID", id.to_string())
        .env("SLURM_ARRAY_TASK_COUNT", "8")
        .env("SLURM_ARRAY_TASK_MIN", "1")
        .output()
        .expect("a shell starts")
}

#[test]
fn the_slurm_script_shares_the_drills_and_merge_joins_them() {
    let folder = folder();
    for id in 1..=8 {
        let output = task(folder.path(), id);
        assert!(output.status.success(), "{}", said(&output));
    }
    let files: Vec<String> = (1..=8).map(|id| format!("results/{id}.jsonl")).collect();
    let merge = |code| {
        let files: Vec<&str> =
            files.iter().map(String::as_str).filter(|file| folder.path().join(file).exists()).collect();
        check(folder.path(), &[&["merge"], &files[..]].concat(), code)
    };
    assert!(merge(0).contains("PASS  16 drills"));
    // a task that is killed half way leaves a file without its end
    let third = folder.path().join(&files[2]);
    let text = fs::read_to_string(&third).expect("it is there");
    fs::write(&third, &text[..text.len() / 2]).expect("it is written");
    let told = merge(3);
    assert!(
        told.contains("share 3/8 was killed: results/3.jsonl has no end") && told.contains("UNKNOWN"),
        "{told}"
    );
    fs::remove_file(&third).expect("it was there");
    assert!(merge(3).contains("share 3/8 is missing"));
    assert!(task(folder.path(), 3).status.success());
    assert!(merge(0).contains("PASS  16 drills"));
}
