//! No bounce goes to somebody who sent nothing.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "backscatter",
    clause: "RFC 5321 6.1",
    about: "no bounce to a forged or null sender: unknown recipients are rejected in the session",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(Backscatter::default()),
};

#[derive(Debug, Default)]
struct Backscatter(Findings<(Site, bool)>);

impl Check for Backscatter {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Bounced { message, recipient, by } = note else { return };
        let state = books.mail.message(*message);
        if state.null || state.forged {
            self.0.add((*by, state.null), at, Some(books.name(*message, *recipient)));
        }
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, null), finding): ((Site, bool), super::findings::Finding)| {
            let host = books.host_name(site);
            let text = if null {
                format!(
                    "{host} bounced mail with a null reverse-path: bounces could chase each other for ever"
                )
            } else {
                format!(
                    "{host} bounced to a forged sender\nwhat the primary would reject, the backup must reject in the \
                     session (Postfix relay_recipient_maps, reject_unverified_recipient; Exim recipient callout)"
                )
            };
            Violation {
                rule: RULE.name,
                clause: if null { RULE.clause } else { "RFC 5321 6.2" },
                host: (site != Site::NONE).then(|| host.into()),
                at: Some(finding.at),
                text,
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
