//! Which real address stands for which address of the scenario.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
};

use socket2::{Domain, Socket, Type};

use super::LiveError;
use crate::{HostId, Index};

/// The scenario's port that the world's shared port stands for.
const SMTP: u16 = 25;
/// The last address of a block holds its locks, so hosts get .1 to .253.
const LOCK_ADDRESS: u8 = 254;
/// Bound by whoever owns a block. It lies below the ports that kernels hand out by themselves.
const LOCK_PORT: u16 = 25_253;
/// Blocks tried before giving up.
const TRIES: u32 = 4096;
/// Ports tried: one that is free for TCP may be taken for UDP.
const PORT_TRIES: u32 = 64;

/// 127.x.y.0/24, ours as long as this lives.
#[derive(Debug)]
struct Block {
    net: [u8; 3],
    used: u8,
    _lock: UdpSocket,
}

impl Block {
    /// Takes the first free block, beginning at one that depends on the process.
    fn claim() -> Result<Block, LiveError> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for attempt in 0..TRIES {
            let [x, y] = candidate(attempt);
            match lock(Ipv4Addr::new(127, x, y, LOCK_ADDRESS)) {
                Ok(lock) => return Ok(Block { net: [127, x, y], used: 0, _lock: lock }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(LiveError::Block(error)),
            }
        }
        Err(LiveError::Block(last))
    }

    fn next(&mut self) -> Option<Ipv4Addr> {
        let next = self.used + 1;
        if next >= LOCK_ADDRESS {
            return None;
        }
        self.used = next;
        Some(self.at(next))
    }

    fn at(&self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(self.net[0], self.net[1], self.net[2], last)
    }
}

/// The two middle octets of the block to try; never those of 127.0.0.0/24, where other programs live.
fn candidate(attempt: u32) -> [u8; 2] {
    let start = std::process::id().wrapping_mul(0x9e37_79b1);
    let number = (start >> 16).wrapping_add(attempt) % (254 * 256);
    [(number / 256 + 1) as u8, (number % 256) as u8]
}

#[expect(clippy::disallowed_methods, reason = "the lock of a block of the live driver")]
fn lock(address: Ipv4Addr) -> io::Result<UdpSocket> {
    UdpSocket::bind((address, LOCK_PORT))
}

/// Where a connect or datagram to a scenario's address goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To a host of the world, at this real address if anything ever listened there.
    Host(HostId, Option<SocketAddr>),
    /// To a registered service outside the driver.
    Outside(SocketAddr),
    /// Nowhere: it would leave the world.
    Nowhere,
}

/// The address book of a world.
#[derive(Debug)]
pub(super) struct Addresses {
    blocks: Vec<Block>,
    port: u16,
    /// Bound, never listening: keeps the shared port from listeners on the wildcard address.
    _port_lock: [Socket; 2],
    hosts: BTreeMap<IpAddr, (HostId, Ipv4Addr)>,
    loopbacks: Index<Ipv4Addr, IpAddr>,
    opened: BTreeMap<SocketAddr, SocketAddr>,
    services: BTreeMap<SocketAddr, SocketAddr>,
    names: Index<SocketAddr, SocketAddr>,
}

impl Addresses {
    pub(super) fn new(port: Option<u16>) -> Result<Addresses, LiveError> {
        let block = Block::claim()?;
        let wanted = port.unwrap_or(0);
        let bound = bound(block.at(LOCK_ADDRESS), wanted);
        let (port_lock, port) = bound.map_err(|source| LiveError::Port { port: wanted, source })?;
        Ok(Addresses {
            blocks: vec![block],
            port,
            _port_lock: port_lock,
            hosts: BTreeMap::new(),
            loopbacks: Index::default(),
            opened: BTreeMap::new(),
            services: BTreeMap::new(),
            names: Index::default(),
        })
    }

    /// The real port that stands for 25.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Gives an address of a host its loopback address.
    pub(super) fn settle(&mut self, host: HostId, address: IpAddr) -> Result<(), LiveError> {
        let loopback = match self.blocks.last_mut().and_then(Block::next) {
            Some(loopback) => loopback,
            None => {
                let mut block = Block::claim()?;
                let first = block.next().expect("a new block is empty");
                self.blocks.push(block);
                first
            }
        };
        let former = self.hosts.insert(address, (host, loopback));
        assert!(former.is_none(), "{address} belongs to two hosts");
        self.loopbacks.insert(loopback, address);
        Ok(())
    }

    /// The host and loopback address of a scenario's address.
    pub(super) fn host(&self, address: IpAddr) -> Option<(HostId, Ipv4Addr)> {
        self.hosts.get(&address).copied()
    }

    /// Notes the real address at which a host's scenario address was opened.
    pub(super) fn open(&mut self, scenario: SocketAddr, actual: SocketAddr) {
        self.opened.insert(scenario, actual);
        self.names.insert(actual, scenario);
    }

    /// Notes a service outside the driver. Nothing outside of 127.0.0.0/8 may be one.
    pub(super) fn register(&mut self, scenario: SocketAddr, actual: SocketAddr) -> Result<(), LiveError> {
        if !matches!(actual.ip(), IpAddr::V4(ip) if ip.is_loopback()) {
            return Err(LiveError::Outside(actual));
        }
        self.services.insert(scenario, actual);
        self.names.insert(actual, scenario);
        Ok(())
    }

    /// Where a connect or datagram goes.
    pub(super) fn way(&self, to: SocketAddr) -> Way {
        if let Some(service) = self.services.get(&to) {
            return Way::Outside(*service);
        }
        match self.hosts.get(&to.ip()) {
            Some((host, _)) => Way::Host(*host, self.actual(to)),
            None => Way::Nowhere,
        }
    }

    /// The real address of a scenario's address and port.
    pub(super) fn actual(&self, scenario: SocketAddr) -> Option<SocketAddr> {
        if let Some(actual) = self.services.get(&scenario).or_else(|| self.opened.get(&scenario)) {
            return Some(*actual);
        }
        let (_, loopback) = self.host(scenario.ip())?;
        (scenario.port() == SMTP).then(|| SocketAddrV4::new(loopback, self.port).into())
    }

    /// What the scenario calls a real address; the port of a host's outgoing connection stays as it is.
    pub(super) fn scenario(&self, actual: SocketAddr) -> Option<SocketAddr> {
        if let Some(name) = self.names.get(&actual) {
            return Some(*name);
        }
        let IpAddr::V4(loopback) = actual.ip() else { return None };
        let address = self.loopbacks.get(&loopback)?;
        let port = if actual.port() == self.port { SMTP } else { actual.port() };
        Some(SocketAddr::new(*address, port))
    }
}

/// Sockets that are bound and nothing more, for TCP and UDP, and their port.
fn bound(address: Ipv4Addr, port: u16) -> io::Result<([Socket; 2], u16)> {
    let mut tries = PORT_TRIES;
    loop {
        tries -= 1;
        match bound_once(address, port) {
            Err(error) if port == 0 && tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            done => return done,
        }
    }
}

fn bound_once(address: Ipv4Addr, port: u16) -> io::Result<([Socket; 2], u16)> {
    let tcp = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    tcp.bind(&SocketAddr::from((address, port)).into())?;
    let port = tcp.local_addr()?.as_socket().map_or(port, |bound| bound.port());
    let udp = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    udp.bind(&SocketAddr::from((address, port)).into())?;
    Ok(([tcp, udp], port))
}
