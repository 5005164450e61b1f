//! What can go wrong where: the cells that faults are drawn from, and that coverage is counted by.

use std::fmt;

use mxdrill_dns::RecordType;
use mxdrill_smtp::Stage;

use super::Family;
use crate::scenario::{Answer, Connect, DnsName, Moment, TlsFault};

/// One kind of fault, at one stage, in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) what: What,
    pub(crate) on: On,
}

/// A kind of fault, without its particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Connect(Connect),
    Temporary(Stage),
    Permanent(Stage),
    Drop(Stage, Moment),
    Delay(Stage),
    Tarpit(Stage),
    Crash,
    CrashAt(Stage, Moment),
    Restart,
    DiskFull,
    MaxConnections,
    Greylist,
    Size,
    Tls(TlsFault),
    Partition,
    Latency,
    Loss,
    Bandwidth,
    CutAfter,
    Answer(Answer),
    LateAnswer,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum On {
    Host(String),
    Link(String, String),
    Dns(DnsName, RecordType),
}

impl What {
    pub(crate) fn family(self) -> Family {
        match self {
            What::Connect(_) => Family::Connect,
            What::Temporary(_) => Family::Temporary,
            What::Permanent(_) => Family::Permanent,
            What::Drop(..) => Family::Drop,
            What::Delay(_) | What::Tarpit(_) => Family::Slow,
            What::Crash | What::CrashAt(..) | What::Restart => Family::Crash,
            What::DiskFull => Family::Disk,
            What::MaxConnections | What::Greylist => Family::Limits,
            What::Size => Family::Size,
            What::Tls(_) => Family::Tls,
            What::Partition | What::Latency | What::Loss | What::Bandwidth | What::CutAfter => Family::Link,
            What::Answer(_) | What::LateAnswer => Family::Dns,
        }
    }

    /// Where in the dialogue it strikes; `-` where it is not in one.
    pub(crate) fn stage(self) -> &'static str {
        match self {
            What::Connect(_) => Stage::Connect.word(),
            What::Temporary(stage)
            | What::Permanent(stage)
            | What::Drop(stage, _)
            | What::Delay(stage)
            | What::Tarpit(stage)
            | What::CrashAt(stage, _) => stage.word(),
            What::MaxConnections => Stage::Greeting.word(),
            What::Greylist => Stage::Rcpt.word(),
            What::Size => Stage::Mail.word(),
            What::DiskFull => Stage::Dot.word(),
            What::Tls(_) => Stage::StartTls.word(),
            _ => "-",
        }
    }

    /// All that can be wrong with a host.
    pub(crate) fn of_hosts() -> impl Iterator<Item = What> {
        let connect = Connect::ALL.iter().copied().map(What::Connect);
        let stages =
            Stage::ALL.into_iter().filter(|stage| !matches!(stage, Stage::Connect | Stage::StartTls));
        let dialogue = stages.flat_map(|stage| {
            let spoken =
                [What::Temporary(stage), What::Permanent(stage), What::Delay(stage), What::Tarpit(stage)];
            let moments = Moment::ALL.iter();
            let cut =
                moments.flat_map(move |moment| [What::Drop(stage, *moment), What::CrashAt(stage, *moment)]);
            spoken.into_iter().chain(cut)
        });
        let whole =
            [What::Crash, What::Restart, What::DiskFull, What::MaxConnections, What::Greylist, What::Size];
        connect.chain(dialogue).chain(whole).chain(TlsFault::ALL.iter().copied().map(What::Tls))
    }

    /// All that can be wrong with a way.
    pub(crate) fn of_links() -> impl Iterator<Item = What> {
        [What::Partition, What::Latency, What::Loss, What::Bandwidth, What::CutAfter].into_iter()
    }

    /// All that can be wrong with an answer. A stale answer needs a `set` before it, and none is drawn.
    pub(crate) fn of_answers() -> impl Iterator<Item = What> {
        let wrong = Answer::ALL.iter().copied().filter(|answer| *answer != Answer::Stale);
        wrong.map(What::Answer).chain([What::LateAnswer])
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Connect(connect) => write!(f, "connect {connect}"),
            What::Temporary(_) => f.write_str("reply 4xx"),
            What::Permanent(_) => f.write_str("reply 5xx"),
            What::Drop(_, moment) => write!(f, "drop {moment}"),
            What::Delay(_) => f.write_str("delay"),
            What::Tarpit(_) => f.write_str("tarpit"),
            What::Crash => f.write_str("crash"),
            What::CrashAt(_, moment) => write!(f, "crash {moment}"),
            What::Restart => f.write_str("restart"),
            What::DiskFull => f.write_str("disk full"),
            What::MaxConnections => f.write_str("max-connections"),
            What::Greylist => f.write_str("greylist"),
            What::Size => f.write_str("size"),
            What::Tls(fault) => write!(f, "tls {fault}"),
            What::Partition => f.write_str("partition"),
            What::Latency => f.write_str("latency"),
            What::Loss => f.write_str("loss"),
            What::Bandwidth => f.write_str("bandwidth"),
            What::CutAfter => f.write_str("cut-after"),
            What::Answer(answer) => write!(f, "answer {answer}"),
            What::LateAnswer => f.write_str("answer late"),
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            On::Host(label) => f.write_str(label),
            On::Link(from, to) => write!(f, "{from}>{to}"),
            On::Dns(name, kind) => write!(f, "{name} {kind}"),
        }
    }
}
