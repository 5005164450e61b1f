//! Hosts of a live world ask a process of it that shares its authority with the server, and faults take virtual
//! time.

use std::{net::IpAddr, ops::ControlFlow, time::Duration};

use mxdrill_net::{Driver, HostId, HostSpec, Time};

use super::World;
use crate::{
    Host, How,
    fixture::{Asker, Seen},
};

const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 53));
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// How a host's look-up ended, and in which second.
fn looked_up(fault: Option<How>) -> (u64, String) {
    let mut world = World::new(None);
    if let Some(how) = fault {
        world.fault("example.test", how);
    }
    let spec = |name: &str, address| HostSpec { name: name.into(), addresses: vec![address] };
    world.live.add(spec("dns", SERVER), Box::new(Host::new(world.authority.clone(), SERVER)));
    world.live.add(spec("app", CLIENT), Box::new(Asker::new(SERVER, CLIENT)));
    let mut end = None;
    world.live.run_until(Time::from_secs(60), &mut |at: Time, _: HostId, fact: Seen| {
        if !matches!(fact, Seen::Dns(crate::Fact::Answered { .. })) {
            return ControlFlow::Continue(());
        }
        end = Some((at.elapsed().as_secs(), fact.say()));
        ControlFlow::Break(())
    });
    end.expect("every question is settled")
}

#[test]
fn an_answer_over_datagrams_and_one_over_tcp() {
    assert_eq!(looked_up(None), (0, "Records(2)".into()));
    assert_eq!(looked_up(Some(How::Truncate)), (0, "Records(2)".into()));
}

#[test]
fn silence_and_delay_take_virtual_time() {
    assert_eq!(looked_up(Some(How::Timeout)), (10, "Timeout".into()));
    assert_eq!(looked_up(Some(How::Delay(Duration::from_secs(7)))), (7, "Records(2)".into()));
}
