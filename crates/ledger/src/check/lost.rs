//! Nothing is lost: what was taken with a 250 is in a mailbox, in a queue, or told to its sender.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Class, Kind, MessageId, RecipientId, Site},
    duration::clock,
};

pub(super) const RULE: Rule = Rule {
    name: "lost",
    clause: "RFC 5321 6.1",
    about: "a host that says 250 delivers the mail or tells its sender: it must not lose it",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(Lost),
};

#[derive(Debug)]
struct Lost;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Mail,
    Dsn,
}

impl Check for Lost {
    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        let mut findings: Findings<(What, Site)> = Findings::default();
        for (message, state) in books.mail.messages() {
            for recipient in books.mail.of(message) {
                let what = match state.kind {
                    Kind::Sent if books.mail.state(recipient).class() == Class::Lost => What::Mail,
                    Kind::Bounce if is_gone(books, recipient) => What::Dsn,
                    _ => continue,
                };
                let last = books.mail.state(recipient).last;
                findings.add((what, last), at, name(books, message, recipient, what));
            }
        }
        findings
            .take()
            .map(|((what, site), finding)| violation(books, what, site, finding.recipients))
            .collect()
    }
}

/// A DSN that no queue and no mailbox has, and that was not given up either.
fn is_gone(books: &Books, dsn: RecipientId) -> bool {
    let state = books.mail.state(dsn);
    !state.is_final() && !state.is_held()
}

/// A DSN goes by the number of the message that it is about.
fn name(
    books: &Books,
    message: MessageId,
    recipient: RecipientId,
    what: What,
) -> Option<crate::RecipientName> {
    match what {
        What::Mail => Some(books.name(message, recipient)),
        What::Dsn => Some(crate::RecipientName { number: books.mail.message(message).number, part: None }),
    }
}

fn violation(books: &Books, what: What, site: Site, recipients: crate::Recipients) -> Violation {
    let host = books.host_name(site);
    let what = match what {
        What::Mail => "taken with a 250, and found nowhere",
        What::Dsn => "the DSN was never seen again, so nobody knows of the bounce",
    };
    let crashed = books.sheet(site).and_then(|sheet| sheet.crashed_at);
    let after = match crashed {
        Some(at) => {
            let at = clock(at);
            format!("{host} held it last, and crashed at {at}: is the queue on disk before the 250 is sent?")
        }
        None if site == Site::NONE => "no host was ever seen to hold it".into(),
        None => format!("{host} held it last"),
    };
    Violation {
        rule: RULE.name,
        clause: RULE.clause,
        host: (site != Site::NONE).then(|| host.into()),
        at: crashed,
        text: format!("{what}\n{after}"),
        recipients,
    }
}
