//! What a host's own policy comes to: rules that its door asks at MAIL and RCPT.

use std::net::IpAddr;

use mxdrill_net::{DomainName, Tag};
use mxdrill_smtp::{Act, Enhanced, Matching, Pattern, Reply, Rule, Stage, Then, Trigger};

use super::{PlanError, fault::greylist};
use crate::scenario::{Place, Policy, Rate};

/// Rules of the house are no faults: nobody asks whether they bit.
const HOUSE: Tag = Tag(u32::MAX);

/// The rules of a policy, in the order in which a client meets them.
pub(super) fn rules(
    policy: &Policy,
    addresses: impl Fn(&Place) -> Result<Vec<IpAddr>, PlanError>,
) -> Result<Vec<Rule>, PlanError> {
    let mut rules: Vec<Rule> = policy.rate.map(rate).into_iter().collect();
    for (domain, hosts) in &policy.accept_from {
        let mut from = Vec::new();
        for host in hosts {
            from.extend(addresses(host)?);
        }
        rules.push(accept_from(domain, from));
    }
    rules.extend(policy.greylist.map(|wait| greylist(HOUSE, wait)));
    Ok(rules)
}

/// Postfix, anvil: `smtpd_client_message_rate_limit`.
fn rate(rate: Rate) -> Rule {
    let trigger = Trigger { per: Some((rate.count, rate.per)), ..Trigger::default() };
    let reply = Reply::new(450, Enhanced(4, 7, 1), "Too much mail from this client");
    rule(Matching::default(), trigger, reply)
}

/// RFC 7208 8.4: fail; RFC 7372 3.2: 550 5.7.23.
fn accept_from(domain: &DomainName, hosts: Vec<IpAddr>) -> Rule {
    let sender = Some(Pattern::Domain(domain.clone()));
    let matching = Matching { sender, client_not: hosts, ..Matching::default() };
    rule(matching, Trigger::default(), Reply::new(550, Enhanced(5, 7, 23), "SPF validation failed"))
}

fn rule(matching: Matching, trigger: Trigger, reply: Reply) -> Rule {
    Rule { tag: HOUSE, stage: Stage::Mail, matching, trigger, act: Act::Then(Then::Reply(reply)) }
}
