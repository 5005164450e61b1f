//! Time in a live world: it leaps where nothing happens, and stands still where nobody runs it.

use std::{future::poll_fn, pin::pin, sync::mpsc};

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
fn who_takes_the_world_from_a_run_acts_at_that_time() {
    let mut live = live();
    let mut world = World::new(&mut live);
    world.visit(A, |_, out| out.wake_at(hours(2)));
    let stop = world.driver.run_until(hours(9), &mut |_, _, _| ControlFlow::Break(()));
    assert_eq!(stop, Stop::Asked);
    world.driver.crash(B);
    assert!(world.driver.now() < hours(3), "and not when the run was to end");
}

#[test]
fn sleepers_take_part_in_the_leaps() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let clock = world.driver.clock();
    let (said, heard) = mpsc::channel();
    let serving = clock.serve(a());
    world.driver.handle().spawn(async move {
        for at in [24, 120] {
            serving.sleep_until(hours(at)).await;
            said.send(clock.now().elapsed().as_secs() / 3600).expect("the test listens");
        }
        let (mut sleep, mut serving) = (pin!(clock.sleep_until(hours(150))), Some(serving));
        poll_fn(|context| {
            let polled = sleep.as_mut().poll(context);
            serving.take(); // busy until the last sleep has begun
            polled
        })
        .await;
        said.send(150).expect("the test listens");
    });
    world.run(hours(200));
    world.run(hours(300));
    assert_eq!(heard.iter().collect::<Vec<_>>(), [24, 120, 150]);
}

/// The service is asked twice: it never answers the first time, and the second time after an hour.
#[test]
fn a_service_that_says_when_it_is_busy_is_waited_for() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let name: SocketAddr = "192.0.2.53:53".parse().expect("an address");
    let clock = world.driver.clock();
    #[expect(clippy::disallowed_methods, reason = "a service outside the driver")]
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    world.driver.register(name, socket.local_addr().expect("bound")).expect("on loopback");
    socket.set_nonblocking(true).expect("a socket");
    world.driver.handle().spawn(async move {
        let socket = tokio::net::UdpSocket::from_std(socket).expect("a socket");
        let mut buffer = [0; 100];
        for answers in [false, true] {
            let (count, from) = socket.recv_from(&mut buffer).await.expect("a query");
            let serving = clock.serve(from);
            if answers {
                serving.sleep_until(clock.now() + Duration::from_secs(3600)).await;
                socket.send_to(&buffer[..count], from).await.expect("an answer");
            }
        }
    });
    world.visit(A, move |_, out| out.datagram(a(), name, Bytes::from_static(b"silence")));
    assert_eq!(world.run(hours(10)), Stop::Idle);
    world.visit(A, move |_, out| out.datagram(a(), name, Bytes::from_static(b"query")));
    assert_eq!(world.run(hours(20)), Stop::Idle);
    assert_eq!(world.lines, ["a datagram query from 192.0.2.53:53"]);
    assert_eq!(world.driver.now().elapsed().as_secs() / 3600, 11);
}

#[test]
fn a_world_can_be_moved_to_another_thread() {
    fn check<T: Send>(_: &T) {}
    check(&live());
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
