//! Reading figures off the books.

use std::time::Duration;

use mxdrill_net::Time;

use super::{Books, Class, Kind, Sheet, Site, spread::spread};
use crate::{Counts, Figure, HostFigures, Measure, Quantity, Spread, Subject};

impl Books {
    /// The value of a figure at a time.
    pub(crate) fn figure(&self, at: Time, figure: &Figure) -> Quantity {
        match &figure.of {
            Subject::Host(name) => match self.sites().find(|site| self.host_name(*site) == &**name) {
                Some(site) => self.of_host(at, figure.measure, site),
                None => Quantity::None,
            },
            of => self.of_all(at, figure.measure, of),
        }
    }

    fn of_all(&self, at: Time, measure: Measure, of: &Subject) -> Quantity {
        let counts = &self.counts;
        let count = match measure {
            Measure::Messages => counts.messages,
            Measure::Sent => counts.sent,
            Measure::Acknowledged => counts.acknowledged,
            Measure::Rejected => counts.rejected,
            Measure::InDoubt => counts.in_doubt,
            Measure::Delivered => counts.delivered,
            Measure::Queued => counts.queued,
            Measure::Bounced => counts.bounced,
            Measure::Discarded => counts.discarded,
            Measure::Lost => counts.lost,
            Measure::Duplicated => counts.duplicated,
            Measure::Unexpected => counts.unexpected,
            Measure::Dsns => counts.dsns,
            Measure::Warnings => counts.warnings,
            Measure::Queries => self.queries,
            Measure::Delay => return statistic(self.delay(), of),
            Measure::Failover => return statistic(self.failover(), of),
            Measure::Drain => {
                return match of {
                    Subject::P50 | Subject::P95 | Subject::P99 | Subject::Max => {
                        statistic(self.drained(), of)
                    }
                    Subject::All | Subject::Host(_) => self.drain().map_or(Quantity::None, Quantity::Span),
                };
            }
            Measure::QueueMax | Measure::QueueBytesMax | Measure::QueueOldest | Measure::SessionsMax => {
                return self.greatest(at, measure);
            }
            Measure::Accepted | Measure::Attempts | Measure::Connections => {
                self.sites().map(|site| self.count_of(measure, site)).sum()
            }
        };
        Quantity::Count(count)
    }

    /// The greatest of all hosts.
    fn greatest(&self, at: Time, measure: Measure) -> Quantity {
        if measure == Measure::QueueOldest {
            let oldest = self.sites().map(|site| self.oldest(at, site)).max();
            return Quantity::Span(oldest.unwrap_or_default());
        }
        Quantity::Count(self.sites().map(|site| self.count_of(measure, site)).max().unwrap_or(0))
    }

    fn of_host(&self, at: Time, measure: Measure, site: Site) -> Quantity {
        match measure {
            Measure::QueueOldest => Quantity::Span(self.oldest(at, site)),
            Measure::Messages | Measure::Delay | Measure::Failover | Measure::Drain => Quantity::None,
            measure => Quantity::Count(self.count_of(measure, site)),
        }
    }

    fn count_of(&self, measure: Measure, site: Site) -> u64 {
        let Some(sheet) = self.sheet(site) else { return 0 };
        match measure {
            Measure::Sent => sheet.sent,
            Measure::Acknowledged => sheet.acknowledged,
            Measure::Rejected => sheet.rejected,
            Measure::InDoubt => sheet.in_doubt,
            Measure::Delivered => sheet.delivered,
            Measure::Queued => sheet.queued,
            Measure::Bounced => sheet.bounced,
            Measure::Discarded => sheet.discarded,
            Measure::Lost => self.lost_at(site),
            Measure::Duplicated => sheet.duplicated,
            Measure::Unexpected => sheet.unexpected,
            Measure::Accepted => sheet.accepted,
            Measure::QueueMax => sheet.queued_max.max(sheet.queued),
            Measure::QueueBytesMax => sheet.bytes_max.max(sheet.bytes),
            Measure::SessionsMax => sheet.sessions_most(),
            Measure::Attempts => sheet.attempts,
            Measure::Connections => sheet.connections,
            Measure::Queries => sheet.queries,
            Measure::Dsns => sheet.dsns,
            Measure::Warnings => sheet.warnings,
            Measure::Messages
            | Measure::QueueOldest
            | Measure::Delay
            | Measure::Failover
            | Measure::Drain => 0,
        }
    }

    /// Recipients last seen at a host and now nowhere.
    fn lost_at(&self, site: Site) -> u64 {
        let is_lost = |id: &super::RecipientId| {
            let state = self.mail.state(*id);
            state.class() == Class::Lost && state.last == site
        };
        self.sent_recipients().map(|(_, id)| id).filter(is_lost).count() as u64
    }

    /// All recipients of the drill's own mail.
    pub(crate) fn sent_recipients(&self) -> impl Iterator<Item = (super::MessageId, super::RecipientId)> {
        let sent = self.mail.messages().filter(|(_, message)| message.kind == Kind::Sent);
        sent.flat_map(|(id, _)| self.mail.of(id).map(move |recipient| (id, recipient)))
    }

    /// The longest stay in a queue so far, what still lies there included.
    fn oldest(&self, at: Time, site: Site) -> Duration {
        let past = self.sheet(site).map(|sheet| sheet.oldest_max).unwrap_or_default();
        if self.sheet(site).is_none_or(|sheet| sheet.queued == 0) {
            return past;
        }
        past.max(self.mail.oldest(site).map(|since| at.since(since)).unwrap_or_default())
    }

    /// From sending to delivery, over delivered recipients.
    pub(crate) fn delay(&self) -> Spread {
        let delay = |(message, recipient)| {
            let state = self.mail.state(recipient);
            let sent_at = self.mail.message(message).sent_at;
            (state.class() == Class::Delivered).then(|| state.delivered_at.since(sent_at).as_nanos() as u64)
        };
        spread(&mut self.sent_recipients().filter_map(delay).collect::<Vec<_>>())
    }

    /// From the start of an attempt to the 250 of a worse MX.
    pub(crate) fn failover(&self) -> Spread {
        spread(&mut self.failovers.clone())
    }

    /// From the last repair to the last delivery of what relays then held; `None` while some of it is queued.
    pub(crate) fn drain(&self) -> Option<Duration> {
        let repair = self.repair.as_ref()?;
        let last = repair.last?;
        let waits = |(_, id): &(_, super::RecipientId)| {
            let state = self.mail.state(*id);
            state.held_at_repair && !state.is_final() && state.is_held()
        };
        if repair.left > 0 && self.sent_recipients().any(|found| waits(&found)) {
            return None;
        }
        Some(last.since(repair.at))
    }

    /// From the last repair to the delivery of each recipient that a relay then held, as far as it came.
    pub(crate) fn drained(&self) -> Spread {
        self.repair.as_ref().map_or_else(Spread::default, |repair| spread(&mut repair.drained.clone()))
    }

    /// Recipients that relays held at the last repair.
    pub(crate) fn held_at_repair(&self) -> u64 {
        self.repair.as_ref().map_or(0, |repair| repair.held)
    }

    /// The counts as they stand.
    pub(crate) fn counts(&self) -> Counts {
        let explained = |(_, recipient)| {
            let state = self.mail.state(recipient);
            let counted = state.first == super::First::Acknowledged;
            if counted { u64::from(state.extra.min(state.doubts)) } else { 0 }
        };
        let duplicated_explained =
            if self.counts.duplicated > 0 { self.sent_recipients().map(explained).sum() } else { 0 };
        Counts { duplicated_explained, ..self.counts }
    }

    /// The figures of all hosts at the end.
    pub(crate) fn hosts(&self, at: Time) -> Vec<HostFigures> {
        let figures = |site: Site| {
            let sheet: &Sheet = self.sheet(site)?;
            Some(HostFigures {
                name: self.host_name(site).into(),
                accepted: sheet.accepted,
                delivered: sheet.delivered,
                queued_max: sheet.queued_max,
                bytes_max: sheet.bytes_max,
                oldest_max: self.oldest(at, site),
                sessions_max: sheet.sessions_most(),
            })
        };
        self.sites().filter_map(figures).collect()
    }
}

fn statistic(spread: Spread, of: &Subject) -> Quantity {
    let found = match of {
        Subject::P50 => spread.p50,
        Subject::P95 => spread.p95,
        Subject::P99 => spread.p99,
        Subject::Max | Subject::All | Subject::Host(_) => spread.max,
    };
    found.map_or(Quantity::None, Quantity::Span)
}
