//! The private network: mock hosts and the DNS of the harness, and real mail servers beside them.
//!
//! A drill there is a process of its own ([`asked`] starts it, [`drill`] is it), so that nothing of it is left when it
//! ends, in whatever way.

mod asked;
mod drill;
mod driver;
mod fit;
mod frame;
mod haste;
mod mail;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use mxdrill_ledger::Fact;
use mxdrill_mta::{Message, NodeConfig};
use mxdrill_net::{
    Driver, HostId, Tag, Time,
    live::{Ground, LiveError},
};
use mxdrill_netns::{Adapter, AdapterError, Cell, Host, HostError, Station, store, tool::ToolError};

pub(crate) use asked::play as play_in_private;
pub use drill::drill;

use super::World;
use crate::{
    host::HostProcess,
    mail::Batch,
    plan::{Member, Plan},
    play::{Beside, Rename, Stage},
    scenario::Program,
    world::live::LiveStage,
};

/// Why a private network could not be made, or a drill in it not be played.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// A program that does the work failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A mail server could not be made a host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Nothing is known of the program.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// The world around the mail servers could not be made.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The mail server is not on this machine.
    #[error(
        "{0} is neither unpacked nor installed: cargo xtask mta fetch ({0} is what `mxdrill doctor` calls it)"
    )]
    Missing(String),
    /// The process that played the drill ended without an outcome.
    #[error("the drill came to no outcome: {0}")]
    Died(String),
}

/// A private network with the hosts of a plan.
pub(crate) struct NetnsStage<'a> {
    plan: &'a Plan,
    live: LiveStage<'a>,
    cell: Cell,
    /// The hosts that are programs, by their numbers in the cell.
    programs: BTreeMap<HostId, usize>,
    /// Facts for the next run.
    facts: VecDeque<(Time, HostId, Fact)>,
    /// When the inboxes are looked into, and slow schedules hurried, next.
    rounds: Rounds,
    /// What went wrong and makes the outcome worthless.
    trouble: Vec<NetnsError>,
}

/// What is done again and again.
#[derive(Debug, Default)]
struct Rounds {
    nudge: BTreeMap<HostId, Time>,
}

impl<'a> NetnsStage<'a> {
    /// Builds the world of a plan, in the cell that this process is the first of.
    ///
    /// # Errors
    /// When the kernel does not allow it, or a mail server does not come up.
    pub(crate) fn new(plan: &'a Plan, tuned: bool) -> Result<NetnsStage<'a>, NetnsError> {
        let mut cell = Cell::enter(tuned)?;
        for (_, member) in plan.cast.members().filter(|(_, member)| member.server().is_none()) {
            member.addresses.iter().try_for_each(|address| cell.own(*address))?;
        }
        let world = World::of(crate::scenario::WorldKind::Netns).speed(1);
        let live = LiveStage::on(Ground::Own, plan, &world)?;
        let folders = store::folders(std::env::current_exe().ok().as_deref());
        let mut programs = BTreeMap::new();
        for (id, member) in plan.cast.members() {
            let Some((program, config)) = member.server() else { continue };
            let adapter = Adapter::named(program.word())?;
            let install = store::find(&adapter, &folders);
            let install = install.ok_or_else(|| NetnsError::Missing(program.word().into()))?;
            programs.insert(id, cell.join(station(plan, member, config, tuned), adapter, install)?);
        }
        let (facts, rounds, trouble) = (VecDeque::new(), Rounds::default(), Vec::new());
        Ok(NetnsStage { plan, live, cell, programs, facts, rounds, trouble })
    }

    /// What went wrong on the way, if anything did: then the outcome is worth nothing.
    pub(crate) fn trouble(&mut self) -> Option<NetnsError> {
        (!self.trouble.is_empty()).then(|| self.trouble.swap_remove(0))
    }

    fn note<T, E: Into<NetnsError>>(&mut self, done: Result<T, E>) -> Option<T> {
        done.map_err(|why| self.trouble.push(why.into())).ok()
    }

    /// The program of a host, if it is one.
    fn program(&mut self, host: HostId) -> Option<&mut Host> {
        let number = *self.programs.get(&host)?;
        self.cell.host(number)
    }

    fn addresses(&self, host: HostId) -> Vec<IpAddr> {
        self.plan.cast.member(host).addresses.clone()
    }
}

/// What the host of a member is to be.
fn station(plan: &Plan, member: &Member, config: &NodeConfig, tuned: bool) -> Station {
    let v4 = |address: &IpAddr| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    };
    let recipients = config.recipients.as_ref();
    Station {
        label: member.label.clone(),
        name: member.name.to_string(),
        addresses: member.addresses.iter().filter_map(v4).collect(),
        delivers: config.delivers.iter().map(ToString::to_string).collect(),
        relays: config.relays.iter().map(ToString::to_string).collect(),
        trusted: config.trusted.clone(),
        recipients: recipients.map(|known| known.iter().map(ToString::to_string).collect()),
        resolver: plan.cast.member(plan.cast.name_server()).addresses.first().copied(),
        tuned,
    }
}

impl Stage for NetnsStage<'_> {
    fn driver(&mut self) -> &mut dyn Driver<HostProcess, Fact> {
        self
    }

    fn rename(&mut self, change: Rename) {
        self.live.rename(change);
    }

    fn send(&mut self, by: HostId, batch: Arc<Batch>) {
        self.live.send(by, batch);
    }

    fn bitten(&mut self) -> BTreeSet<Tag> {
        let mut bitten = self.live.bitten();
        let met = self.cell.bitten();
        bitten.extend(self.note(met).into_iter().flatten());
        bitten
    }

    fn beside(&mut self) -> Option<Receiver<Beside>> {
        self.live.beside()
    }

    fn flush(&mut self, host: HostId) {
        let done = self.program(host).map(|program| program.flush());
        done.map(|done| self.note(done)).unwrap_or_default();
    }

    fn look(&mut self, host: HostId) -> Option<Vec<Arc<Message>>> {
        let looked = self.program(host).filter(|program| program.is_up()).map(|program| program.queue())?;
        let queue = self.note(looked)?;
        Some(queue.iter().filter_map(mail::queued).map(Arc::new).collect())
    }
}

/// How long a run goes before the inboxes are looked into.
const SLICE: Duration = Duration::from_millis(200);

/// Whether a scenario's program is a mail server that can be a host here.
fn is_server(program: Program) -> bool {
    program != Program::Lettre
}
