//! Nothing is bounced that waiting, or a better configuration, would have delivered.

use mxdrill_mta::{Fact, GiveUp, Rejection};
use mxdrill_net::{DomainName, Time};
use mxdrill_smtp::{Enhanced, Stage};

use super::{
    Check, Rule, Wants,
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
    wants: Wants::GIVEN_UP.and(Wants::REJECTED),
    make: || Box::new(Bounced::default()),
};

#[derive(Debug, Default)]
struct Bounced {
    rejection: Option<Rejected>,
    given_up: Option<GivenUp>,
    findings: Findings<Cause>,
}

/// The last permanent rejection.
#[derive(Debug)]
struct Rejected {
    recipient: RecipientId,
    by: Site,
    stage: Stage,
}

/// The last recipient given up; its bounce follows.
#[derive(Debug)]
struct GivenUp {
    recipient: RecipientId,
    cause: Cause,
}

/// Why a recipient was bounced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    by: Site,
    why: Option<GiveUp>,
    /// Who said 5xx, and where.
    rejected_by: Option<(Site, Stage)>,
    status: Option<(u8, u16, u16)>,
    domain: Option<DomainName>,
    text: String,
}

impl Check for Bounced {
    fn see(&mut self, _at: Time, site: Site, fact: &crate::Fact, books: &Books) {
        let Some(about) = books.about() else { return };
        let Some(recipient) = about.recipient else { return };
        match fact {
            crate::Fact::Mta(Fact::Rejected {
                target, stage, rejection: Rejection::Permanent(_), ..
            }) => {
                self.rejection =
                    Some(Rejected { recipient, by: books.site_at(target.address), stage: *stage });
            }
            crate::Fact::Mta(Fact::GivenUp { why, status, text, .. }) => {
                let Enhanced(class, subject, detail) = *status;
                let rejection = self.rejection.take().filter(|rejection| rejection.recipient == recipient);
                let cause = Cause {
                    by: site,
                    why: Some(*why),
                    rejected_by: rejection.map(|rejection| (rejection.by, rejection.stage)),
                    status: Some((class, subject, detail)),
                    domain: domain_of(books, about.message, recipient),
                    text: text.chars().take(200).collect(),
                };
                self.given_up = Some(GivenUp { recipient, cause });
            }
            _ => {}
        }
    }

    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Bounced { message, recipient, by } = note else { return };
        let given_up = self.given_up.take().filter(|given_up| given_up.recipient == *recipient);
        let cause = given_up.map(|given_up| given_up.cause).unwrap_or_else(|| Cause {
            by: *by,
            why: None,
            rejected_by: None,
            status: None,
            domain: domain_of(books, *message, *recipient),
            text: String::new(),
        });
        self.findings.add(cause, at, Some(books.name(*message, *recipient)));
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        let findings = self.findings.take();
        let unlicensed =
            findings.filter(|(cause, _)| !licence::is_licensed(at, books, Measure::Bounced, cause.by));
        unlicensed.map(|(cause, finding)| violation(at, books, &cause, finding)).collect()
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
    let unknown_user = cause.status.is_some_and(|(_, subject, _)| subject == 1) && stage == Stage::Rcpt;
    let hint = match (unknown_user, delivers) {
        (true, true) => ": a host that cannot read its user table must say 451, not 550",
        (true, false) => ": its list of recipients is older than the mailbox, or is not the primary's",
        _ => "",
    };
    format!("{name} says: {}{hint}", cause.text)
}
