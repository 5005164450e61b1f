//! Faults as data: a [`Script`] made of rules that count, draw and measure rates.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, net::IpAddr, time::Duration};

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
    /// The reverse-path; known from MAIL on.
    pub sender: Option<Pattern>,
    /// The recipient asked for at RCPT; at DATA and the dot the first one that was accepted.
    pub recipient: Option<Pattern>,
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
    /// A rate: so many matches pass in any span of this length, those beyond are bitten.
    pub per: Option<(u32, Duration)>,
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
    passed: VecDeque<Time>,
}

impl Faults {
    /// No faults yet. `host` keys the draws, so that two hosts draw differently.
    pub fn new(seed: Seed, host: u64) -> Faults {
        Faults { seed, host, rules: Vec::new() }
    }

    /// Adds a rule behind the others.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(Standing { rule, matches: 0, passed: VecDeque::new() });
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
        let sender = self
            .sender
            .as_ref()
            .is_none_or(|pattern| session.from.is_some_and(|path| pattern.holds_for_path(path)));
        let recipient = self
            .recipient
            .as_ref()
            .is_none_or(|pattern| session.recipient.is_some_and(|address| pattern.holds_for(address)));
        client && sender && recipient
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
        let rate = trigger.per.is_none_or(|(count, span)| self.exceeds(now, count, span));
        first && every && odds && rate
    }

    /// Whether `count` matches already passed within `span`; if not, this one passes.
    fn exceeds(&mut self, now: Time, count: u32, span: Duration) -> bool {
        while self.passed.front().is_some_and(|&at| at + span <= now) {
            self.passed.pop_front();
        }
        if self.passed.len() >= count as usize {
            return true;
        }
        self.passed.push_back(now);
        false
    }
}
