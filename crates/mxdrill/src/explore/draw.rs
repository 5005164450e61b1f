//! Drawing an outage. Every draw is keyed by the seed, the number of the drill and what it is for, so that drill k
//! is the same whoever plays it, and however many others are played.

use std::time::Duration;

use mxdrill_mta::profile::OwnDrops;
use mxdrill_net::{Draw, Seed};
use mxdrill_smtp::{Enhanced, Notify, Reply, ReversePath, Stage};

use super::{
    cell::{Cell, On, What},
    outage::{Outage, healed},
    space::Space,
};
use crate::scenario::{
    Action, Body, Content, Crash, Dialogue, DnsFault, Fault, FaultKind, Host, HostFault, LinkFault, Matching,
    Place, Program, Rate, RecipientPattern, Scenario, Send, Spacing, Step, To, Trigger,
};

/// How long outages last: the draws take one of these as the time within which everything happens.
const HORIZONS: [u64; 8] = [300, 1800, 7200, 6 * HOUR, DAY, 2 * DAY, 4 * DAY, 8 * DAY];
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// The outage of a number.
pub(super) fn outage(space: &Space, seed: Seed, index: u64) -> Outage {
    let mut scenario = space.base.clone();
    // a seed that people can type, and that a TOML integer holds
    scenario.seed = seed.pick("explore seed", &[index]) >> 32;
    hosts(space, &mut seed.draw("explore hosts", &[index]), &mut scenario.hosts);
    let mut draw = seed.draw("explore shape", &[index]);
    let horizon = *pick(&mut draw, &HORIZONS);
    let cells = enabled(space, &mut draw);
    let count = [1, 1, 2, 2, 3, 3, 4, 5, 6, 8][draw.below(10) as usize];
    let mut steps: Vec<(Step, Option<usize>)> = Vec::new();
    if let Some(place) = out_of_reach(space, &mut draw) {
        let draw = &mut seed.draw("explore outage", &[index]);
        let fault = lasting(fault_of(&space.cells[place], draw, &space.base), draw, horizon);
        let at = begin(draw, horizon, fault.lasting.unwrap_or_default());
        steps.push((Step { at, action: Action::Fault(fault) }, Some(place)));
    }
    for number in 0..count {
        let draw = &mut seed.draw("explore fault", &[index, number]);
        let family = *pick(draw, &cells);
        let place = *pick(draw, family);
        let fault = lasting(fault_of(&space.cells[place], draw, &space.base), draw, horizon);
        let at = begin(draw, horizon, fault.lasting.unwrap_or_default());
        steps.push((Step { at, action: Action::Fault(fault) }, Some(place)));
    }
    for number in 0..1 + draw.below(4) {
        let draw = &mut seed.draw("explore send", &[index, number]);
        let action = Action::Send(send(space, draw, horizon));
        let at = during(draw, &steps, horizon);
        steps.push((Step { at, action }, None));
    }
    if draw.below(4) == 0 {
        let action = Action::Flush(Place::Host(pick(&mut draw, &space.base.hosts).label.clone()));
        let at = span(&mut draw, horizon);
        steps.push((Step { at, action }, None));
    }
    steps.sort_by_key(|(step, _)| step.at);
    let cells = steps.iter().filter_map(|(_, cell)| *cell).collect();
    scenario.steps = steps.into_iter().map(|(step, _)| step).collect();
    scenario.title = format!("Drill {index} of seed {}: {count} faults within {}", seed.0, words(&scenario));
    Outage { index, scenario, cells }
}

fn words(scenario: &Scenario) -> String {
    mxdrill_ledger::Span(healed(scenario)).spoken().to_string()
}

/// Each host keeps its profile, or plays another.
fn hosts(space: &Space, draw: &mut Draw, hosts: &mut [Host]) {
    for host in hosts {
        let keeps = draw.below(2) == 0;
        let like = *pick(draw, &space.likes);
        if keeps || host.run == Some(Program::Lettre) {
            continue;
        }
        host.like = Some(like.into());
        (host.run, host.overrides.retry) = (None, None); // a schedule goes with its profile
        if !drops_itself(host) && host.route.is_empty() {
            host.route = space.routes(host);
        }
    }
}

/// Whether an MTA that is itself an MX drops itself, and what is no better (RFC 5321 5.1). One that does not can be
/// a backup by a static route only: otherwise it would pass mail to itself, which is no news.
fn drops_itself(host: &Host) -> bool {
    host.profile().is_ok_and(|profile| {
        let own = profile.routing.own;
        own.drops == OwnDrops::EqualAndWorse && (own.by_name || own.by_address)
    })
}

/// In half of the drills the primary is also out of reach: what a backup does is not seen otherwise.
fn out_of_reach(space: &Space, draw: &mut Draw) -> Option<usize> {
    if draw.below(2) == 0 || space.out_of_reach.is_empty() {
        return None;
    }
    Some(*pick(draw, &space.out_of_reach))
}

/// The cells of some of the families, by family: each drill leaves some out, so that one does not hide another.
fn enabled<'a>(space: &'a Space, draw: &mut Draw) -> Vec<&'a Vec<usize>> {
    let all: Vec<(bool, &Vec<usize>)> =
        space.families.iter().map(|(_, cells)| (draw.below(3) == 0, cells)).collect();
    let some: Vec<&Vec<usize>> = all.iter().filter(|(on, _)| *on).map(|(_, cells)| *cells).collect();
    if some.is_empty() { all.into_iter().map(|(_, cells)| cells).collect() } else { some }
}

/// A fault of a cell, its particulars drawn.
pub(super) fn fault_of(cell: &Cell, draw: &mut Draw, base: &Scenario) -> Fault {
    let kind = match &cell.on {
        On::Host(label) => {
            FaultKind::Host(Place::Host(label.clone()), host_fault(cell.what, label, draw, base))
        }
        On::Link(from, to) => FaultKind::Link {
            from: Place::Host(from.clone()),
            to: Place::Host(to.clone()),
            both: draw.below(3) == 0,
            fault: link_fault(cell.what, draw),
        },
        On::Dns(name, kind) => FaultKind::Dns {
            name: name.clone(),
            kind: (draw.below(4) > 0).then_some(*kind),
            fault: match cell.what {
                What::Answer(answer) => DnsFault::Answer(answer),
                _ => DnsFault::Delay(Duration::from_secs(1 + draw.below(60))),
            },
        },
    };
    // Whether a fault bites depends on the other draws, and what it makes hosts give up is derived from it.
    Fault { name: None, kind, lasting: None, may_miss: true, may_bounce: true }
}

fn host_fault(what: What, label: &str, draw: &mut Draw, base: &Scenario) -> HostFault {
    let dialogue = |stage| Dialogue {
        stage,
        matching: Matching::default(),
        trigger: Trigger::default(),
        delay: None,
        tarpit: None,
        reply: None,
        drop: None,
    };
    let mut said = match what {
        What::Connect(connect) => return HostFault::Connect(connect),
        What::Crash => return HostFault::Crash(None),
        What::Restart => return HostFault::Restart,
        What::DiskFull => return HostFault::DiskFull,
        What::MaxConnections => return HostFault::MaxConnections(draw.below(3) as u32),
        What::Greylist => return HostFault::Greylist(duration(draw, 2 * HOUR)),
        What::Size => return HostFault::Size(*pick(draw, &[500, 2_000, 50_000])),
        What::Tls(fault) => return HostFault::Tls(fault),
        What::CrashAt(stage, moment) => {
            let (trigger, matching) = (trigger(draw), matching(draw, stage, label, base));
            return HostFault::Crash(Some(Box::new(Crash { stage, moment, matching, trigger })));
        }
        What::Temporary(stage) => Dialogue { reply: Some(temporary(stage, draw)), ..dialogue(stage) },
        What::Permanent(stage) => Dialogue { reply: Some(permanent(stage, draw)), ..dialogue(stage) },
        What::Drop(stage, moment) => Dialogue { drop: Some(moment), ..dialogue(stage) },
        What::Delay(stage) => Dialogue { delay: Some(duration(draw, 2 * HOUR)), ..dialogue(stage) },
        What::Tarpit(stage) => Dialogue { tarpit: Some(*pick(draw, &[1, 10, 100])), ..dialogue(stage) },
        _ => Dialogue { reply: None, ..dialogue(Stage::Greeting) },
    };
    (said.trigger, said.matching) = (trigger(draw), matching(draw, said.stage, label, base));
    HostFault::Dialogue(Box::new(said))
}

fn link_fault(what: What, draw: &mut Draw) -> LinkFault {
    let mut fault = LinkFault::default();
    match what {
        What::Latency => fault.latency = Some(Duration::from_millis(10 << draw.below(14))),
        What::Loss => fault.loss_ppm = Some(10_000 << draw.below(7)),
        What::Bandwidth => fault.bandwidth = Some(100 << draw.below(10)),
        What::CutAfter => fault.cut_after = Some(draw.below(4000)),
        _ => fault.partition = true,
    }
    fault
}

/// Replies as MTAs give them (RFC 5321 4.2.3; RFC 3463 for the enhanced codes).
fn temporary(stage: Stage, draw: &mut Draw) -> Reply {
    match stage {
        Stage::Greeting | Stage::Ehlo => Reply::plain(421, "too busy, come back later"),
        _ => pick(
            draw,
            &[
                Reply::new(421, Enhanced(4, 3, 2), "shutting down"),
                Reply::new(450, Enhanced(4, 2, 1), "mailbox busy"),
                Reply::new(451, Enhanced(4, 3, 0), "local error"),
                Reply::new(452, Enhanced(4, 3, 1), "no room"),
            ],
        )
        .clone(),
    }
}

fn permanent(stage: Stage, draw: &mut Draw) -> Reply {
    match stage {
        Stage::Greeting | Stage::Ehlo => Reply::plain(554, "no service here"),
        _ => pick(
            draw,
            &[
                Reply::new(550, Enhanced(5, 1, 1), "no such user here"),
                Reply::new(550, Enhanced(5, 7, 1), "not by policy"),
                Reply::new(554, Enhanced(5, 3, 0), "transaction failed"),
            ],
        )
        .clone(),
    }
}

fn trigger(draw: &mut Draw) -> Trigger {
    let mut trigger = Trigger::default();
    match draw.below(8) {
        0 | 1 => trigger.first = Some(1 + draw.below(5) as u32),
        2 => trigger.every = Some(2 + draw.below(3) as u32),
        3 => trigger.odds_ppm = Some(100_000 * (1 + draw.below(9) as u32)),
        4 => {
            let per = Duration::from_secs(*pick(draw, &[60, 3600]));
            trigger.per = Some(Rate { count: 1 + draw.below(10) as u32, per });
        }
        _ => {}
    }
    trigger
}

/// In whose sessions; a recipient is known from RCPT on.
fn matching(draw: &mut Draw, stage: Stage, label: &str, base: &Scenario) -> Matching {
    let mut matching = Matching::default();
    let others: Vec<&Host> = base.hosts.iter().filter(|host| host.label != label).collect();
    let domain = base.domain().cloned();
    match draw.below(8) {
        0 | 1 if !others.is_empty() => {
            matching.client = Some(Place::Host(pick(draw, &others).label.clone()));
        }
        2 if stage >= Stage::Rcpt && stage < Stage::Quit => {
            matching.recipient = domain.map(RecipientPattern::Domain);
        }
        3 if stage >= Stage::Rcpt && stage < Stage::Quit => {
            let address = domain.and_then(|domain| format!("u1@{domain}").parse().ok());
            matching.recipient = address.map(RecipientPattern::Address);
        }
        _ => {}
    }
    matching
}

/// A fault that lasts: for a time within the horizon. A restart takes none.
fn lasting(mut fault: Fault, draw: &mut Draw, horizon: u64) -> Fault {
    let over = matches!(fault.kind, FaultKind::Host(_, HostFault::Restart));
    fault.lasting = (!over).then(|| duration(draw, horizon));
    fault
}

/// When a fault begins, so that it is over within the horizon.
fn begin(draw: &mut Draw, horizon: u64, lasting: Duration) -> Duration {
    let room = horizon.saturating_sub(lasting.as_secs());
    if draw.below(4) == 0 { Duration::ZERO } else { span(draw, room) }
}

/// A time at which something is wrong: mail sent then meets it.
fn during(draw: &mut Draw, steps: &[(Step, Option<usize>)], horizon: u64) -> Duration {
    let (step, _) = pick(draw, steps);
    match (&step.action, draw.below(4)) {
        (_, 0) => span(draw, horizon),
        (Action::Fault(Fault { lasting: Some(lasting), .. }), _) => step.at + span(draw, lasting.as_secs()),
        _ => step.at.saturating_sub(span(draw, 30)),
    }
}

fn send(space: &Space, draw: &mut Draw, horizon: u64) -> Send {
    let base = pick(draw, &space.sends).clone();
    let count = *pick(draw, &[1, 1, 1, 2, 3, 5, 10, 30]);
    let over = if draw.below(2) == 0 { Duration::ZERO } else { span(draw, horizon / 4) };
    let size = (*pick(draw, &[0, 100, 1024, 1024, 10_000, 100_000])).min(space.size_max / 2);
    let body = if space.eight_bit && draw.below(8) == 0 { Body::EightBit } else { Body::SevenBit };
    let from = if draw.below(8) == 0 { ReversePath(None) } else { base.from.clone() };
    Send {
        from,
        to: to(space, draw),
        spacing: Spacing::Over { count, over },
        content: Content::Made { body, size },
        notify: notify(draw),
        ..base
    }
}

fn to(space: &Space, draw: &mut Draw) -> To {
    let one = || To::One(space.addresses[0].clone());
    match draw.below(4) {
        0 if space.addresses.len() > 1 => {
            let mut several = space.addresses.clone();
            draw.shuffle(&mut several);
            several.truncate(2 + draw.below(2) as usize);
            several.sort_by_key(ToString::to_string);
            To::Several(several)
        }
        1 => To::One(pick(draw, &space.addresses).clone()),
        _ => one(),
    }
}

fn notify(draw: &mut Draw) -> Notify {
    match draw.below(12) {
        0 => Notify { never: true, success: false, failure: false, delay: false },
        1 => Notify { never: false, success: true, failure: true, delay: false },
        2 => Notify { never: false, success: false, failure: true, delay: false },
        _ => Notify::default(),
    }
}

/// One of some.
fn pick<'a, T>(draw: &mut Draw, from: &'a [T]) -> &'a T {
    &from[draw.below(from.len() as u64) as usize]
}

/// A time from nothing to `max` seconds, short ones as likely as long ones.
fn span(draw: &mut Draw, max: u64) -> Duration {
    let digits = u64::from(u64::BITS - max.leading_zeros());
    let power = 1_u64 << draw.below(digits + 1);
    rounded((power - 1 + draw.below(power)).min(max))
}

/// A time above nothing, up to `max` seconds.
fn duration(draw: &mut Draw, max: u64) -> Duration {
    span(draw, max).max(Duration::from_secs(1))
}

/// Longer times are whole minutes: they are to be read.
fn rounded(seconds: u64) -> Duration {
    Duration::from_secs(if seconds > 600 { seconds / 60 * 60 } else { seconds })
}
