//! What is under way: while anything is, time runs 1:1; when nothing is, it leaps.

use std::time::{Duration, Instant};

use super::clock::real_now;

/// How long nothing must move before foreign peers are taken to be quiet.
const FOREIGN_QUIET: Duration = Duration::from_millis(20);
/// Loopback moves bytes in microseconds. What is still counted as under way after this long without any
/// movement never comes (a peer in the kernel's hands was killed, say), and must not hold up the world.
const STALL: Duration = Duration::from_secs(1);

/// The account of what is under way.
#[derive(Debug)]
pub(super) struct Flight {
    /// Connects, arrivals, ends with something to read, datagrams and syncs.
    inside: usize,
    /// Requests to outside services without an answer yet.
    asked: usize,
    /// Open connections with foreign peers.
    strangers: usize,
    moved: Instant,
    /// Whoever serves beside the processes has come round since the last movement, and had nothing to do.
    sure: bool,
}

/// Whether a world may leap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing is under way.
    Quiet,
    /// Something is, or may be, for at most so long without movement.
    Moving(Duration),
    /// Nothing has moved for long enough, but whoever serves foreign peers beside the processes may not have had
    /// the processor in all that time: to be asked.
    Unsure,
}

impl Flight {
    pub(super) fn new() -> Flight {
        Flight { inside: 0, asked: 0, strangers: 0, moved: real_now(), sure: false }
    }

    pub(super) fn begin(&mut self) {
        self.inside += 1;
    }

    pub(super) fn end(&mut self) {
        debug_assert!(self.inside > 0, "the account of what is under way is off");
        self.inside = self.inside.saturating_sub(1);
    }

    /// Brings one flag and the account in line.
    pub(super) fn count(&mut self, counted: &mut bool, moving: bool) {
        match (*counted, moving) {
            (false, true) => self.begin(),
            (true, false) => self.end(),
            _ => {}
        }
        *counted = moving;
    }

    /// An outside service got something that it may answer.
    pub(super) fn ask(&mut self) {
        self.asked += 1;
        self.movement();
    }

    /// An outside service said something.
    pub(super) fn answered(&mut self) {
        self.asked = self.asked.saturating_sub(1);
    }

    pub(super) fn stranger_came(&mut self) {
        self.strangers += 1;
        self.movement();
    }

    pub(super) fn stranger_left(&mut self) {
        self.strangers = self.strangers.saturating_sub(1);
    }

    /// Something moved just now.
    pub(super) fn movement(&mut self) {
        self.moved = real_now();
        self.sure = false;
    }

    /// The services beside the processes have come round, with nothing to do since the last movement.
    pub(super) fn confirm(&mut self) {
        self.sure = true;
    }

    /// Whether the world may leap, given how many foreign peers are at work beside the connected ones.
    pub(super) fn pace(&mut self, foreigners: usize) -> Pace {
        let patience = match (self.inside, foreigners + self.strangers + self.asked) {
            (0, 0) => return Pace::Quiet,
            (0, _) => FOREIGN_QUIET,
            _ => STALL,
        };
        match patience.checked_sub(real_now().saturating_duration_since(self.moved)) {
            Some(left) if !left.is_zero() => Pace::Moving(left),
            _ if self.inside == 0 && !self.sure => Pace::Unsure,
            _ => {
                if self.inside > 0 {
                    tracing::warn!(self.inside, "what was under way never came");
                }
                self.asked = 0; // whoever has not answered by now waits for a time, or never will
                Pace::Quiet
            }
        }
    }

    #[cfg(test)]
    pub(super) fn inside(&self) -> usize {
        self.inside
    }
}
