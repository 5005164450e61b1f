//! The thread that owns the world of a lab.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{Builder, JoinHandle},
};

use mxdrill_net::{
    HostId, Seed,
    live::{Clock, LiveError},
};

use super::Lab;
use crate::{
    RunError, World,
    plan::{Part, Plan},
    play::{Bench, Books, Call},
    scenario::{Scenario, WorldKind},
    world::live::LiveStage,
};

/// What whoever starts a lab is told once its hosts listen.
pub(super) struct Ready {
    dns: SocketAddr,
    port: u16,
    hosts: BTreeMap<String, (HostId, SocketAddr)>,
    clock: Clock,
}

/// A lab that is starting.
pub(super) struct Begun {
    calls: Sender<Call>,
    thread: JoinHandle<()>,
}

impl Begun {
    /// The lab, now that it is ready, or why it is not.
    pub(super) fn lab(
        self,
        scenario: &Scenario,
        ready: Option<Result<Ready, RunError>>,
    ) -> Result<Lab, RunError> {
        let died = || RunError::Live(LiveError::Start(io::Error::other("the thread of the lab died")));
        let Ready { dns, port, hosts, clock } = ready.unwrap_or_else(|| Err(died()))?;
        let (calls, thread) = (Some(self.calls), Some(self.thread));
        Ok(Lab { scenario: scenario.clone(), dns, port, hosts, clock, calls, thread })
    }
}

/// Starts the thread of a lab, which tells when it is ready.
///
/// # Errors
/// The scenario makes no sense in a live world, or there is no thread.
pub(super) fn begin(
    scenario: &Scenario,
    world: &World,
    tell: impl FnOnce(Result<Ready, RunError>) + Send + 'static,
) -> Result<Begun, RunError> {
    scenario.plays_in(WorldKind::Live).map_err(|reason| RunError::Elsewhere { reason })?;
    let mut plan = Plan::of(scenario, Seed(world.seed.unwrap_or(scenario.seed)), world.tls())?;
    plan.wraps.clone_from(&world.wraps);
    plan.setup.world = WorldKind::Live.word().into();
    plan.end = None;
    // a lab that ends before a fault had its effect proves no less
    plan.setup.faults.iter_mut().for_each(|fault| fault.may_miss = true);
    let scenario = scenario.resolved().map_err(crate::PlanError::from)?;
    let (world, (calls, called)) = (world.clone(), channel());
    let thread = Builder::new()
        .name("mxdrill-lab".into())
        .spawn(move || play(&plan, &scenario, &world, &called, tell))
        .map_err(LiveError::Start)?;
    Ok(Begun { calls, thread })
}

fn play(
    plan: &Plan,
    scenario: &Scenario,
    world: &World,
    called: &Receiver<Call>,
    tell: impl FnOnce(Result<Ready, RunError>),
) {
    let (mut stage, ready) = match open(plan, world) {
        Ok(open) => open,
        Err(why) => return tell(Err(why.into())),
    };
    let _at_work = ready.clock.foreign(); // senders of whom the world knows nothing
    let bench = Bench::new(plan, scenario, &mut stage, Books::new(plan, None));
    tell(Ok(ready));
    bench.run(called);
}

fn open<'a>(plan: &'a Plan, world: &World) -> Result<(LiveStage<'a>, Ready), LiveError> {
    let mut stage = LiveStage::new(plan, world)?;
    let dns = stage.foreign_dns()?;
    let mail = plan.cast.members().filter(|(_, member)| matches!(member.part, Part::Mail(_)));
    let hosts = mail.filter_map(|(id, member)| Some((member.label.clone(), (id, stage.actual(id)?))));
    let ready = Ready { dns, port: stage.port(), hosts: hosts.collect(), clock: stage.clock() };
    Ok((stage, ready))
}
