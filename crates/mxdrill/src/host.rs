//! What runs on a host of a world.

use mxdrill_dns::Host as NameServer;
use mxdrill_ledger::Fact;
use mxdrill_mta::{Node, PolicyHost};
use mxdrill_net::{Commands, Event, Process, Time};
use mxdrill_smtp::Faults;

use crate::{originator::Originator, wrap::Wrap};

/// The process of a host.
pub(crate) enum HostProcess {
    /// A mail node, with the script of its faults.
    Mail(Box<Node<Faults>>),
    /// A mail node that is broken on purpose.
    Wrapped(Box<Node<Faults>>, Box<dyn Wrap>),
    /// The host of an MTA-STS policy, with the script of its faults.
    Policy(Box<PolicyHost<Faults>>),
    /// The name server of a simulated world.
    NameServer(Box<NameServer>),
    /// Whoever hands the drill's mail to the first hosts, in a simulated world.
    Originator(Box<Originator>),
    /// A host that is a program outside the driver.
    Outside,
}

impl Process<Fact> for HostProcess {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        match self {
            HostProcess::Mail(node) => node.handle(now, event, out),
            HostProcess::Wrapped(node, wrap) => wrap.handle(&mut **node, now, event, out),
            HostProcess::Policy(host) => host.handle(now, event, out),
            HostProcess::NameServer(server) => server.handle(now, event, out),
            HostProcess::Originator(originator) => originator.handle(now, event, out),
            HostProcess::Outside => {}
        }
    }
}

impl HostProcess {
    /// The mail node, if it is one.
    pub(crate) fn mail(&mut self) -> Option<&mut Node<Faults>> {
        match self {
            HostProcess::Mail(node) | HostProcess::Wrapped(node, _) => Some(node),
            HostProcess::Policy(_)
            | HostProcess::NameServer(_)
            | HostProcess::Originator(_)
            | HostProcess::Outside => None,
        }
    }

    /// What speaks for its faults, if it can have any in its dialogue.
    pub(crate) fn script(&mut self) -> Option<&mut Faults> {
        match self {
            HostProcess::Mail(node) | HostProcess::Wrapped(node, _) => Some(node.script_mut()),
            HostProcess::Policy(host) => Some(host.script_mut()),
            HostProcess::NameServer(_) | HostProcess::Originator(_) | HostProcess::Outside => None,
        }
    }
}
