//! Clients from outside the world are told the addresses that they can reach.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use hickory_proto::rr::RecordType as Wire;

use super::{Map, World, query, receive, udp};

/// 192.0.2.n stands for 127.1.2.n, 2001:db8::n for 127.1.3.n.
struct Block;

impl Map for Block {
    fn is_foreign(&self, client: SocketAddr) -> bool {
        client.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST)
    }

    fn actual(&self, scenario: IpAddr) -> IpAddr {
        match scenario {
            IpAddr::V4(address) => [127, 1, 2, address.octets()[3]].into(),
            IpAddr::V6(address) => [127, 1, 3, address.octets()[15]].into(),
        }
    }

    fn scenario(&self, actual: IpAddr) -> IpAddr {
        match actual {
            IpAddr::V4(address) if address.octets()[..3] == [127, 1, 2] => {
                [192, 0, 2, address.octets()[3]].into()
            }
            other => other,
        }
    }
}

fn ask(world: &World, owner: &str, kind: Wire) -> Vec<String> {
    let socket = udp(world.server.address());
    socket.send(&query(1, owner, kind)).unwrap();
    receive(&socket).answers.iter().map(ToString::to_string).collect()
}

#[test]
fn addresses_are_those_behind_the_scenario_s() {
    let world = World::new(Some(Arc::new(Block)));
    assert_eq!(
        ask(&world, "alias.example.test.", Wire::A),
        ["alias.example.test. 300 IN CNAME mx1.example.test.", "mx1.example.test. 300 IN A 127.1.2.10",]
    );
    assert_eq!(
        ask(&world, "mx2.example.test.", Wire::AAAA),
        ["mx2.example.test. 300 IN AAAA ::ffff:127.1.3.32"]
    );
    assert_eq!(ask(&world, "example.test.", Wire::MX).len(), 2);
}

#[test]
fn the_names_of_real_addresses_are_found() {
    let world = World::new(Some(Arc::new(Block)));
    let expected = ["10.2.1.127.in-addr.arpa. 300 IN PTR mx1.example.test."];
    assert_eq!(ask(&world, "10.2.1.127.in-addr.arpa.", Wire::PTR), expected);
    // and those of the scenario's still are
    let expected = ["10.2.0.192.in-addr.arpa. 300 IN PTR mx1.example.test."];
    assert_eq!(ask(&world, "10.2.0.192.in-addr.arpa.", Wire::PTR), expected);
}

#[test]
fn hosts_of_the_world_see_the_scenario() {
    let world = World::new(None);
    assert_eq!(ask(&world, "mx1.example.test.", Wire::A), ["mx1.example.test. 300 IN A 192.0.2.10"]);
}
