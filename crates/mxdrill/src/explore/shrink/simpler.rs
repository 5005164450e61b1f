//! What is simpler than something: the candidates of shrinking, the simplest first. Each is simpler by a measure
//! that only falls, so that shrinking ends.

use std::time::Duration;

use mxdrill_smtp::{Notify, Stage};

use crate::scenario::{
    Action, Body, Connect, Content, Dialogue, DnsFault, Fault, FaultKind, Host, HostFault, Matching, Moment,
    Overrides, Send, Spacing, To, Trigger,
};

/// Times that people like, in seconds.
const NICE: [u64; 16] =
    [0, 1, 10, 60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 259_200, 345_600, 432_000];

/// Shorter times, the shortest first; then half of it.
pub(super) fn shorter(time: Duration) -> impl Iterator<Item = Duration> {
    let half = Duration::from_secs(time.as_secs() / 2);
    let nice = NICE.into_iter().map(Duration::from_secs);
    nice.chain([half]).filter(move |shorter| *shorter < time)
}

/// Shorter times above nothing.
fn shorter_lasting(time: Duration) -> impl Iterator<Item = Duration> {
    shorter(time).filter(|shorter| !shorter.is_zero())
}

/// A plainer host: of the default profile, without overrides, without a bound of its own.
pub(super) fn hosts(host: &Host) -> Vec<Host> {
    vec![
        Host { like: None, run: None, overrides: Overrides::default(), ..host.clone() },
        Host { overrides: Overrides::default(), ..host.clone() },
        Host { like: None, ..host.clone() },
        Host { spool: None, sessions: None, size: None, lacks: Vec::new(), ..host.clone() },
    ]
}

/// A simpler action of the same kind.
pub(super) fn actions(action: &Action) -> Vec<Action> {
    match action {
        Action::Send(send) => sends(send).into_iter().map(Action::Send).collect(),
        Action::Fault(fault) => faults(fault).into_iter().map(Action::Fault).collect(),
        _ => Vec::new(),
    }
}

fn sends(send: &Send) -> Vec<Send> {
    let mut simpler = Vec::new();
    if let Spacing::Over { count, over } = send.spacing {
        let with = |count, over| Send { spacing: Spacing::Over { count, over }, ..send.clone() };
        let fewer = [1, 2, 3, 5, 10, count / 2].into_iter().filter(|fewer| (1..count).contains(fewer));
        simpler.extend(fewer.map(|fewer| with(fewer, over)));
        simpler.extend(shorter(over).map(|over| with(count, over)));
    }
    if let To::Several(addresses) = &send.to {
        simpler.extend(addresses.iter().map(|one| Send { to: To::One(one.clone()), ..send.clone() }));
    }
    let plain = Send::new(send.to.clone());
    if send.from.is_null() {
        simpler.push(Send { from: plain.from, ..send.clone() });
    }
    if send.notify != Notify::default() {
        simpler.push(Send { notify: Notify::default(), ..send.clone() });
    }
    if let Content::Made { body, size } = send.content {
        let made = |body, size| Send { content: Content::Made { body, size }, ..send.clone() };
        simpler.extend((body != Body::SevenBit).then(|| made(Body::SevenBit, size)));
        simpler.extend((size > 1024).then(|| made(body, 1024)));
    }
    simpler
}

fn faults(fault: &Fault) -> Vec<Fault> {
    let with = |kind| Fault { kind, ..fault.clone() };
    let mut simpler: Vec<Fault> = kinds(&fault.kind).into_iter().map(with).collect();
    if let Some(lasting) = fault.lasting {
        let shorter = shorter_lasting(lasting);
        simpler.extend(shorter.map(|lasting| Fault { lasting: Some(lasting), ..fault.clone() }));
    }
    simpler
}

fn kinds(kind: &FaultKind) -> Vec<FaultKind> {
    match kind {
        FaultKind::Host(place, fault) => {
            host_faults(fault).into_iter().map(|fault| FaultKind::Host(place.clone(), fault)).collect()
        }
        FaultKind::Link { from, to, both, fault } => {
            let one_way = both.then(|| FaultKind::Link {
                from: from.clone(),
                to: to.clone(),
                both: false,
                fault: fault.clone(),
            });
            let refuse = FaultKind::Host(to.clone(), HostFault::Connect(Connect::Refuse));
            [refuse].into_iter().chain(one_way).collect()
        }
        FaultKind::Dns { name, kind, fault: DnsFault::Delay(delay) } => shorter_lasting(*delay)
            .map(|delay| FaultKind::Dns { name: name.clone(), kind: *kind, fault: DnsFault::Delay(delay) })
            .collect(),
        FaultKind::Dns { .. } => Vec::new(),
    }
}

/// Refused connections are the simplest of outages, then a loss of power.
fn host_faults(fault: &HostFault) -> Vec<HostFault> {
    let refuse = || HostFault::Connect(Connect::Refuse);
    match fault {
        HostFault::Connect(Connect::Refuse) => Vec::new(),
        HostFault::Crash(None) => vec![refuse()],
        HostFault::Restart => vec![refuse()],
        HostFault::Dialogue(dialogue) => {
            let whole = [refuse(), HostFault::Restart, HostFault::Crash(None)];
            let parts = dialogues(dialogue).into_iter().map(|part| HostFault::Dialogue(Box::new(part)));
            whole.into_iter().chain(parts).collect()
        }
        HostFault::Crash(Some(crash)) => {
            let mut simpler = vec![refuse(), HostFault::Restart, HostFault::Crash(None)];
            let mut plain = crash.clone();
            (plain.trigger, plain.matching) = (Trigger::default(), Matching::default());
            if plain != *crash {
                simpler.push(HostFault::Crash(Some(plain)));
            }
            simpler
        }
        HostFault::Greylist(wait) => {
            [refuse()].into_iter().chain(shorter_lasting(*wait).map(HostFault::Greylist)).collect()
        }
        _ => vec![refuse()],
    }
}

fn dialogues(dialogue: &Dialogue) -> Vec<Dialogue> {
    let mut simpler = Vec::new();
    if dialogue.trigger != Trigger::default() {
        simpler.push(Dialogue { trigger: Trigger::default(), ..dialogue.clone() });
    }
    if dialogue.matching != Matching::default() {
        simpler.push(Dialogue { matching: Matching::default(), ..dialogue.clone() });
    }
    if let Some(delay) = dialogue.delay {
        simpler
            .extend(shorter_lasting(delay).map(|delay| Dialogue { delay: Some(delay), ..dialogue.clone() }));
    }
    if matches!(dialogue.drop, Some(Moment::BeforeReply | Moment::AfterReply)) && dialogue.stage != Stage::Dot
    {
        simpler.push(Dialogue { drop: Some(Moment::AtOnce), ..dialogue.clone() });
    }
    simpler
}
