//! How the story speaks of a fault: what it is on, how it begins, how it ends.

use mxdrill_ledger::Span;

use crate::scenario::{Answer, Connect, DnsFault, FaultKind, HostFault, LinkFault, Moment, TlsFault};

/// The words of a fault.
pub(super) struct Words {
    /// What happens when it begins: `refuses connections`.
    pub(super) begins: String,
    /// What happens when it ends: `answers again`.
    pub(super) ends: String,
}

/// How the story speaks of a fault.
pub(super) fn of(kind: &FaultKind) -> Words {
    match kind {
        FaultKind::Host(_, fault) => of_host(fault),
        FaultKind::Link { fault, .. } => Words { begins: of_link(fault), ends: "is whole again".into() },
        FaultKind::Dns { fault, .. } => Words { begins: of_dns(fault), ends: "answers as before".into() },
    }
}

fn of_host(fault: &HostFault) -> Words {
    let (begins, ends) = match fault {
        HostFault::Connect(connect) => (of_connect(*connect).into(), "answers again"),
        HostFault::Dialogue(dialogue) => (of_dialogue(dialogue), "answers as before"),
        HostFault::Crash(None) => ("loses power".into(), "comes back"),
        HostFault::Crash(Some(crash)) => (format!("will lose power at {}", crash.stage), "comes back"),
        HostFault::Restart => ("loses power and comes back at once".into(), "is back"),
        HostFault::DiskFull => ("has a full disk".into(), "has room again"),
        HostFault::MaxConnections(max) => {
            (format!("takes {max} sessions at most"), "takes all sessions again")
        }
        HostFault::Greylist(wait) => (format!("greylists for {}", Span(*wait)), "greylists no more"),
        HostFault::Size(size) => {
            (format!("takes messages of {size} octets at most"), "takes all sizes again")
        }
        HostFault::Tls(fault) => (of_tls(*fault).into(), "has sound TLS again"),
    };
    Words { begins, ends: ends.into() }
}

fn of_connect(connect: Connect) -> &'static str {
    match connect {
        Connect::Refuse => "refuses connections",
        Connect::Blackhole => "is a black hole: no answer to connects",
        Connect::Unreachable => "is unreachable",
        Connect::Close => "closes connections at once",
        Connect::Silent => "accepts connections and says nothing",
    }
}

fn of_dialogue(dialogue: &crate::scenario::Dialogue) -> String {
    let mut deeds = Vec::new();
    deeds.extend(dialogue.reply.as_ref().map(|reply| format!("says {reply}")));
    deeds.extend(dialogue.drop.map(|moment| format!("drops the connection {}", of_moment(moment))));
    deeds.extend(dialogue.delay.map(|delay| format!("waits {}", Span(delay))));
    deeds.extend(dialogue.tarpit.map(|rate| format!("replies at {rate} bytes a second")));
    let share = of_trigger(&dialogue.trigger);
    format!("at {} {}{share}", dialogue.stage, deeds.join(", "))
}

fn of_trigger(trigger: &crate::scenario::Trigger) -> String {
    let mut parts = Vec::new();
    parts.extend(trigger.first.map(|first| format!("the first {first} times")));
    parts.extend(trigger.every.map(|every| format!("every {every} times")));
    parts.extend(trigger.odds_ppm.map(|ppm| format!("in {} % of cases", f64::from(ppm) / 1e4)));
    parts.extend(trigger.per.map(|rate| format!("beyond {} in {}", rate.count, Span(rate.per))));
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn of_moment(moment: Moment) -> &'static str {
    match moment {
        Moment::AtOnce => "before doing anything",
        Moment::BeforeReply => "before its reply",
        Moment::AfterReply => "after its reply",
    }
}

fn of_tls(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::Expired => "shows an expired certificate",
        TlsFault::WrongName => "shows a certificate for another name",
        TlsFault::Rejected => "refuses STARTTLS",
        TlsFault::Stripped => "offers no STARTTLS",
    }
}

fn of_link(fault: &LinkFault) -> String {
    let mut deeds = Vec::new();
    deeds.extend(fault.partition.then(|| "is cut".to_owned()));
    deeds.extend(fault.latency.map(|latency| format!("takes {}", Span(latency))));
    deeds.extend(fault.loss_ppm.map(|ppm| format!("loses {} % of packets", f64::from(ppm) / 1e4)));
    deeds.extend(fault.bandwidth.map(|rate| format!("carries {rate} bytes a second")));
    deeds.extend(fault.cut_after.map(|bytes| format!("breaks each connection after {bytes} bytes")));
    deeds.join(", ")
}

fn of_dns(fault: &DnsFault) -> String {
    match fault {
        DnsFault::Delay(delay) => format!("answers {} late", Span(*delay)),
        DnsFault::Answer(answer) => match answer {
            Answer::ServFail => "answers SERVFAIL",
            Answer::NxDomain => "answers NXDOMAIN",
            Answer::Refused => "answers REFUSED",
            Answer::Timeout => "does not answer",
            Answer::NoData => "answers without data",
            Answer::Truncate => "answers truncated over UDP",
            Answer::Stale => "answers what it said before",
        }
        .into(),
    }
}
