//! When a host had to do with a destination: what explains that it tries mail sooner or later than its schedule
//! says.

use mxdrill_net::{DomainName, Time};

use crate::schedule::DIALOGUE_MAX;

/// Destinations remembered for each host; beyond, the oldest is forgotten.
const RHYTHMS_MAX: usize = 4096;

/// The destinations of one host.
#[derive(Debug, Default)]
pub(crate) struct Rhythms {
    all: Vec<(DomainName, Rhythm)>,
    recent: usize,
}

/// What a host lately did for one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rhythm {
    /// When it was last given mail for it.
    pub(crate) news: Option<Time>,
    /// When it last put mail off without trying it.
    pub(crate) put_off: Option<Time>,
    /// When it last did anything for it.
    stirred: Time,
    /// The last time that it did nothing for longer than a dialogue lasts: from when to when.
    lull: (Time, Time),
}

impl Rhythms {
    /// What is known of a destination.
    pub(crate) fn of(&mut self, destination: &DomainName) -> &mut Rhythm {
        if self.all.get(self.recent).is_none_or(|(name, _)| name != destination) {
            self.recent = self.place(destination);
        }
        &mut self.all[self.recent].1
    }

    /// What is known of a destination, without remembering that it was asked for.
    pub(crate) fn known(&self, destination: &DomainName) -> Rhythm {
        let recent = self.all.get(self.recent).filter(|(name, _)| name == destination);
        let found = recent.or_else(|| self.all.iter().find(|(name, _)| name == destination));
        found.map(|(_, rhythm)| *rhythm).unwrap_or_default()
    }

    fn place(&mut self, destination: &DomainName) -> usize {
        let found = self.all.iter().position(|(name, _)| name == destination);
        found.unwrap_or_else(|| {
            if self.all.len() == RHYTHMS_MAX {
                self.all.remove(0);
            }
            self.all.push((destination.clone(), Rhythm::default()));
            self.all.len() - 1
        })
    }
}

impl Rhythm {
    /// The host does something for the destination.
    pub(crate) fn stir(&mut self, at: Time) {
        if at.since(self.stirred) > DIALOGUE_MAX {
            self.lull = (self.stirred, at);
        }
        self.stirred = at;
    }

    /// Whether the host was idle for long between when something was due and now: then nothing that stood in line
    /// before it explains why it was not tried.
    pub(crate) fn was_idle(&self, due: Time, now: Time) -> bool {
        let (from, to) = self.lull;
        let lull = to > due && to.since(from.max(due)) > DIALOGUE_MAX;
        lull || now.since(self.stirred.max(due)) > DIALOGUE_MAX
    }

    /// When mail last began to wait, if the attempt at it was so long ago.
    pub(crate) fn waits_since(&self, tried: Time) -> Time {
        self.put_off.map_or(tried, |put_off| put_off.max(tried))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(n: u64) -> Time {
        Time::from_secs(n * 60)
    }

    #[test]
    fn a_lull_counts_from_when_something_was_due() {
        let mut rhythm = Rhythm::default();
        [0, 10, 100, 110].into_iter().for_each(|at| rhythm.stir(minutes(at)));
        let was_idle = |due, now| rhythm.was_idle(minutes(due), minutes(now));
        assert!(was_idle(0, 110) && was_idle(69, 110));
        assert!(!was_idle(70, 110) && !was_idle(105, 140) && !was_idle(200, 230));
        assert!(was_idle(105, 141) && was_idle(200, 231));
    }

    #[test]
    fn each_destination_has_its_own() {
        let mut rhythms = Rhythms::default();
        let (a, b): (DomainName, DomainName) =
            ("a.test".parse().expect("name"), "b.test".parse().expect("name"));
        rhythms.of(&a).news = Some(minutes(1));
        rhythms.of(&b).put_off = Some(minutes(2));
        assert_eq!((rhythms.of(&a).news, rhythms.of(&a).put_off), (Some(minutes(1)), None));
        assert_eq!(rhythms.known(&b).waits_since(minutes(1)), minutes(2));
    }
}
