//! The simulated world.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, mpsc::Receiver},
};

use mxdrill_dns::{Authority, Host as NameServer};
use mxdrill_ledger::Fact;
use mxdrill_mta::{NodeConfig, RouterConfig};
use mxdrill_net::{Driver, HostId, Tag, sim::Sim};
use mxdrill_smtp::ClientConfig;

use crate::{
    host::HostProcess,
    mail::Batch,
    originator::{Finder, Originator},
    plan::{Member, Part, Plan},
    play::{Beside, Rename, Stage},
};

/// A world in virtual time.
pub(crate) struct SimStage<'a> {
    plan: &'a Plan,
    sim: Sim<HostProcess, Fact>,
}

impl<'a> SimStage<'a> {
    /// Builds the world of a plan.
    pub(crate) fn new(plan: &'a Plan) -> SimStage<'a> {
        let mut sim = Sim::new(plan.seed);
        for (id, member) in plan.cast.members() {
            let added = sim.add(member.spec(), process(plan, id, member));
            debug_assert_eq!(added, id, "hosts are numbered in the order of the cast");
        }
        SimStage { plan, sim }
    }
}

fn process(plan: &Plan, id: HostId, member: &Member) -> HostProcess {
    match &member.part {
        Part::Mail(_) | Part::Policy(_) => {
            plan.mail_process(id, plan.script(id)).unwrap_or(HostProcess::Outside)
        }
        Part::NameServer => {
            let authority = Authority::new(plan.cast.zones.clone()).secure(plan.secure);
            HostProcess::NameServer(Box::new(NameServer::new(authority, member.addresses[0])))
        }
        Part::Originator => originator(member, None),
        Part::Application(config) => originator(member, Some(config)),
        Part::Program(_) => HostProcess::Outside,
    }
}

/// Whoever sends mail without a queue: to hosts that it is told, or with a configuration also to those it finds.
fn originator(member: &Member, config: Option<&NodeConfig>) -> HostProcess {
    let client = ClientConfig::new(member.name.clone());
    let finder = config.map(|config| Finder::new(RouterConfig::of(config), member.addresses.clone()));
    HostProcess::Originator(Box::new(Originator::new(member.addresses.clone(), client, finder)))
}

impl Stage for SimStage<'_> {
    fn driver(&mut self) -> &mut dyn Driver<HostProcess, Fact> {
        &mut self.sim
    }

    fn rename(&mut self, change: Rename) {
        let visit = Box::new(move |process: &mut HostProcess, now, _: &mut _| {
            if let HostProcess::NameServer(server) = process {
                change(server.authority_mut(), now);
            }
        });
        self.sim.visit(self.plan.cast.name_server(), visit);
    }

    fn send(&mut self, by: HostId, batch: Arc<Batch>) {
        let sender = self.plan.cast.sender(by);
        let to = (sender != by).then(|| SocketAddr::new(self.plan.cast.member(by).addresses[0], 25));
        let visit = Box::new(move |process: &mut HostProcess, now, out: &mut _| {
            if let HostProcess::Originator(originator) = process {
                originator.send(now, batch, to, out);
            }
        });
        self.sim.visit(sender, visit);
    }

    fn bitten(&mut self) -> BTreeSet<Tag> {
        BTreeSet::new() // its name server is a process, and records them itself
    }

    fn beside(&mut self) -> Option<Receiver<Beside>> {
        None
    }
}
