//! What many messages of a node have in common is kept once: equal bodies, and the domain names of envelopes.

use bytes::Bytes;
use mxdrill_net::{DomainName, Index};
use mxdrill_smtp::Address;

use crate::hash::hash;

/// Bodies and names that live messages share.
///
/// An entry whose last message is gone is swept out when the table has doubled since the last sweep, so what
/// it holds in vain stays below what lives, plus [`SLACK_BODIES`] or [`SLACK_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Interner {
    bodies: Index<u64, Body>,
    /// The keys of `bodies`, in the order in which they came: an index cannot be walked.
    keys: Vec<u64>,
    /// The key of the body that came last: most often it comes again.
    last: u64,
    /// Octets of all bodies in the table.
    bytes: u64,
    sweep_at: Limits,
    names: Index<DomainName, DomainName>,
    /// Addresses seen lately, each in the place that [`place`] gives it.
    recent: [Option<Address>; RECENT],
}

/// Entries above which the table is swept.
#[derive(Clone, Copy, Debug)]
struct Limits {
    bodies: usize,
    bytes: u64,
}

/// So many dead bodies are always tolerated.
const SLACK_BODIES: usize = 64;
/// So many octets of dead bodies are always tolerated.
const SLACK_BYTES: u64 = 4 << 20;
/// So many names are remembered; then the table begins anew, and only sharing is lost.
const NAMES_MAX: usize = 4096;
/// Addresses that are remembered whole.
const RECENT: usize = 16;
/// Bodies below this size are copied out of the content they came in, so that its header is not kept with them.
const COPY_BELOW: usize = 64 << 10;

impl Default for Limits {
    fn default() -> Self {
        Limits { bodies: SLACK_BODIES, bytes: SLACK_BYTES }
    }
}

/// A body, and its CRC-32, computed once for all its messages.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) check: u32,
}

/// The body that begins at `at`, by itself.
fn own(content: &Bytes, at: usize) -> Body {
    let body = &content[at..];
    let bytes = if body.len() < COPY_BELOW { Bytes::copy_from_slice(body) } else { content.slice(at..) };
    Body { check: crc32fast::hash(&bytes), bytes }
}

impl Interner {
    /// The body that begins at `at`, shared with an equal one where a live message has it.
    pub(crate) fn share_body(&mut self, content: &Bytes, at: usize) -> Body {
        let body = &content[at..];
        if let Some(known) = self.bodies.get(&self.last)
            && known.bytes == body
        {
            return known.clone();
        }
        let key = hash(0, body);
        self.last = key;
        match self.bodies.get(&key) {
            Some(known) if known.bytes == body => known.clone(),
            // Two bodies with one hash: the second is simply not shared.
            Some(_) => own(content, at),
            None => self.keep(key, own(content, at)),
        }
    }

    fn keep(&mut self, key: u64, body: Body) -> Body {
        if self.keys.len() >= self.sweep_at.bodies || self.bytes >= self.sweep_at.bytes {
            self.sweep();
        }
        self.bytes += body.bytes.len() as u64;
        self.keys.push(key);
        self.bodies.insert(key, body.clone());
        body
    }

    /// Forgets the bodies that nobody else holds any more.
    pub(crate) fn sweep(&mut self) {
        let Interner { bodies, keys, bytes, .. } = self;
        keys.retain(|key| {
            let live = bodies.get(key).is_some_and(|body| !body.bytes.is_unique());
            if !live && let Some(dead) = bodies.remove(key) {
                *bytes -= dead.bytes.len() as u64;
            }
            live
        });
        self.sweep_at =
            Limits { bodies: 2 * self.keys.len() + SLACK_BODIES, bytes: 2 * self.bytes + SLACK_BYTES };
    }

    /// How many bodies are remembered.
    pub(crate) fn bodies(&self) -> usize {
        self.keys.len()
    }

    /// Makes an address share its text with an equal one seen lately, or at least that of its domain.
    pub(crate) fn share_address(&mut self, address: &mut Address) {
        let place = place(address);
        match &self.recent[place] {
            Some(known) if known == address => *address = known.clone(),
            _ => {
                self.share_domain(address);
                self.recent[place] = Some(address.clone());
            }
        }
    }

    fn share_domain(&mut self, address: &mut Address) {
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        let name = self.names.get_or_insert_with(address.domain().clone(), || address.domain().clone());
        address.share_domain(name);
    }
}

/// Where an address is remembered when it was seen lately.
fn place(address: &Address) -> usize {
    let ends = |text: &str| match (text.as_bytes().first(), text.as_bytes().last()) {
        (Some(first), Some(last)) => usize::from(first.wrapping_add(last.rotate_left(2))),
        _ => 0,
    };
    (ends(address.local()) + ends(address.domain().as_str()) + address.local().len()) % RECENT
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mxdrill_smtp::Address;

    use super::{Interner, NAMES_MAX, SLACK_BODIES, SLACK_BYTES};

    fn body(n: usize) -> Bytes {
        format!("body {n}\r\n").into()
    }

    #[test]
    fn equal_bodies_are_one() {
        let mut interner = Interner::default();
        let first = interner.share_body(&body(1), 0);
        let other = interner.share_body(&body(2), 0);
        let again = interner.share_body(&body(1), 0);
        assert_eq!(first.bytes.as_ptr(), again.bytes.as_ptr());
        assert_eq!(first.check, again.check);
        assert_ne!(first.bytes, other.bytes);
        assert_eq!(interner.bodies(), 2);
    }

    #[test]
    fn a_body_does_not_keep_the_content_it_came_in() {
        let content = Bytes::from("Subject: x\r\n\r\nbody\r\n".to_owned());
        let kept = Interner::default().share_body(&content, 14);
        assert_eq!(&kept.bytes[..], b"body\r\n");
        assert!(content.is_unique());
    }

    #[test]
    fn nothing_is_left_when_the_last_message_is_gone() {
        let mut interner = Interner::default();
        let live: Vec<_> = (0..1000).map(|n| interner.share_body(&body(n), 0)).collect();
        interner.sweep();
        assert_eq!(interner.bodies(), 1000);
        drop(live);
        interner.sweep();
        assert_eq!((interner.bodies(), interner.bodies.len(), interner.bytes), (0, 0, 0));
    }

    #[test]
    fn dead_bodies_stay_few() {
        let mut interner = Interner::default();
        let _live: Vec<_> = (0..100).map(|n| interner.share_body(&body(n), 0)).collect();
        for n in 100..20_000 {
            interner.share_body(&body(n), 0);
            assert!(interner.bodies() <= 2 * 101 + SLACK_BODIES);
        }
        for n in 0..200u8 {
            interner.share_body(&Bytes::from(vec![n; 1 << 20]), 0);
            assert!(interner.bytes <= 2 * SLACK_BYTES);
        }
    }

    #[test]
    fn addresses_seen_lately_are_one() {
        let mut interner = Interner::default();
        let mut addresses: Vec<Address> =
            ["a@example.test", "b@example.test", "a@example.test", "a@other.test"]
                .map(|a| a.parse().unwrap())
                .into();
        addresses.iter_mut().for_each(|address| interner.share_address(address));
        let local = |n: usize| addresses[n].local().as_ptr();
        assert_eq!(local(0), local(2));
        assert_eq!(addresses[3].to_string(), "a@other.test");
        assert_ne!(local(0), local(3));
    }

    #[test]
    fn names_are_one_and_bounded() {
        let mut interner = Interner::default();
        let mut addresses: Vec<Address> =
            (0..2).map(|n| format!("u{n}@example.test").parse().unwrap()).collect();
        for address in &mut addresses {
            interner.share_address(address);
        }
        assert_eq!(addresses[0].domain().as_str().as_ptr(), addresses[1].domain().as_str().as_ptr());
        for n in 0..3 * NAMES_MAX {
            interner.share_address(&mut format!("u@d{n}.test").parse().unwrap());
            assert!(interner.names.len() <= NAMES_MAX);
        }
    }
}
