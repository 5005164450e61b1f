//! Reading the spool after a restart.

use std::{collections::BTreeMap, sync::Arc};

use mxdrill_net::{Commands, Kept, Segment};

use super::{
    Entry, Part, Pending, Spool, SpoolOptions, narrow,
    record::{self, Record, Stored},
};
use crate::{Intake, Message, QueueId};

/// A message that the spool still holds after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The message.
    pub message: Arc<Message>,
    /// Recipients still to be served.
    pub pending: Pending,
}

/// The log, replayed.
#[derive(Default)]
struct Replay {
    live: BTreeMap<QueueId, Found>,
    last_id: Option<QueueId>,
    delivered: u64,
}

/// A live message in a segment.
struct Found {
    stored: Stored,
    segment: Segment,
    size: u64,
}

impl<T> Spool<T> {
    /// Reads what the disk kept, removes segments in which nothing lives, and yields the messages still to be
    /// served, oldest first. Everything acknowledged and not done is among them. A segment is read up to its
    /// first bad record: what follows was never synced. The log goes on in a new segment.
    pub fn recover<F>(
        options: SpoolOptions,
        kept: &[Kept],
        intake: &mut Intake,
        out: &mut Commands<F>,
    ) -> (Spool<T>, Vec<Recovered>) {
        let mut spool = Spool::new(options);
        let mut kept: Vec<&Kept> = kept.iter().collect();
        kept.sort_by_key(|kept| kept.segment);
        let mut replay = Replay::default();
        spool.parts.clear();
        for kept in &kept {
            replay.segment(kept);
            spool.bytes += kept.bytes.len() as u64;
            spool.parts.push_back(Part { bytes: kept.bytes.len() as u64, ..Part::new(kept.segment) });
        }
        let next = kept.last().map_or(1, |kept| kept.segment.0.saturating_add(1));
        spool.parts.push_back(Part::new(Segment(next)));
        spool.delivered = replay.delivered;
        replay.last_id.inspect(|id| intake.saw_id(*id));
        let recovered =
            replay.live.into_values().filter_map(|found| spool.adopt_found(found, intake)).collect();
        spool.release(out);
        (spool, recovered)
    }

    fn adopt_found(&mut self, found: Found, intake: &mut Intake) -> Option<Recovered> {
        let Found { stored, segment, size } = found;
        let mut message = stored.message()?;
        intake.share(&mut message);
        let (message, pending) = (Arc::new(message), stored.pending);
        let entry = Entry { message: message.clone(), pending: pending.clone(), size: narrow(size) };
        self.keep_copy(segment, message.id, entry);
        Some(Recovered { message, pending })
    }
}

impl Replay {
    fn segment(&mut self, kept: &Kept) {
        let mut rest = kept.bytes.clone();
        let mut before = rest.len();
        while let Some(record) = record::take(&mut rest) {
            let size = (before - rest.len()) as u64;
            before = rest.len();
            self.record(record, kept.segment, size);
        }
    }

    fn record(&mut self, record: Record, segment: Segment, size: u64) {
        match record {
            Record::Begin { delivered } => self.delivered = delivered,
            Record::Stored(stored) => self.stored(stored, segment, size),
            Record::Done(id, recipient) => self.done(id, recipient),
            Record::Gone(id) => drop(self.live.remove(&id)),
        }
    }

    fn stored(&mut self, stored: Stored, segment: Segment, size: u64) {
        self.last_id = self.last_id.max(Some(stored.id));
        if !stored.is_copy {
            self.delivered += u64::from(stored.recipients) - stored.pending.len() as u64;
        }
        if !stored.pending.is_empty() {
            self.live.insert(stored.id, Found { stored, segment, size });
        }
    }

    fn done(&mut self, id: QueueId, recipient: u16) {
        if let Some(found) = self.live.get_mut(&id) {
            found.stored.pending.remove(recipient);
            if found.stored.pending.is_empty() {
                self.live.remove(&id);
            }
        }
    }
}
