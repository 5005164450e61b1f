//! Nothing is bounced that waiting, or a better configuration, would have delivered.

use std::collections::BTreeMap;

use mxdrill_mta::{Fact, GiveUp, Rejection};
use mxdrill_net::{DomainName, Time};
use mxdrill_smtp::{Enhanced, Stage};

use super::{
    Check, Rule,
    excuse::{self, Excuses},
    findings::{Finding, Findings},
    licence,
};
use crate::{
    Measure, Violation,
    books::{Books, MessageId, Note, RecipientId, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "bounced",
    clause: "RFC 5321 4.2.1",
    about: "nothing is bounced unless an expectation gives the number",
    undecided: false,
    wants: excuse::WANTS,
    make: || Box::new(Bounced::default()),
};

/// Recipients between their rejection, their giving up and their bounce, at most; beyond, all are forgotten, and
/// their bounces go without a cause.
const PENDING_MAX: usize = 1 << 20;

#[derive(Debug, Default)]
struct Bounced {
    /// Who said 5xx, and where, until the recipient is given up.
    rejected: BTreeMap<RecipientId, (Site, Stage)>,
    /// The cause of each recipient given up, until its DSN is stored.
    given_up: BTreeMap<RecipientId, usize>,
    causes: Vec<Cause>,
    findings: Findings<usize>,
    excuses: Excuses,
}

/// Causes told apart; what comes beyond joins the last of them.
const CAUSES_MAX: usize = 64;

/// Why a recipient was bounced.
#[derive(Clone, Debug)]
struct Cause {
    by: Site,
    why: Option<GiveUp>,
    rejected_by: Option<(Site, Stage)>,
    status: Option<Enhanced>,
    domain: Option<DomainName>,
    /// What the first of them was told.
    text: String,
    /// A fault that may bounce mail explains it.
    excused: bool,
}

impl Cause {
    fn is_like(&self, other: &Cause) -> bool {
        let parts = |cause: &Cause| (cause.by, cause.why, cause.rejected_by, cause.status, cause.excused);
        parts(self) == parts(other) && self.domain == other.domain
    }
}

impl Bounced {
    /// The number of a cause.
    fn cause(&mut self, cause: Cause) -> usize {
        match self.causes.iter().position(|known| known.is_like(&cause)) {
            Some(place) => place,
            None if self.causes.len() == CAUSES_MAX => CAUSES_MAX - 1,
            None => {
                self.causes.push(cause);
                self.causes.len() - 1
            }
        }
    }
}

impl Check for Bounced {
    fn see(&mut self, at: Time, site: Site, fact: &crate::Fact, books: &Books) {
        self.excuses.see(at, site, fact, books);
        let Some(about) = books.about() else { return };
        let Some(recipient) = about.recipient else { return };
        match fact {
            crate::Fact::Mta(Fact::Rejected {
                target, stage, rejection: Rejection::Permanent(_), ..
            }) => {
                if self.rejected.len() >= PENDING_MAX {
                    self.rejected.clear();
                }
                self.rejected.insert(recipient, (books.site_at(target.address), *stage));
            }
            crate::Fact::Mta(Fact::GivenUp { message, why, status, text, .. }) => {
                let age = at.since(message.arrived);
                let excused = self.excuses.explain(at, site, *why, recipient, age, books);
                let cause = self.cause(Cause {
                    by: site,
                    why: Some(*why),
                    rejected_by: self.rejected.get(&recipient).copied(),
                    status: Some(*status),
                    domain: domain_of(books, about.message, recipient),
                    text: text.chars().take(200).collect(),
                    excused,
                });
                self.rejected.remove(&recipient);
                if self.given_up.len() >= PENDING_MAX {
                    self.given_up.clear();
                }
                self.given_up.insert(recipient, cause);
            }
            _ => {}
        }
    }

    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Bounced { message, recipient, by } = note else { return };
        let known = self.given_up.remove(recipient);
        let cause = known.unwrap_or_else(|| {
            self.cause(Cause {
                by: *by,
                why: None,
                rejected_by: None,
                status: None,
                domain: domain_of(books, *message, *recipient),
                text: String::new(),
                excused: false,
            })
        });
        self.findings.add(cause, at, Some(books.name(*message, *recipient)));
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        let causes = &self.causes;
        let findings =
            self.findings.take().filter_map(|(place, finding)| Some((causes.get(place)?, finding)));
        let unexcused = findings.filter(|(cause, _)| !cause.excused);
        let unlicensed =
            unexcused.filter(|(cause, _)| !licence::is_licensed(at, books, Measure::Bounced, cause.by));
        unlicensed.map(|(cause, finding)| violation(at, books, cause, finding)).collect()
    }
}

fn domain_of(books: &Books, message: MessageId, recipient: RecipientId) -> Option<DomainName> {
    let state = books.mail.message(message);
    let address = state.to.get((recipient.0 - state.first.0) as usize)?;
    Some(address.domain().clone())
}

fn violation(at: Time, books: &Books, cause: &Cause, finding: Finding) -> Violation {
    let (clause, reason) = reason(cause.why);
    let mut text = format!("{reason}\n{}", remedy(books, cause));
    if let Some(broken) = licence::broken(at, books, Measure::Bounced) {
        text += &format!("\n{broken}");
    }
    Violation {
        rule: RULE.name,
        clause,
        host: (cause.by != Site::NONE).then(|| books.host_name(cause.by).into()),
        at: Some(finding.at),
        text,
        recipients: finding.recipients,
    }
}

/// Every clause by which a host can give up.
pub(super) fn clauses() -> impl Iterator<Item = &'static str> {
    use GiveUp::*;
    let all = [Expired, Rejected, NxDomain, NullMx, NoAddress, BestMxIsSelf, Loop, Extension].map(Some);
    all.into_iter().chain([None]).map(|why| reason(why).0)
}

/// The clause by which the host gave up, and what it says.
fn reason(why: Option<GiveUp>) -> (&'static str, &'static str) {
    match why {
        Some(GiveUp::Rejected) => ("RFC 5321 4.2.1", "5xx is final, the sender does not retry"),
        Some(GiveUp::Expired) => ("RFC 5321 4.5.4.1", "the queue lifetime was over"),
        Some(GiveUp::NxDomain) => ("RFC 5321 5.1", "a domain that does not exist is an error at once"),
        Some(GiveUp::NullMx) => ("RFC 7505 3", "a null MX says that the domain takes no mail"),
        Some(GiveUp::NoAddress) => {
            ("RFC 5321 5.1", "no MX has an address, and the domain's own may not be used")
        }
        Some(GiveUp::BestMxIsSelf) => ("RFC 5321 5.1", "no better MX is left than the host itself"),
        Some(GiveUp::Loop) => ("RFC 5321 6.3", "too many Received fields: a loop"),
        Some(GiveUp::Extension) => ("RFC 6531 3.2", "no host has an extension that the message needs"),
        None => ("RFC 5321 6.1", "the sender was told that it could not be delivered"),
    }
}

/// What would mend it, as far as the setup shows.
fn remedy(books: &Books, cause: &Cause) -> String {
    let by = books.host_name(cause.by);
    let domain = cause.domain.as_ref().map_or("the domain", DomainName::as_str);
    match cause.why {
        Some(GiveUp::Rejected) => rejected(books, cause, domain),
        Some(GiveUp::Expired) => format!(
            "{by} gave up, having last heard `{}`; a longer lifetime is Postfix maximal_queue_lifetime, Exim retry rules",
            cause.text
        ),
        Some(GiveUp::BestMxIsSelf) => format!(
            "{by} finds itself the best MX of {domain} and does not deliver it: a better MX is missing in the DNS, \
             or the preferences are swapped"
        ),
        Some(GiveUp::Loop) => {
            format!("{by} does not know all its names and addresses (Postfix proxy_interfaces)")
        }
        Some(GiveUp::Extension) => format!("a backup needs every extension that the primary of {domain} has"),
        _ if cause.text.is_empty() => format!("{by} said so in a DSN"),
        _ => format!("{by} says: {}", cause.text),
    }
}

fn rejected(books: &Books, cause: &Cause, domain: &str) -> String {
    let Some((mx, stage)) = cause.rejected_by else {
        return format!("{} was told: {}", books.host_name(cause.by), cause.text);
    };
    let (name, host) = (books.host_name(mx), books.host(mx));
    let serves = |list: &[DomainName]| list.iter().any(|served| served.as_str() == domain);
    let delivers = host.is_some_and(|host| serves(&host.delivers));
    let relays = host.is_some_and(|host| serves(&host.relays));
    if host.is_some() && !delivers && !relays && stage <= Stage::Rcpt {
        return format!(
            "{name} does not relay {domain}: relays = [\"{domain}\"] (Postfix relay_domains, Exim relay_to_domains)"
        );
    }
    let unknown_user =
        cause.status.is_some_and(|Enhanced(_, subject, _)| subject == 1) && stage == Stage::Rcpt;
    let hint = match (unknown_user, delivers) {
        (true, true) => ": a host that cannot read its user table must say 451, not 550",
        (true, false) => ": its list of recipients is older than the mailbox, or is not the primary's",
        _ => "",
    };
    format!("{name} says: {}{hint}", cause.text)
}
