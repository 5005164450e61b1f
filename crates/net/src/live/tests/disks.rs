//! Disks: what a sync promises, what a crash and a new world find.

use super::*;

fn append(world: &mut World<'_, impl Driver<Puppet, Line> + ?Sized>, segment: u64, text: &'static str) {
    world.visit(B, move |_, out| out.append(Segment(segment), vec![Bytes::from_static(text.as_bytes())]));
}

fn sync(world: &mut World<'_, impl Driver<Puppet, Line> + ?Sized>, token: u64) {
    world.visit(B, move |_, out| out.sync(Token(token)));
    world.pass(1);
}

/// Plays a story of `b`'s disk in sim, in memory and in files.
fn check_disk(story: fn(&mut World<'_, Any<'_>>), expected: &str) {
    check(story, expected);
    let mut live = live_with(LiveOptions::default());
    let mut world = World::new(&mut live as &mut Any<'_>);
    story(&mut world);
    assert_eq!(by_host(&world.lines), by_host_of(expected), "in files");
    assert!(live.errors().is_empty(), "{:?}", live.errors());
}

#[test]
fn what_was_synced_outlives_a_crash() {
    check_disk(
        |world| {
            append(world, 1, "one");
            append(world, 2, "two");
            append(world, 1, " more");
            sync(world, 8);
            world.driver.restart(B, puppet(b()));
            world.pass(1);
        },
        "b synced 8
         b Crashed
         b Restarted
         b restarts with one more|two",
    );
}

#[test]
fn a_removed_segment_is_gone() {
    check_disk(
        |world| {
            append(world, 1, "one");
            append(world, 2, "two");
            sync(world, 1);
            world.visit(B, |_, out| out.remove(Segment(1)));
            sync(world, 2);
            world.driver.restart(B, puppet(b()));
            world.pass(1);
        },
        "b synced 1
         b synced 2
         b Crashed
         b Restarted
         b restarts with two",
    );
}

#[test]
fn a_full_disk_cuts_back_to_the_last_sync() {
    check_disk(
        |world| {
            append(world, 1, "kept");
            sync(world, 1);
            append(world, 1, " lost");
            world.driver.disk(B, Disk { capacity: None, full: Some(Tag(7)) });
            append(world, 1, " refused");
            sync(world, 2);
            world.driver.disk(B, Disk::default());
            append(world, 1, " again");
            sync(world, 3);
            world.driver.restart(B, puppet(b()));
            world.pass(1);
        },
        "b synced 1
         b bit by 7
         b failed 2 Full
         b synced 3
         b Crashed
         b Restarted
         b restarts with kept again",
    );
}

#[test]
fn what_does_not_fit_is_refused_and_removing_makes_room() {
    check_disk(
        |world| {
            world.driver.disk(B, Disk { capacity: Some(5), full: None });
            append(world, 1, "abc");
            sync(world, 1);
            append(world, 2, "def");
            sync(world, 2);
            world.visit(B, |_, out| out.remove(Segment(1)));
            append(world, 2, "defgh");
            sync(world, 3);
        },
        "b synced 1
         b failed 2 Full
         b synced 3",
    );
}

#[test]
fn a_world_on_the_same_folder_begins_where_the_last_one_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = LiveOptions { spool: Some(folder.path().into()), ..LiveOptions::default() };
    let mut live = live_with(options.clone());
    let mut world = World::new(&mut live);
    append(&mut world, 1, "synced");
    sync(&mut world, 1);
    append(&mut world, 1, " not synced");
    drop(live);
    let mut live = live_with(options);
    let world = World::new(&mut live);
    assert_eq!(world.lines, ["b restarts with synced"]);
    let file = folder.path().join("b/00000000000000000001.seg");
    assert_eq!(std::fs::read(file).expect("a file"), b"synced");
}

#[test]
fn a_temporary_spool_goes_with_its_world() {
    let mut live = live_with(LiveOptions::default());
    let mut world = World::new(&mut live);
    append(&mut world, 1, "x");
    sync(&mut world, 1);
    let root = world.driver.engine.spool.root().expect("in files").to_path_buf();
    assert!(root.join("b").is_dir());
    drop(live);
    assert!(!root.exists());
}

#[test]
fn a_spool_that_cannot_be_used_is_a_typed_error() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let options = LiveOptions { spool: Some(file.path().into()), ..LiveOptions::default() };
    let mut live = live_with(options);
    let world = World::new(&mut live);
    assert!(matches!(world.driver.errors(), [LiveError::Spool { .. }, ..]), "{:?}", world.driver.errors());
}

#[test]
fn a_name_does_not_lead_out_of_the_spool() {
    let check = |name: &str, folder: &str| assert_eq!(crate::live::spool::folder_name(name), folder);
    check("mx1.example.test", "mx1.example.test");
    check("../../etc", "_._.._etc");
    check("", "_");
    check("a/b", "a_b");
}

#[test]
fn errors_of_the_device_keep_their_kind() {
    let of = |kind: std::io::ErrorKind| crate::live::store::why(&kind.into());
    assert_eq!(of(std::io::ErrorKind::StorageFull), StoreError::Full);
    assert_eq!(of(std::io::ErrorKind::PermissionDenied), StoreError::Io);
}
