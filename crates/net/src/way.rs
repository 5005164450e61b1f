//! One direction between two hosts: when what leaves now arrives, if it does.

use std::time::Duration;

use crate::{Link, LinkRule, Tag, Time, seed::scale};

/// How long a kernel goes on sending what is not acknowledged before it breaks the connection off: Linux's
/// `tcp_retries2` of 15 comes to 924.6 s (Documentation/networking/ip-sysctl.rst; RFC 1122 4.2.3.5 asks for at
/// least 100 s).
pub(crate) const PATIENCE: Duration = Duration::from_millis(924_600);

/// What a lossy or slow way is cut into: the payload of an Ethernet frame, less IPv4 and TCP headers.
const PACKET: usize = 1460;

/// One direction between two hosts.
#[derive(Debug)]
pub(crate) struct Way {
    /// The sending host.
    pub(crate) from: u16,
    /// What it is like at present.
    pub(crate) link: Link,
    tag: Option<Tag>,
    /// Nothing but latency, and nothing left to report: the short way through [`Way::pass`].
    pub(crate) plain: bool,
    /// Whether the rule's mere slowness has been reported.
    bitten: bool,
    /// When the last packet has left, where bandwidth is bounded.
    free_at: Time,
    /// Datagrams sent so far, which key their draws.
    pub(crate) datagrams: u64,
}

/// What became of something that set out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// When it arrives; `None` if it is lost.
    pub(crate) at: Option<Time>,
    /// The fault that made it so.
    pub(crate) bit: Option<Tag>,
}

impl Way {
    /// A quiet way from `from`.
    pub(crate) fn new(from: u16) -> Way {
        Way {
            from,
            link: Link::default(),
            tag: None,
            plain: true,
            bitten: true,
            free_at: Time::ZERO,
            datagrams: 0,
        }
    }

    /// Sets or lifts the rule and returns the link as it was.
    pub(crate) fn set(&mut self, rule: Option<LinkRule>) -> Link {
        self.tag = rule.as_ref().map(|rule| rule.tag);
        let link = rule.map(|rule| rule.link).unwrap_or_default();
        let quiet = Link::default();
        let pace = |link: &Link| (link.latency, link.jitter, link.bandwidth);
        self.bitten = pace(&link) == pace(&quiet);
        self.free_at = Time::ZERO;
        self.plain = self.bitten && link == Link { latency: link.latency, ..quiet };
        std::mem::replace(&mut self.link, link)
    }

    /// The longest piece of a stream that shares one fate.
    pub(crate) fn piece(&self) -> usize {
        if self.link.loss_ppm > 0 || self.link.bandwidth.is_some() { PACKET } else { usize::MAX }
    }

    /// The tag of the rule in force.
    pub(crate) fn tag(&self) -> Option<Tag> {
        self.tag
    }

    /// Sends one packet that nobody retransmits: a datagram, a SYN, a reset. `draw` is its own number.
    pub(crate) fn packet(&mut self, now: Time, bytes: usize, draw: u64) -> Passage {
        if self.link.partition || self.is_lost(draw, 0) {
            return Passage { at: None, bit: self.tag };
        }
        Passage { at: Some(self.depart(now, bytes) + self.delay(draw)), bit: self.slowness() }
    }

    /// Sends a segment of a stream, retransmitted until it arrives or the kernel loses patience. `draw` is its
    /// own number. A partition is for the caller to see: nothing arrives until it heals.
    pub(crate) fn pass(&mut self, now: Time, bytes: usize, draw: u64) -> Passage {
        let mut waited = Duration::ZERO;
        let mut attempt = 0;
        while self.is_lost(draw, attempt) {
            waited += retransmit_after(attempt);
            attempt += 1;
            if waited > PATIENCE {
                return Passage { at: None, bit: self.tag };
            }
        }
        let at = self.depart(now, bytes) + self.delay(draw) + waited;
        let slow = self.slowness();
        Passage { at: Some(at), bit: if attempt > 0 { self.tag } else { slow } }
    }

    /// When a packet that starts at `now` has wholly left.
    fn depart(&mut self, now: Time, bytes: usize) -> Time {
        let Some(bandwidth) = self.link.bandwidth else { return now };
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(bandwidth.max(1));
        self.free_at = self.free_at.max(now) + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free_at
    }

    fn delay(&self, draw: u64) -> Duration {
        if self.link.jitter.is_zero() {
            return self.link.latency;
        }
        let bound = u64::try_from(self.link.jitter.as_nanos()).unwrap_or(u64::MAX);
        self.link.latency + Duration::from_nanos(scale(draw, bound.saturating_add(1)))
    }

    /// Whether the attempt is lost, from digits of the draw that jitter does not use.
    fn is_lost(&self, draw: u64, attempt: u32) -> bool {
        let number = draw.rotate_left(32) ^ u64::from(attempt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.link.loss_ppm > 0
            && scale(crate::Seed(number).pick("", &[]), 1_000_000) < u64::from(self.link.loss_ppm)
    }

    /// The tag of a rule that only slows, once: from then on the short way does.
    fn slowness(&mut self) -> Option<Tag> {
        if self.bitten {
            return None;
        }
        self.bitten = true;
        self.plain = self.link == Link { latency: self.link.latency, ..Link::default() };
        self.tag
    }
}

/// How long a sender waits before it sends again what was lost `attempt + 1` times: 1 s (RFC 6298 2.1),
/// doubled each time (5.5), at most 120 s (Linux's `TCP_RTO_MAX`).
fn retransmit_after(attempt: u32) -> Duration {
    Duration::from_secs((1u64 << attempt.min(7)).min(120))
}

/// When a segment first sent at `since` is next sent, at or after `now`.
pub(crate) fn next_retransmit(since: Time, now: Time) -> Time {
    let mut at = since;
    for attempt in 0.. {
        if at >= now {
            break;
        }
        at = at + retransmit_after(attempt);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(link: Link) -> Way {
        let mut way = Way::new(0);
        way.set(Some(LinkRule { link, tag: Tag(7) }));
        way
    }

    fn millis(time: Option<Time>) -> Option<u64> {
        time.map(|at| at.as_nanos() / 1_000_000)
    }

    #[test]
    fn a_slow_way_is_reported_once_and_plain_from_then_on() {
        let mut way = way(Link { latency: Duration::from_millis(40), ..Link::default() });
        assert!(!way.plain);
        let first = way.pass(Time::ZERO, 10, 1);
        assert_eq!((millis(first.at), first.bit), (Some(40), Some(Tag(7))));
        assert!(way.plain);
        assert_eq!(way.pass(Time::ZERO, 10, 2).bit, None);
    }

    #[test]
    fn bandwidth_makes_packets_queue() {
        let mut way = way(Link { latency: Duration::ZERO, bandwidth: Some(1000), ..Link::default() });
        assert_eq!(millis(way.pass(Time::ZERO, 500, 1).at), Some(500));
        assert_eq!(millis(way.pass(Time::ZERO, 500, 2).at), Some(1000));
        assert_eq!(millis(way.pass(Time::from_secs(9), 500, 3).at), Some(9500));
    }

    #[test]
    fn certain_loss_outlasts_the_patience() {
        let mut way = way(Link { loss_ppm: 1_000_000, ..Link::default() });
        assert_eq!(way.pass(Time::ZERO, 1, 5), Passage { at: None, bit: Some(Tag(7)) });
        assert_eq!(way.packet(Time::ZERO, 1, 5), Passage { at: None, bit: Some(Tag(7)) });
    }

    #[test]
    fn loss_delays_a_stream_by_whole_timeouts() {
        let link = Link { latency: Duration::ZERO, loss_ppm: 500_000, ..Link::default() };
        let seconds: Vec<_> = (0..200)
            .map(|draw| way(link.clone()).pass(Time::ZERO, 1, crate::Seed(draw).pick("", &[])))
            .map(|passage| passage.at.map(|at| at.as_nanos()))
            .collect();
        let waits = [0, 1, 3, 7, 15, 31, 63, 127, 247].map(|secs| Some(secs * 1_000_000_000));
        assert!(seconds.iter().all(|at| waits.contains(at)), "{seconds:?}");
        let prompt = seconds.iter().filter(|at| **at == Some(0)).count();
        assert!((70..130).contains(&prompt), "half of them get through at once, not {prompt} of 200");
    }

    #[test]
    fn a_healed_way_is_found_at_the_next_retransmission() {
        let next =
            |secs| next_retransmit(Time::from_secs(10), Time::from_secs(secs)).as_nanos() / 1_000_000_000;
        assert_eq!([10, 11, 12, 13, 14, 200, 300].map(next), [10, 11, 13, 13, 17, 257, 377]);
    }
}
