//! The world on real sockets: the same mail nodes, hickory-server as DNS, and lettre as the application.

mod finder;
mod foreign_dns;
mod session;
mod submit;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
};

use mxdrill_dns::{Authority, server::Server};
use mxdrill_ledger::Fact;
use mxdrill_net::{
    Driver, HostId, HostSpec, Tag,
    live::{Clock, Ground, Live, LiveError, LiveOptions},
};

use finder::Finder;
use submit::{LANES_MAX, LANES_REAL, Way};

use super::World;
use crate::{
    host::HostProcess,
    mail::Batch,
    plan::{Member, Part, Plan},
    play::{Beside, Rename, Stage},
};

/// A world on loopback.
pub(crate) struct LiveStage<'a> {
    plan: &'a Plan,
    live: Live<HostProcess, Fact>,
    authority: Arc<Mutex<Authority>>,
    /// Serves the DNS while it is kept.
    server: Server,
    /// The DNS for programs that are no hosts of the world, once somebody needs it.
    foreign: Option<Server>,
    /// The scenario's addresses by the real ones.
    names: Arc<BTreeMap<IpAddr, IpAddr>>,
    beside: (Sender<Beside>, Option<Receiver<Beside>>),
}

impl<'a> LiveStage<'a> {
    /// Builds the world of a plan.
    ///
    /// # Errors
    /// When addresses, ports or folders are not to be had.
    pub(crate) fn new(plan: &'a Plan, world: &World) -> Result<LiveStage<'a>, LiveError> {
        LiveStage::on(Ground::Loopback, plan, world)
    }

    /// Builds the world of a plan, on loopback or on its own addresses.
    ///
    /// # Errors
    /// As [`LiveStage::new`].
    pub(crate) fn on(ground: Ground, plan: &'a Plan, world: &World) -> Result<LiveStage<'a>, LiveError> {
        let options = LiveOptions {
            port: world.port,
            spool: world.spool.clone(),
            speed: world.speed,
            seed: Some(plan.seed),
            ground,
            ..LiveOptions::default()
        };
        let mut live = Live::new(options)?;
        let authority = Authority::new(plan.cast.zones.clone()).secure(plan.secure);
        let authority = Arc::new(Mutex::new(authority));
        let server = serve(ground, plan, &mut live, authority.clone())?;
        for (id, member) in plan.cast.members() {
            add(plan, id, member, &mut live)?;
        }
        let (sender, receiver) = channel();
        let beside = (sender, Some(receiver));
        let pairs = foreign_dns::pairs(&plan.cast, &live);
        let names = Arc::new(pairs.map(|(scenario, actual)| (actual, scenario)).collect());
        let mut stage = LiveStage { plan, live, authority, server, foreign: None, names, beside };
        if ground == Ground::Loopback
            && plan.cast.members().any(|(_, member)| matches!(member.part, Part::Application(_)))
        {
            stage.foreign_dns()?;
        }
        Ok(stage)
    }

    /// Where programs that are no hosts of the world ask: they are told real addresses.
    ///
    /// # Errors
    /// No socket is to be had.
    pub(crate) fn foreign_dns(&mut self) -> Result<SocketAddr, LiveError> {
        if let Some(server) = &self.foreign {
            return Ok(server.address());
        }
        let server = foreign_dns::serve(&self.plan.cast, &self.live, self.authority.clone())?;
        Ok(self.foreign.insert(server).address())
    }

    /// The clock of the world.
    pub(crate) fn clock(&self) -> Clock {
        self.live.clock()
    }

    /// The real port that stands for 25.
    pub(crate) fn port(&self) -> u16 {
        self.live.port()
    }

    /// Where mail goes that is sent by a host: an application finds that itself, to others it is submitted.
    fn way(&self, by: HostId) -> Option<Way> {
        let actual = self.actual(by)?;
        let Part::Application(config) = &self.plan.cast.member(by).part else {
            return Some(Way::To([actual].into()));
        };
        let _inside = self.live.handle().enter();
        let server = self.foreign.as_ref().unwrap_or(&self.server).address();
        Some(Way::Find(Arc::new(Finder::new(config, server, actual, self.live.clock())?)))
    }

    /// The real address of a host's port 25, or of any port of its address.
    pub(crate) fn actual(&self, host: HostId) -> Option<SocketAddr> {
        self.live.actual(SocketAddr::new(self.plan.cast.member(host).addresses[0], 25))
    }
}

/// Adds a member. The address of a mail server that is a program belongs to that program.
fn add(
    plan: &Plan,
    id: HostId,
    member: &Member,
    live: &mut Live<HostProcess, Fact>,
) -> Result<(), LiveError> {
    if member.server().is_some() {
        live.add(HostSpec { addresses: Vec::new(), ..member.spec() }, HostProcess::Outside);
        let doors = member.addresses.iter().map(|address| SocketAddr::new(*address, 25));
        return doors.into_iter().try_for_each(|door| live.register(door, door));
    }
    let process = match member.part {
        Part::Mail(_) | Part::Policy(_) => {
            plan.mail_process(id, plan.script(id)).unwrap_or(HostProcess::Outside)
        }
        _ => HostProcess::Outside,
    };
    live.add(member.spec(), process);
    Ok(())
}

/// Serves the DNS as the hosts of the world see it: with the scenario's addresses.
fn serve(
    ground: Ground,
    plan: &Plan,
    live: &mut Live<HostProcess, Fact>,
    authority: Arc<Mutex<Authority>>,
) -> Result<Server, LiveError> {
    let resolver = SocketAddr::new(plan.cast.member(plan.cast.name_server()).addresses[0], 53);
    let bind = match ground {
        Ground::Own => resolver,
        Ground::Loopback => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    };
    let server =
        Server::start(&live.handle(), authority, live.clock(), bind, None).map_err(LiveError::Start)?;
    live.register(resolver, server.address())?;
    Ok(server)
}

impl Stage for LiveStage<'_> {
    fn driver(&mut self) -> &mut dyn Driver<HostProcess, Fact> {
        &mut self.live
    }

    fn rename(&mut self, change: Rename) {
        let now = self.live.now();
        change(&mut self.authority.lock().unwrap_or_else(PoisonError::into_inner), now);
    }

    fn send(&mut self, by: HostId, batch: Arc<Batch>) {
        let sender = self.plan.cast.sender(by);
        let (Some(from), Some(way)) = (self.actual(sender), self.way(by)) else { return };
        let submit = submit::Submit {
            clock: self.live.clock(),
            dialer: self.live.dialer(),
            from: from.ip(),
            way,
            names: self.names.clone(),
            sender,
            lanes: if self.plan.cast.member(by).server().is_some() { LANES_REAL } else { LANES_MAX },
            deeds: self.beside.0.clone(),
        };
        submit.start(&self.live.handle(), batch);
    }

    fn bitten(&mut self) -> BTreeSet<Tag> {
        self.authority.lock().unwrap_or_else(PoisonError::into_inner).take_bitten()
    }

    fn beside(&mut self) -> Option<Receiver<Beside>> {
        self.beside.1.take()
    }
}
