//! Faults as data: a [`Script`] made of rules that count, draw and measure rates.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use mxdrill_net::{DomainName, Seed, Tag, Time};

use crate::{Address, Effect, ReversePath, Script, SessionView, Stage, Then};

/// What goes wrong in the dialogues of one host: rules, asked in the order in which they were added.
///
/// Of several rules that bite at once delays add up, the slowest tarpit counts, and the first that says
/// something (whose act is not a delay or a tarpit) is heard; a later one that is not heard does not bite.
#[derive(Debug)]
pub struct Faults {
    seed: Seed,
    host: u64,
    rules: Vec<Standing>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number: recorded whenever it bites, and what [`Faults::clear`] lifts it by. Rules may share one.
    pub tag: Tag,
    /// Where in the dialogue.
    pub stage: Stage,
    /// For whom.
    pub matching: Matching,
    /// How often.
    pub trigger: Trigger,
    /// What happens.
    pub act: Act,
}

/// Whom a rule is for. All that is said must hold; what is empty holds for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// The client's address is one of these.
    pub client: Vec<IpAddr>,
    /// The client's address is none of these.
    pub client_not: Vec<IpAddr>,
    /// The reverse-path; known from MAIL on.
    pub sender: Option<Pattern>,
    /// The recipient asked for at RCPT; at DATA and the dot the first one that was accepted.
    pub recipient: Option<Pattern>,
    /// The message is larger than so many octets: at MAIL as announced by SIZE, at the dot as received.
    pub larger_than: Option<u64>,
}

/// Which addresses are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The null reverse-path, `<>`.
    Null,
    /// This address.
    Address(Address),
    /// Every address of this domain.
    Domain(DomainName),
}

/// When a rule that matches bites. All that is said must hold; the default is always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// Only the first so many matches.
    pub first: Option<u32>,
    /// Only each so many-th match.
    pub every: Option<u32>,
    /// With this chance, in parts per million, drawn by the seed.
    pub odds_ppm: Option<u32>,
    /// A rate for each client: so many matches pass in any span of this length, those beyond are bitten.
    pub per: Option<(u32, Duration)>,
    /// A greylist (RFC 6647 2.3): each client, sender and recipient is bitten until so long after its first try.
    pub greylist: Option<Duration>,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The reply comes so much later.
    Delay(Duration),
    /// The reply comes at so many bytes a second.
    Tarpit(u32),
    /// This is said, or the connection is dropped, or nothing is ever said.
    Then(Then),
}

/// A rule, and what it remembers.
#[derive(Debug)]
struct Standing {
    rule: Rule,
    matches: u32,
    /// When matches passed, for each client.
    passed: BTreeMap<IpAddr, VecDeque<Time>>,
    /// When each client, sender and recipient came first.
    seen: BTreeMap<Triplet, Time>,
}

/// What a greylist knows a try by.
type Triplet = (IpAddr, ReversePath, Option<Address>);

/// A greylist remembers so many tries; beyond, it forgets them all and begins anew.
const TRIPLETS_MAX: usize = 1 << 20;

impl Faults {
    /// No faults yet. `host` keys the draws, so that two hosts draw differently.
    pub fn new(seed: Seed, host: u64) -> Faults {
        Faults { seed, host, rules: Vec::new() }
    }

    /// Adds a rule behind the others.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(Standing { rule, matches: 0, passed: BTreeMap::new(), seen: BTreeMap::new() });
    }

    /// Lifts every rule with this tag; whether there was one.
    pub fn clear(&mut self, tag: Tag) -> bool {
        let before = self.rules.len();
        self.rules.retain(|standing| standing.rule.tag != tag);
        self.rules.len() < before
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    #[cold]
    fn ask_rules(&mut self, now: Time, stage: Stage, session: &SessionView<'_>) -> Effect {
        let mut effect = Effect::default();
        for standing in &mut self.rules {
            let said = effect.then != Then::Pass;
            if standing.rule.stage != stage || !standing.rule.matching.holds(session) {
                continue;
            }
            if said && matches!(standing.rule.act, Act::Then(_)) {
                continue;
            }
            if standing.bites(now, self.seed, self.host, session) {
                effect.bit.push(standing.rule.tag);
                effect.apply(&standing.rule.act);
            }
        }
        effect
    }
}

impl Script for Faults {
    #[inline]
    fn at(&mut self, now: Time, stage: Stage, session: &SessionView<'_>) -> Effect {
        if self.rules.is_empty() {
            return Effect::default();
        }
        self.ask_rules(now, stage, session)
    }
}

impl Effect {
    fn apply(&mut self, act: &Act) {
        match act {
            Act::Delay(delay) => self.delay = self.delay.saturating_add(*delay),
            Act::Tarpit(rate) => self.tarpit = Some(self.tarpit.map_or(*rate, |other| other.min(*rate))),
            Act::Then(then) => self.then = then.clone(),
        }
    }
}

impl Matching {
    fn holds(&self, session: &SessionView<'_>) -> bool {
        let client = self.client.is_empty() || self.client.contains(&session.peer);
        let client = client && !self.client_not.contains(&session.peer);
        let sender = self
            .sender
            .as_ref()
            .is_none_or(|pattern| session.from.is_some_and(|path| pattern.holds_for_path(path)));
        let recipient = self
            .recipient
            .as_ref()
            .is_none_or(|pattern| session.recipient.is_some_and(|address| pattern.holds_for(address)));
        let large = self.larger_than.is_none_or(|most| session.size > most);
        client && sender && recipient && large
    }
}

impl Pattern {
    fn holds_for_path(&self, path: &ReversePath) -> bool {
        match &path.0 {
            Some(address) => self.holds_for(address),
            None => *self == Pattern::Null,
        }
    }

    fn holds_for(&self, address: &Address) -> bool {
        match self {
            Pattern::Null => false,
            Pattern::Address(wanted) => wanted == address,
            Pattern::Domain(domain) => domain == address.domain(),
        }
    }
}

impl Standing {
    /// Counts a match, and says whether the rule bites at it.
    fn bites(&mut self, now: Time, seed: Seed, host: u64, session: &SessionView<'_>) -> bool {
        self.matches = self.matches.saturating_add(1);
        let trigger = self.rule.trigger;
        let first = trigger.first.is_none_or(|first| self.matches <= first);
        let every = trigger.every.is_none_or(|every| self.matches.is_multiple_of(every.max(1)));
        let odds = trigger.odds_ppm.is_none_or(|ppm| {
            let key = [host, u64::from(self.rule.tag.0), session.conn.0, u64::from(self.matches)];
            seed.draw("smtp fault", &key).chance_ppm(ppm)
        });
        let rate = trigger.per.is_none_or(|(count, span)| self.exceeds(now, session.peer, count, span));
        let grey = trigger.greylist.is_none_or(|wait| self.is_grey(now, session, wait));
        first && every && odds && rate && grey
    }

    /// Whether `count` matches of a client already passed within `span`; if not, this one passes.
    fn exceeds(&mut self, now: Time, client: IpAddr, count: u32, span: Duration) -> bool {
        let passed = self.passed.entry(client).or_default();
        while passed.front().is_some_and(|&at| at + span <= now) {
            passed.pop_front();
        }
        if passed.len() >= count as usize {
            return true;
        }
        passed.push_back(now);
        false
    }

    /// Whether this client, sender and recipient came first less than `wait` ago.
    fn is_grey(&mut self, now: Time, session: &SessionView<'_>, wait: Duration) -> bool {
        if self.seen.len() >= TRIPLETS_MAX {
            self.seen.clear();
        }
        let sender = session.from.cloned().unwrap_or_default();
        let triplet = (session.peer, sender, session.recipient.cloned());
        let first = *self.seen.entry(triplet).or_insert(now);
        now < first + wait
    }
}
