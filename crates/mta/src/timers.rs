//! The deadlines of many sessions in one heap, with lazy deletion.
//!
//! Deadlines of sessions move later with nearly every event. So a session keeps one timer in the heap; when
//! that comes too early, it is put back at the session's present deadline.

use std::{cmp::Reverse, collections::BinaryHeap};

use mxdrill_net::Time;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// An inbound session.
    Inbound(u32),
    /// A delivery agent.
    Agent(u32),
}

/// The heap.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Time, Who)>>);

impl Timers {
    /// Makes sure that a timer stands at or before `deadline`; `armed` is the owner's earliest timer.
    pub(crate) fn arm(&mut self, who: Who, deadline: Option<Time>, armed: &mut Time) {
        if let Some(at) = deadline
            && at < *armed
        {
            *armed = at;
            self.0.push(Reverse((at, who)));
        }
    }

    /// The next timer that has come. Its owner checks that it still stands for it.
    pub(crate) fn pop(&mut self, now: Time) -> Option<(Time, Who)> {
        let Reverse((at, _)) = self.0.peek()?;
        if *at > now {
            return None;
        }
        self.0.pop().map(|Reverse(timer)| timer)
    }

    /// When the next timer comes.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}
