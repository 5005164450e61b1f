//! What a host stores, and what is left of it.

use super::*;

const LOG: Segment = Segment(1);

/// A world in which `a` appends `text` and syncs, as token `token`.
fn store(world: &mut World, text: &'static str, token: u64) {
    world.tell(A, move |_, out| {
        out.append(LOG, vec![Bytes::from_static(text.as_bytes())]);
        out.sync(Token(token));
    });
}

#[test]
fn a_sync_takes_a_millisecond_and_several_may_be_under_way() {
    let mut world = World::new();
    store(&mut world, "one ", 1);
    store(&mut world, "two ", 2);
    world.run(10);
    world.check("1 a synced 1\n 1 a synced 2");
}

#[test]
fn what_was_synced_is_there_after_a_restart() {
    let mut world = World::new();
    store(&mut world, "one ", 1);
    store(&mut world, "two ", 2);
    world.run(10);
    world.sim.crash(A);
    world.run(20);
    world.sim.restart(A, Puppet::default());
    world.run(30);
    world.check(
        "1 a synced 1
         1 a synced 2
         10 a Crashed
         20 a Restarted
         20 a kept [b\"one two \"]",
    );
}

#[test]
fn a_sync_under_way_does_not_outlive_the_crash() {
    let mut world = World::new();
    store(&mut world, "one ", 1);
    world.sim.crash(A);
    world.sim.restart(A, Puppet::default());
    world.run(20);
    let story = world.story();
    assert!(story.starts_with("0 a Crashed\n0 a Restarted\n0 a kept ["), "{story}");
    assert!(!story.contains("synced"), "{story}");
}

#[test]
fn a_full_disk_fails_the_sync_and_bites() {
    let mut world = World::new();
    store(&mut world, "one ", 1);
    world.sim.disk(A, Disk { capacity: None, full: Some(Tag(9)) });
    store(&mut world, "two ", 2);
    world.sim.disk(A, Disk::default());
    store(&mut world, "three ", 3);
    world.run(10);
    world.check("0 a bit 9\n 1 a synced 1\n 1 a failed 2 Full\n 1 a synced 3");
    world.sim.restart(A, Puppet::default());
    world.run(20);
    world.check("10 a Crashed\n 10 a Restarted\n 10 a kept [b\"one three \"]");
}

#[test]
fn a_small_disk_fills_up_and_is_freed_by_a_remove() {
    let mut world = World::new();
    world.sim.disk(A, Disk { capacity: Some(8), full: None });
    store(&mut world, "12345", 1);
    store(&mut world, "6789", 2);
    world.tell(A, |_, out| out.remove(LOG));
    store(&mut world, "6789", 3);
    world.run(10);
    world.check("1 a synced 1\n 1 a failed 2 Full\n 1 a synced 3");
}

#[test]
fn a_crashed_host_neither_wakes_nor_is_visited() {
    let mut world = World::new();
    world.tell(A, |_, out| out.wake_at(Time::from_secs(1)));
    world.sim.crash(A);
    world.tell(A, |_, out| out.record(Line::Saw("never".into())));
    world.check("");
    world.run(5000);
    world.check("0 a Crashed").silent();
}
