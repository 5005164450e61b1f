//! Time in a live world: it leaps where nothing happens, and stands still where nobody runs it.

use std::sync::mpsc;

use super::*;

#[test]
fn an_idle_world_stays_where_it_fell_silent() {
    let mut live = live();
    let mut world = World::new(&mut live);
    assert_eq!(world.run(hours(5)), Stop::Idle);
    assert!(world.driver.now() < hours(1));
    world.visit(A, |_, out| out.wake_at(hours(6)));
    assert_eq!(world.driver.now(), hours(5), "who acts on it acts at the time that was asked for");
    assert_eq!(world.run(Time::MAX), Stop::Idle);
    assert_eq!(world.lines, ["a timer at 6 h"]);
}

#[test]
fn a_run_ends_at_the_very_time() {
    let mut live = live();
    let mut world = World::new(&mut live);
    world.visit(A, |_, out| out.wake_at(hours(9)));
    assert_eq!(world.run(hours(3)), Stop::Reached);
    assert_eq!(world.driver.now(), hours(3));
    assert_eq!(world.driver.clock().now(), hours(3));
}

#[test]
fn a_sink_gets_the_world_back() {
    let mut live = live();
    let mut world = World::new(&mut live);
    world.connect(b());
    world.send(b"hello");
    let mut seen = 0;
    world.close();
    let stop = world.driver.run_until(hours(9), &mut |_, _, _| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((stop, seen), (Stop::Asked, 1));
    world.run(hours(9));
    assert_eq!(world.lines.last().map(String::as_str), Some("b 5 bytes came in"));
}

#[test]
fn sleepers_take_part_in_the_leaps() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let clock = world.driver.clock();
    let (said, heard) = mpsc::channel();
    let (ready, go) = mpsc::channel();
    world.driver.handle().spawn(async move {
        let sleep = clock.sleep_until(hours(24));
        ready.send(()).expect("the test waits");
        sleep.await;
        said.send(clock.now()).expect("the test listens");
        clock.sleep_until(hours(120)).await;
        said.send(clock.now()).expect("the test listens");
    });
    go.recv().expect("the task begins");
    let _foreign = world.driver.foreign();
    world.run(hours(200));
    let woken: Vec<_> = heard.iter().collect();
    assert_eq!(woken.iter().map(|at| at.elapsed().as_secs() / 3600).collect::<Vec<_>>(), [24, 120]);
}

#[test]
fn another_thread_can_ask_for_the_world() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let _foreign = world.driver.foreign();
    let clock = world.driver.clock();
    let asker = std::thread::spawn(move || clock.interrupt());
    assert_eq!(world.run(Time::MAX), Stop::Asked);
    asker.join().expect("it asked");
}

#[test]
fn a_world_ends_the_sleep_of_its_services() {
    let mut live = live();
    let world = World::new(&mut live);
    let sleep = world.driver.clock().sleep_until(hours(1));
    let (said, heard) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    drop(live);
    runtime.block_on(async move {
        sleep.await;
        said.send(()).expect("the test listens");
    });
    assert_eq!(heard.recv(), Ok(()));
}

#[test]
fn many_worlds_are_live_at_once() {
    let mut lives: Vec<_> = (0..5).map(|_| live()).collect();
    let mut worlds: Vec<_> = lives.iter_mut().map(World::new).collect();
    for world in &mut worlds {
        world.connect(b());
        assert_eq!(by_host(&world.lines), ["a connected to 192.0.2.2:25", "b connection from 192.0.2.1"]);
    }
    let mut addresses: Vec<_> =
        worlds.iter().map(|world| world.driver.actual(b()).expect("open").ip()).collect();
    addresses.dedup();
    assert_eq!(addresses.len(), 5);
}

#[tokio::test]
async fn a_world_runs_inside_a_runtime_of_its_user() {
    let mut live = live();
    let mut world = World::new(&mut live);
    world.connect(b());
    assert_eq!(world.lines.len(), 2);
}

#[test]
fn a_port_that_somebody_has_is_a_typed_error() {
    #[expect(clippy::disallowed_methods, reason = "somebody else has the port")]
    let other = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = other.local_addr().expect("bound").port();
    let error = Live::<Puppet, Line>::new(LiveOptions { port: Some(port), ..LiveOptions::default() }).err();
    assert!(matches!(error, Some(LiveError::Port { port: taken, .. }) if taken == port), "{error:?}");
}
