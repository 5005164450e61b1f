//! What the faults of a scenario come to: blows that a play can deal to drivers, scripts and the name server.

use std::{net::IpAddr, time::Duration};

use mxdrill_dns::RecordType;
use mxdrill_net::{Access, DomainName, HostId, Tag};
use mxdrill_smtp::{Act, Enhanced, Pattern, Reply, Rule, Stage, Then, tls::Flaw};

use super::{Part, PlanError, Planner};
use crate::scenario::{
    Connect, Crash, Dialogue, DnsFault, FaultKind, HostFault, LinkFault, Matching, Moment, Place,
    RecipientPattern, TlsFault, Trigger,
};

/// One fault of a drill. Its place in the plan's list is its [`Tag`].
#[derive(Clone, Debug)]
pub(crate) struct PlannedFault {
    /// What it does.
    pub(crate) blows: Vec<Blow>,
}

/// One thing that a fault does to the world, until it is lifted.
#[derive(Clone, Debug)]
pub(crate) enum Blow {
    /// A host meets connects like this.
    Access(HostId, Access),
    /// A host's script has these rules.
    Rules(HostId, Vec<Rule>),
    /// A host takes no more sessions at once than this.
    Sessions(HostId, u32),
    /// A host's disk is full.
    DiskFull(HostId),
    /// The way from one host to another is like this.
    Link(HostId, HostId, LinkFault),
    /// The name server answers like this.
    Dns(DomainName, Option<RecordType>, DnsFault),
    /// A host is down.
    Down(HostId),
    /// A host goes down and comes back at once.
    Restart(HostId),
    /// A host crashes when its script has bitten, at this moment of the stage.
    CrashAt(HostId, Rule, Moment),
}

impl Blow {
    /// The hosts that it concerns.
    pub(crate) fn hosts(&self) -> Vec<HostId> {
        match self {
            Blow::Access(host, _)
            | Blow::Rules(host, _)
            | Blow::Sessions(host, _)
            | Blow::DiskFull(host)
            | Blow::Down(host)
            | Blow::Restart(host)
            | Blow::CrashAt(host, ..) => vec![*host],
            Blow::Link(from, to, _) => vec![*from, *to],
            Blow::Dns(..) => Vec::new(),
        }
    }
}

impl Planner<'_> {
    /// What a fault comes to.
    pub(super) fn blows(&self, tag: Tag, kind: &FaultKind) -> Result<Vec<Blow>, PlanError> {
        Ok(match kind {
            FaultKind::Host(place, fault) => vec![self.host_blow(tag, self.host(place)?, fault)?],
            FaultKind::Link { from, to, both, fault } => {
                let (from, to) = (self.host(from)?, self.host(to)?);
                let back = both.then(|| Blow::Link(to, from, fault.clone()));
                [Blow::Link(from, to, fault.clone())].into_iter().chain(back).collect()
            }
            FaultKind::Dns { name, kind, fault } => {
                vec![Blow::Dns(self.scenario.dns_name(name)?, *kind, *fault)]
            }
        })
    }

    fn host_blow(&self, tag: Tag, host: HostId, fault: &HostFault) -> Result<Blow, PlanError> {
        Ok(match fault {
            HostFault::Connect(connect) => connect_blow(tag, host, *connect),
            HostFault::Dialogue(dialogue) => Blow::Rules(host, self.dialogue(tag, dialogue)?),
            HostFault::Crash(None) => Blow::Down(host),
            HostFault::Crash(Some(crash)) => self.crash(tag, host, crash)?,
            HostFault::Restart => Blow::Restart(host),
            HostFault::DiskFull => Blow::DiskFull(host),
            HostFault::MaxConnections(most) => Blow::Sessions(host, *most),
            HostFault::Greylist(wait) => Blow::Rules(host, vec![greylist(tag, *wait)]),
            HostFault::Size(most) => {
                Blow::Rules(host, [Stage::Mail, Stage::Dot].map(|stage| too_large(tag, stage, *most)).into())
            }
            HostFault::Tls(fault) => Blow::Rules(host, vec![self.tls(tag, host, *fault)?]),
        })
    }

    /// TLS goes wrong where it is spoken of: at EHLO and at STARTTLS.
    fn tls(&self, tag: Tag, host: HostId, fault: TlsFault) -> Result<Rule, PlanError> {
        let member = self.cast.member(host);
        let has_tls = match &member.part {
            Part::Policy(_) => matches!(fault, TlsFault::Expired | TlsFault::WrongName),
            _ => member.mail().is_some_and(|config| config.certificate.is_some()),
        };
        if !has_tls {
            return Err(PlanError::NoTls(member.label.clone()));
        }
        let (stage, then) = match fault {
            TlsFault::Expired => (Stage::StartTls, Then::Show(Flaw::Expired)),
            TlsFault::WrongName => (Stage::StartTls, Then::Show(Flaw::WrongName)),
            TlsFault::Rejected => {
                // RFC 3207 4: 454 is TLS not available due to temporary reason
                let reply = Reply::new(454, Enhanced(4, 7, 0), "TLS not available due to temporary reason");
                (Stage::StartTls, Then::Reply(reply))
            }
            TlsFault::Stripped => (Stage::Ehlo, Then::Strip),
        };
        let (matching, trigger) = (mxdrill_smtp::Matching::default(), mxdrill_smtp::Trigger::default());
        Ok(Rule { tag, stage, matching, trigger, act: Act::Then(then) })
    }

    /// A rule for each thing that the dialogue does, all with the same trigger.
    fn dialogue(&self, tag: Tag, dialogue: &Dialogue) -> Result<Vec<Rule>, PlanError> {
        let matching = self.matching(&dialogue.matching)?;
        let delay = dialogue.delay.map(Act::Delay);
        let tarpit = dialogue.tarpit.map(Act::Tarpit);
        let drop = dialogue.drop.map(|moment| Act::Then(drop_at(moment)));
        let reply = dialogue.reply.clone().map(|reply| Act::Then(Then::Reply(reply)));
        let rule = |act| Rule {
            tag,
            stage: dialogue.stage,
            matching: matching.clone(),
            trigger: trigger(&dialogue.trigger),
            act,
        };
        Ok([delay, tarpit, drop, reply].into_iter().flatten().map(rule).collect())
    }

    fn crash(&self, tag: Tag, host: HostId, crash: &Crash) -> Result<Blow, PlanError> {
        let rule = Rule {
            tag,
            stage: crash.stage,
            matching: self.matching(&crash.matching)?,
            trigger: trigger(&crash.trigger),
            act: Act::Then(drop_at(crash.moment)),
        };
        Ok(Blow::CrashAt(host, rule, crash.moment))
    }

    fn matching(&self, matching: &Matching) -> Result<mxdrill_smtp::Matching, PlanError> {
        let client = matching.client.as_ref().map(|place| self.addresses(place)).transpose()?;
        Ok(mxdrill_smtp::Matching {
            client: client.unwrap_or_default(),
            client_not: Vec::new(),
            sender: matching.sender.clone().map(|path| path.0.map_or(Pattern::Null, Pattern::Address)),
            recipient: matching.recipient.clone().map(|pattern| match pattern {
                RecipientPattern::Address(address) => Pattern::Address(address),
                RecipientPattern::Domain(domain) => Pattern::Domain(domain),
            }),
            larger_than: None,
        })
    }

    fn addresses(&self, place: &Place) -> Result<Vec<IpAddr>, PlanError> {
        Ok(self.cast.member(self.host(place)?).addresses.clone())
    }
}

fn connect_blow(tag: Tag, host: HostId, connect: Connect) -> Blow {
    let rule = |then| Rule {
        tag,
        stage: Stage::Connect,
        matching: mxdrill_smtp::Matching::default(),
        trigger: mxdrill_smtp::Trigger::default(),
        act: Act::Then(then),
    };
    match connect {
        Connect::Refuse => Blow::Access(host, Access::Refuse(tag)),
        Connect::Blackhole => Blow::Access(host, Access::Blackhole(tag)),
        Connect::Unreachable => Blow::Access(host, Access::Unreachable(tag)),
        Connect::Close => Blow::Rules(host, vec![rule(Then::Drop)]),
        Connect::Silent => Blow::Rules(host, vec![rule(Then::Silence)]),
    }
}

/// First told to come again (RFC 6647 2.3, 2.7).
pub(super) fn greylist(tag: Tag, wait: Duration) -> Rule {
    let reply = Reply::new(451, Enhanced(4, 7, 1), "Greylisted, try again later");
    let trigger = mxdrill_smtp::Trigger { greylist: Some(wait), ..Default::default() };
    let act = Act::Then(Then::Reply(reply));
    Rule { tag, stage: Stage::Rcpt, matching: Default::default(), trigger, act }
}

/// Too large, as SIZE announces it or as it comes (RFC 1870 6.1, 6.3).
fn too_large(tag: Tag, stage: Stage, most: u64) -> Rule {
    let reply = Reply::new(552, Enhanced(5, 3, 4), "Message size exceeds fixed limit");
    let matching = mxdrill_smtp::Matching { larger_than: Some(most), ..Default::default() };
    Rule { tag, stage, matching, trigger: Default::default(), act: Act::Then(Then::Reply(reply)) }
}

fn drop_at(moment: Moment) -> Then {
    match moment {
        Moment::AtOnce => Then::Drop,
        Moment::BeforeReply => Then::DropBeforeReply,
        Moment::AfterReply => Then::DropAfterReply,
    }
}

fn trigger(trigger: &Trigger) -> mxdrill_smtp::Trigger {
    mxdrill_smtp::Trigger {
        first: trigger.first,
        every: trigger.every,
        odds_ppm: trigger.odds_ppm,
        per: trigger.per.map(|rate| (rate.count, rate.per)),
        greylist: None,
    }
}
