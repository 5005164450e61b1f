//! Mail is given up for its age when its time is over: neither before nor long after.

use std::time::Duration;

use mxdrill_mta::{Fact, GiveUp};
use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Span, Violation,
    books::{Books, Kind, MessageId, Note, RecipientId, Site},
    schedule::DIALOGUE_MAX,
};

pub(super) const RULE: Rule = Rule {
    name: "lifetime",
    clause: "RFC 5321 4.5.4.1",
    about: "mail is given up for its age at the age that the host's profile promises",
    undecided: false,
    wants: Wants::GIVEN_UP,
    make: || Box::new(Lifetime::default()),
};

/// What is wrong with an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Given up too young.
    Young,
    /// Given up too old.
    Old,
    /// Too old, and still kept.
    Kept,
}

/// Cases by host.
#[derive(Debug, Default)]
struct Lifetime(Findings<(Site, What)>);

impl Lifetime {
    fn add(
        &mut self,
        at: Time,
        case: (Site, What),
        age: Duration,
        bound: Duration,
        name: crate::RecipientName,
    ) {
        self.0.add_timed(case, at, Some(name), (age, bound));
    }

    /// A host gives up a recipient that it has held since then.
    fn given_up(&mut self, at: Time, site: Site, message: MessageId, recipient: RecipientId, books: &Books) {
        let schedule = books.host(site).and_then(|host| host.schedule.as_ref());
        let hold = books.mail.held(recipient, site);
        let (Some(schedule), Some(hold)) = (schedule, hold) else { return };
        let life = schedule.life(books.mail.message(message).null);
        let (age, name) = (at.since(hold.since), books.name(message, recipient));
        if age + Duration::from_secs(1) < life.min {
            return self.add(at, (site, What::Young), age, life.min, name);
        }
        let late = |max: &Duration| age > *max + DIALOGUE_MAX + books.down_for(site, hold.since);
        if let Some(max) = life.max.filter(late) {
            self.add(at, (site, What::Old), age, max, name);
        }
    }

    /// What is held in the end, and should have been given up by now.
    fn kept(&mut self, at: Time, books: &Books) {
        for (message, state) in books.mail.messages().filter(|(_, state)| state.kind == Kind::Sent) {
            for recipient in books.mail.of(message) {
                for hold in books.mail.state(recipient).holds() {
                    let max = books.promise(hold.site).and_then(|schedule| schedule.life(state.null).max);
                    let age = at.since(hold.since);
                    let late =
                        |max: &Duration| age > *max + DIALOGUE_MAX + books.down_for(hold.site, hold.since);
                    if let Some(max) = max.filter(late) {
                        self.add(at, (hold.site, What::Kept), age, max, books.name(message, recipient));
                    }
                }
            }
        }
    }
}

impl Check for Lifetime {
    fn see(&mut self, at: Time, site: Site, fact: &crate::Fact, books: &Books) {
        let crate::Fact::Mta(Fact::GivenUp { why: GiveUp::Expired, .. }) = fact else { return };
        let about = books.about().filter(|about| about.kind == Kind::Sent);
        if let Some((message, recipient)) = about.and_then(|about| Some((about.message, about.recipient?))) {
            self.given_up(at, site, message, recipient, books);
        }
    }

    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        if let Note::Outlived { message, recipient, site, age, max } = note {
            self.add(at, (*site, What::Kept), *age, *max, books.name(*message, *recipient));
        }
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        self.kept(at, books);
        let violation = |((site, what), finding): ((Site, What), super::findings::Finding)| {
            let host = books.host_name(site);
            let (age, bound) = (Span(finding.first.0).spoken(), Span(finding.first.1).spoken());
            let text = match what {
                What::Young => format!("{host} gave up too early: at an age of {age}, not of {bound}"),
                What::Old => {
                    format!("{host} gave up too late: at an age of {age}, where {bound} was promised")
                }
                What::Kept => format!("{host} still kept it at an age of {age}, where {bound} was promised"),
            };
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!("the queue lifetime was not honoured\n{text}"),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
