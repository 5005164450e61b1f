//! From what was gathered to lines.

use mxdrill_net::Time;
use mxdrill_smtp::Severity;

use super::{
    Line, Story,
    teller::{Event, Left, Part, Replied, Sent, Teller},
};
use crate::{
    Span,
    books::{Books, Site},
    duration::clock,
};

/// Recipients shown of a send, in characters.
const TO_MAX: usize = 48;

impl Teller {
    /// The story, as far as it went at `at`.
    pub(crate) fn tell(&self, at: Time, books: &Books) -> Story {
        let mut lines = Vec::new();
        let mut last_to = None;
        for (place, sent) in self.sends.iter().enumerate() {
            lines.push((place, sent.line(last_to != Some(&sent.to), books)));
            last_to = Some(&sent.to);
        }
        // Before the lines of sends of the same time and a higher number.
        let events = self.events.iter().rev();
        let events = events.filter_map(|(at, place, event)| Some((*place, event.line(*at, books)?)));
        events.for_each(|event| lines.insert(0, event));
        lines.extend(books.sites().filter_map(|site| Some((usize::MAX, self.leftover(at, site, books)?))));
        lines.sort_by_key(|(place, line)| (line.at, *place));
        Story { lines: lines.into_iter().map(|(_, line)| line).collect(), untold: self.untold }
    }

    /// What is still in a queue in the end.
    fn leftover(&self, at: Time, site: Site, books: &Books) -> Option<Line> {
        let queued = books.sheet(site)?.queued;
        let left = self.stays.get(&site);
        if queued == 0 && left.is_none() {
            return None;
        }
        let what = if queued == 0 { "queue empty".into() } else { format!("still holds {queued}") };
        let then = left.map(|left| left.told(self.repair, books)).unwrap_or_default();
        Some(Line { at, who: books.host_name(site).into(), what, then })
    }
}

impl Sent {
    fn line(&self, name_to: bool, books: &Books) -> Line {
        let mut what = format!("sends {}", self.count);
        if name_to {
            what += &format!(" to {}", shortened(&self.to));
        }
        if self.from.is_null() {
            what += " from <>";
        }
        if !self.over.is_zero() {
            what += &format!(" over {}", Span(self.over).spoken());
        }
        let who = if self.by == Site::NONE { "sender" } else { books.host_name(self.by) };
        Line { at: self.at, who: who.into(), what, then: self.then(books) }
    }

    fn then(&self, books: &Books) -> Vec<String> {
        let mut then = Vec::new();
        for (site, part) in &self.parts {
            then.extend(part.told(books.host_name(*site)));
        }
        then.extend(self.replies.iter().map(|replied| replied.told(books)));
        for (site, count) in &self.in_doubt {
            then.push(format!("link to {} lost after the dot: {count} in doubt", books.host_name(*site)));
        }
        if self.unreached > 0 {
            then.push(format!("no host is reached for {}", self.unreached));
        }
        let keeps = self.kept();
        if keeps > 0 && books.host(self.by).is_some_and(|host| !host.foreign) {
            then.push(format!("{} keeps {keeps}", books.host_name(self.by)));
        }
        for (site, (count, longest)) in &self.bounced {
            let (by, to) = (books.host_name(*site), self.sender());
            then.push(format!("{by} bounces {count} to {to} within {}", Span(*longest).spoken()));
        }
        then
    }

    fn sender(&self) -> String {
        self.from.0.as_ref().map_or("<>".into(), ToString::to_string)
    }

    /// Recipients that went nowhere for a while: the originator's queue has them.
    fn kept(&self) -> u64 {
        let went: u64 = self.parts.values().map(|part| part.delivered + part.held).sum();
        let bounced: u64 = self.bounced.values().map(|(count, _)| count).sum();
        let refused: u64 =
            self.replies.iter().filter(|replied| replied.first).map(|replied| replied.count).sum();
        self.recipients.saturating_sub(went + bounced + refused + self.unreached)
    }
}

/// A long list of recipients is cut off.
fn shortened(text: &str) -> String {
    if text.chars().count() <= TO_MAX {
        return text.into();
    }
    text.chars().take(TO_MAX - 3).chain("...".chars()).collect()
}

impl Part {
    fn told(&self, host: &str) -> Option<String> {
        let again = if self.again > 0 { format!(", and {} again", self.again) } else { String::new() };
        let delivers = self.delivered > 0 || self.again > 0;
        let delivered = delivers.then(|| format!("{host} delivers {}{again}", self.delivered));
        let held = (self.held > 0).then(|| {
            let at_once = self.at_once == self.held && !self.failover.is_zero();
            let how = format!(", each at its first attempt ({})", Span(self.failover).spoken());
            format!("{host} holds {}{}", self.held, if at_once { &how } else { "" })
        });
        match (delivered, held) {
            (Some(delivered), Some(held)) => Some(format!("{delivered}, {held}")),
            (delivered, held) => delivered.or(held),
        }
    }
}

impl Replied {
    fn told(&self, books: &Books) -> String {
        let verb = if self.reply.severity() == Severity::Permanent { "rejects" } else { "puts off" };
        format!("{} {verb} {}: {}", books.host_name(self.by), self.count, self.reply)
    }
}

impl Event {
    fn line(&self, at: Time, books: &Books) -> Option<Line> {
        let (who, what, then) = match self {
            Event::Fault { tag, begins } => {
                let fault = books.setup.fault(*tag)?;
                let what = if *begins { &fault.begins } else { &fault.ends };
                (fault.on.as_str(), what.clone(), Vec::new())
            }
            Event::Flush(site) => (books.host_name(*site), "tries its whole queue".into(), Vec::new()),
            Event::Safety { site, what, why } => (books.host_name(*site), what.clone(), vec![why.clone()]),
            Event::Set(text) => ("dns", format!("now says {text}"), Vec::new()),
            Event::Emptied { site, left, repair } => {
                (books.host_name(*site), "queue empty".into(), left.told(*repair, books))
            }
            Event::Bounced { by, count, after, last } => {
                let until = if *last > at { format!(" until {}", clock(*last)) } else { String::new() };
                let what = format!("bounces {count}{until}");
                (
                    books.host_name(*by),
                    what,
                    vec![format!("up to {} after they were sent", Span(*after).spoken())],
                )
            }
        };
        Some(Line { at, who: who.into(), what, then })
    }
}

impl Left {
    fn told(&self, repair: Option<Time>, books: &Books) -> Vec<String> {
        let told = |(site, (count, last)): (&Site, &(u64, Time))| {
            let host = books.host_name(*site);
            let whole = format!("{host} delivers {count}");
            match repair.filter(|repair| repair < last) {
                Some(repair) => {
                    format!("{whole}, the last {} after the repair", Span(last.since(repair)).spoken())
                }
                None => whole,
            }
        };
        let taken =
            self.taken.iter().map(|(site, count)| format!("{} holds {count}", books.host_name(*site)));
        self.delivered.iter().map(told).chain(taken).collect()
    }
}
