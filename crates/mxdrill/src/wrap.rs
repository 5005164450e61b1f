//! Wrappers around the process of a host: for testing the tests, by nodes that are broken on purpose.

use std::{fmt, sync::Arc};

use mxdrill_ledger::Fact;
use mxdrill_net::{Commands, Event, Process, Time};

/// Stands between a mail node and its driver: sees every event first and every command last, and may change
/// both. A node knows nothing of it.
pub trait Wrap: Send {
    /// Handles an event, usually by handing it on to `inner`.
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    );
}

impl<W> Wrap for W
where
    W: FnMut(&mut dyn Process<Fact>, Time, Event<'_>, &mut Commands<Fact>) + Send,
{
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        self(inner, now, event, out);
    }
}

/// Makes the wrapper of a host each time its process is made.
#[derive(Clone)]
pub(crate) struct MakeWrap(pub(crate) Arc<dyn Fn() -> Box<dyn Wrap> + Send + Sync>);

impl fmt::Debug for MakeWrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeWrap")
    }
}
