//! A sender that never tries a second MX and has no queue: what it cannot hand over at once, it returns.
//!
//! Such clients exist: JavaMail-type programs and bank mailers seen in nolisting experiments, swaks.

use super::{Answers, Profile, Routing, Stages, Verdict, Verdicts, rfc5321};

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "one-try",
        about: "tries the best MX once and returns what it does not take",
        source: "nolisting experiments, swaks",
        attempts_max: Some(1),
        routing: Routing {
            hosts_max: Some(1),
            host_addresses_max: Some(1),
            better_unresolved: Verdict::Bounce,
            no_answer: Verdict::Bounce,
            ..rfc5321::ROUTING
        },
        verdicts: Verdicts::both(Stages::all(Answers::all(Verdict::Bounce))),
        ..base
    }
}
