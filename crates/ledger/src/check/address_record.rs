//! The address record of a domain serves only where it has no MX records.

use mxdrill_net::{DomainName, Time};

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "address-record",
    clause: "RFC 5321 5.1",
    about: "a domain's own address is used only if the DNS says that it has no MX records; never if it says nothing",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(AddressRecord::default()),
};

/// Cases by host and name used.
#[derive(Debug, Default)]
struct AddressRecord(Findings<(Site, DomainName)>);

impl Check for AddressRecord {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::AddressRecord { about, site, target } = note else { return };
        let name = about.map(|(message, recipient)| books.name(message, recipient));
        self.0.add((*site, target.host.clone()), at, name);
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, name), finding): ((Site, DomainName), super::findings::Finding)| {
            let host = books.host_name(site);
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!(
                    "the address record of {name} used instead of its MX records\n{host} must use them, and wait where \
                     the look-up fails"
                ),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
