//! Which real address stands for which address of the scenario.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
};

use socket2::{Domain, Socket, Type};

use super::{Ground, LiveError, sockets};
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
    /// `None` where the scenario's addresses are the real ones.
    loopback: Option<Loopback>,
    port: u16,
    hosts: BTreeMap<IpAddr, (HostId, IpAddr)>,
    scenarios: Index<IpAddr, IpAddr>,
    opened: BTreeMap<SocketAddr, SocketAddr>,
    services: BTreeMap<SocketAddr, SocketAddr>,
    names: Index<SocketAddr, SocketAddr>,
}

/// Loopback addresses that stand for the scenario's.
#[derive(Debug)]
struct Loopback {
    blocks: Vec<Block>,
    /// Bound, never listening: keeps the shared port from listeners on the wildcard address.
    _port_lock: [Socket; 2],
}

impl Loopback {
    /// Claims a block, and a port for all of its addresses.
    fn claim(port: Option<u16>) -> Result<(Loopback, u16), LiveError> {
        let block = Block::claim()?;
        let wanted = port.unwrap_or(0);
        let bound = bound(block.at(LOCK_ADDRESS), wanted);
        let (port_lock, port) = bound.map_err(|source| LiveError::Port { port: wanted, source })?;
        Ok((Loopback { blocks: vec![block], _port_lock: port_lock }, port))
    }

    fn next(&mut self) -> Result<Ipv4Addr, LiveError> {
        if let Some(next) = self.blocks.last_mut().and_then(Block::next) {
            return Ok(next);
        }
        let mut block = Block::claim()?;
        let first = block.next().expect("a new block is empty");
        self.blocks.push(block);
        Ok(first)
    }
}

/// Connects for applications beside the processes, and only inside the world.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// The addresses of a world that stands on its own; `None` on loopback.
    inside: Option<Arc<BTreeSet<IpAddr>>>,
}

impl Dialer {
    /// Connects from one real address of the world to another.
    ///
    /// # Errors
    /// What the kernel says; [`io::ErrorKind::AddrNotAvailable`] for an address that is not the world's: nothing
    /// leaves it.
    pub async fn connect(&self, from: IpAddr, to: SocketAddr) -> io::Result<tokio::net::TcpStream> {
        let is_inside = |address: IpAddr| match &self.inside {
            None => address.is_loopback(),
            Some(inside) => inside.contains(&address),
        };
        if !is_inside(from) || !is_inside(to.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        sockets::application(from, to).await
    }
}

impl Addresses {
    pub(super) fn new(ground: Ground, port: Option<u16>) -> Result<Addresses, LiveError> {
        let (loopback, port) = match ground {
            Ground::Own => (None, SMTP),
            Ground::Loopback => {
                let (loopback, port) = Loopback::claim(port)?;
                (Some(loopback), port)
            }
        };
        Ok(Addresses {
            loopback,
            port,
            hosts: BTreeMap::new(),
            scenarios: Index::default(),
            opened: BTreeMap::new(),
            services: BTreeMap::new(),
            names: Index::default(),
        })
    }

    /// Whether the scenario's addresses are the real ones.
    pub(super) fn is_own(&self) -> bool {
        self.loopback.is_none()
    }

    /// What applications connect with.
    pub(super) fn dialer(&self) -> Dialer {
        let services = self.services.values().map(SocketAddr::ip);
        let all = || self.hosts.keys().copied().chain(services.clone()).collect();
        Dialer { inside: self.is_own().then(|| Arc::new(all())) }
    }

    /// The real port that stands for 25.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Gives an address of a host its real address.
    pub(super) fn settle(&mut self, host: HostId, address: IpAddr) -> Result<(), LiveError> {
        let actual = match &mut self.loopback {
            Some(loopback) => loopback.next()?.into(),
            None => address,
        };
        let former = self.hosts.insert(address, (host, actual));
        assert!(former.is_none(), "{address} belongs to two hosts");
        self.scenarios.insert(actual, address);
        Ok(())
    }

    /// The host and real address of a scenario's address.
    pub(super) fn host(&self, address: IpAddr) -> Option<(HostId, IpAddr)> {
        self.hosts.get(&address).copied()
    }

    /// Notes the real address at which a host's scenario address was opened.
    pub(super) fn open(&mut self, scenario: SocketAddr, actual: SocketAddr) {
        self.opened.insert(scenario, actual);
        self.names.insert(actual, scenario);
    }

    /// Notes a service outside the driver. On loopback, nothing outside of 127.0.0.0/8 may be one.
    pub(super) fn register(&mut self, scenario: SocketAddr, actual: SocketAddr) -> Result<(), LiveError> {
        let is_loopback = matches!(actual.ip(), IpAddr::V4(ip) if ip.is_loopback());
        if !is_loopback && !self.is_own() {
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
        let (_, actual) = self.host(scenario.ip())?;
        let port = if self.is_own() { scenario.port() } else { self.port };
        (self.is_own() || scenario.port() == SMTP).then(|| SocketAddr::new(actual, port))
    }

    /// What the scenario calls a real address; the port of a host's outgoing connection stays as it is.
    pub(super) fn scenario(&self, actual: SocketAddr) -> Option<SocketAddr> {
        if let Some(name) = self.names.get(&actual) {
            return Some(*name);
        }
        let address = self.scenarios.get(&actual.ip())?;
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
