//! What is under way: while anything is, time runs 1:1; when nothing is, it leaps.

use std::time::{Duration, Instant};

use super::clock::real_now;

/// How long nothing must move before foreign peers are taken to be quiet.
const FOREIGN_QUIET: Duration = Duration::from_millis(20);
/// Loopback moves bytes in microseconds. What is still counted as under way after this long without any
/// movement never comes (a peer in the kernel's hands was killed, say), and must not hold up the world.
const STALL: Duration = Duration::from_secs(5);

/// The account of what is under way.
#[derive(Debug)]
pub(super) struct Flight {
    /// Connects, arrivals, ends with something to read, and datagrams of the world's own hosts.
    inside: usize,
    /// Syncs that a disk thread works on.
    syncs: usize,
    /// A task beside the processes has been woken.
    stirred: bool,
    /// Open connections with foreign peers.
    strangers: usize,
    moved: Instant,
    /// Whoever serves beside the processes has come round since the last movement, and had nothing to do.
    sure: bool,
}

/// What stands beside the processes is doing, by its own account (see [`super::Clock`]).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// Foreign peers at work.
    pub(super) foreigners: usize,
    /// Requests that services are busy with.
    pub(super) busy: usize,
    /// Requests that no service has taken up, or answered.
    pub(super) waiting: u64,
    /// Services say when they take up a request.
    pub(super) is_exact: bool,
}

/// Whether a world may leap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing is under way, or nothing that ever comes.
    Quiet,
    /// Something is, or may be, for at most so long without movement.
    Moving(Duration),
    /// Nothing has moved for long enough, but whoever serves foreign peers beside the processes may not have had
    /// the processor in all that time: to be asked.
    Unsure,
}

impl Flight {
    pub(super) fn new() -> Flight {
        Flight { inside: 0, syncs: 0, stirred: false, strangers: 0, moved: real_now(), sure: false }
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

    pub(super) fn sync_began(&mut self) {
        self.syncs += 1;
    }

    pub(super) fn sync_ended(&mut self) {
        self.syncs = self.syncs.saturating_sub(1);
    }

    /// A task beside the processes was woken, and may do something now.
    pub(super) fn stir(&mut self) {
        self.stirred = true;
        self.movement();
    }

    pub(super) fn stranger_came(&mut self) {
        self.strangers += 1;
        self.movement();
    }

    pub(super) fn stranger_left(&mut self) {
        self.strangers = self.strangers.saturating_sub(1);
        self.movement();
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

    /// Whether the world may leap.
    pub(super) fn pace(&mut self, beside: Beside) -> Pace {
        if self.syncs > 0 {
            return Pace::Moving(Duration::MAX);
        }
        // A service that says when it takes up a request is known to have some, or none, without guessing.
        let is_known = self.inside > 0 || beside.busy > 0 || (beside.is_exact && beside.waiting > 0);
        let is_likely = self.stirred || beside.waiting > 0 || beside.foreigners + self.strangers > 0;
        let patience = match (is_known, is_likely) {
            (true, _) => STALL,
            (false, true) => FOREIGN_QUIET,
            (false, false) => return Pace::Quiet,
        };
        match patience.checked_sub(real_now().saturating_duration_since(self.moved)) {
            Some(left) if !left.is_zero() => Pace::Moving(left),
            _ if self.inside == 0 && !self.sure => Pace::Unsure,
            _ => {
                if is_known {
                    #[cfg(test)]
                    panic!("what was under way never came: {self:?} {beside:?}");
                    #[cfg(not(test))]
                    tracing::warn!(self.inside, ?beside, "what was under way never came");
                }
                self.stirred = false;
                Pace::Quiet
            }
        }
    }

    #[cfg(test)]
    pub(super) fn inside(&self) -> usize {
        self.inside + self.syncs
    }
}
