//! What becomes of each recipient after a host has spoken, or fallen silent.

use std::sync::Arc;

use mxdrill_net::{Commands, ConnectError, Time};
use mxdrill_smtp::{Enhanced, Extension, Failure, Outcome, Reply, Report, Severity, Stage, TlsFailure};

use super::{Agent, Heard, Job, Parcel, Plan, session::failure_text};
use crate::{
    Fact, GiveUp, HostPolicy, Rejection, RouteHost, Skip, Target, Undelivered,
    core::{AnyFact, Core},
    profile::{Answers, Expiry, Lacking, Lacks, Verdict},
    queue::{Cause, Next, Picks},
};

/// What one recipient heard, if not that it was taken.
enum Word<'a> {
    Reply(Stage, &'a Arc<Reply>),
    Failure(Stage, &'a Failure),
}

impl Job {
    pub(crate) fn new(entry: u32, began: Time, parcel: Parcel) -> Job {
        Job {
            entry,
            began,
            parcel: Some(parcel),
            later: Vec::new(),
            lost: Vec::new(),
            is_site_failure: false,
            is_lacking: false,
        }
    }
}

impl Core {
    /// A letter is through: each recipient has its outcome, and the session goes on.
    pub(super) fn done<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        report: Report<Parcel>,
        out: &mut Commands<F>,
    ) {
        let agent_ = self.agents.live(agent);
        let (job, plan, lane) = (agent_.job.take(), agent_.plan.clone(), agent_.lane);
        agent_.job = agent_.ahead.take();
        let next = agent_.job.as_ref().map(|job| job.entry);
        if let Some(mut job) = job {
            job.is_site_failure = false;
            let left = self.outcomes(now, agent, &mut job, &report, None, out);
            if left.is_empty() {
                self.conclude(now, lane, job, plan.as_deref(), out);
            } else {
                job.parcel = Some(Parcel { message: report.letter.message, picks: Picks::of(&left) });
                self.hand_over(now, agent, job, out);
            }
        }
        if let Some(entry) = next {
            self.record_began(lane, entry, out);
        }
    }

    /// What is left of a message goes on to the next host, while its session serves other mail.
    fn hand_over<F: AnyFact>(&mut self, now: Time, agent: u32, job: Job, out: &mut Commands<F>) {
        let from = self.agents.live(agent);
        let next = Agent {
            job: Some(job),
            plan: from.plan.clone(),
            at: from.at,
            sessions: from.sessions,
            target: from.target.clone(),
            ..Agent::new(from.lane, from.started)
        };
        let next = self.hire(next);
        self.advance(now, next, out);
    }

    /// A connect or the session's own machine failed, with nothing to report.
    pub(super) fn failed<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        stage: Stage,
        failure: Failure,
        out: &mut Commands<F>,
    ) {
        self.broken(now, agent, stage, failure, None, None, out);
    }

    /// A session failed. What was sent ahead is put back, what was in hand goes on to the next host or ends.
    #[expect(clippy::too_many_arguments, reason = "the fields of one step of a session")]
    pub(super) fn broken<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        stage: Stage,
        failure: Failure,
        report: Option<Report<Parcel>>,
        ahead: Option<Parcel>,
        out: &mut Commands<F>,
    ) {
        self.note_failure(now, agent, stage, &failure, out);
        if self.falls_back(now, agent, stage) {
            return self.connect_in_clear(now, agent, out);
        }
        let agent_ = self.agents.live(agent);
        let (lane, was_reused) = (agent_.lane, agent_.carried > 1);
        agent_.client = None;
        drop(ahead);
        if let Some(job) = agent_.ahead.take() {
            self.queue.line_mut(lane).ready.push_front(job.entry);
            self.touch(lane);
        }
        let agent_ = self.agents.live(agent);
        let Some(mut job) = agent_.job.take() else {
            let state = agent_.state;
            self.retire(agent);
            return self.off_work(lane, agent, state);
        };
        let report = report.or_else(|| untried(&mut job));
        // a session that was kept open may have died of old age: that says nothing of the host
        if was_reused && stage == Stage::Mail && matches!(failure, Failure::Lost) {
            return self.begin_again(now, agent, job, report, out);
        }
        let Some(report) = report else { return self.end_agent(now, agent, job, out) };
        let left = self.outcomes(now, agent, &mut job, &report, Some((stage, &failure)), out);
        job.is_site_failure = true;
        job.is_lacking = false;
        if left.is_empty() {
            self.pass_rest(agent, out);
            return self.end_agent(now, agent, job, out);
        }
        job.parcel = Some(Parcel { message: report.letter.message, picks: Picks::of(&left) });
        self.agents.live(agent).job = Some(job);
        self.advance(now, agent, out);
    }

    fn begin_again<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        mut job: Job,
        report: Option<Report<Parcel>>,
        out: &mut Commands<F>,
    ) {
        job.parcel = report.map(|report| report.letter);
        let agent_ = self.agents.live(agent);
        (agent_.at, agent_.sessions, agent_.target, agent_.job) = (0, 0, None, Some(job));
        self.advance(now, agent, out);
    }

    fn end_agent<F: AnyFact>(&mut self, now: Time, agent: u32, job: Job, out: &mut Commands<F>) {
        let Some(agent_) = self.retire(agent) else { return };
        self.off_work(agent_.lane, agent, agent_.state);
        self.conclude(now, agent_.lane, job, agent_.plan.as_deref(), out);
    }

    /// Records that a session failed, and remembers it as the profile does.
    fn note_failure<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        stage: Stage,
        failure: &Failure,
        out: &mut Commands<F>,
    ) {
        let agent_ = self.agents.live(agent);
        if let Some(conn) = agent_.conn.take() {
            self.conns.remove(&conn);
        }
        let Some(target) = agent_.target.clone() else { return };
        let lane = agent_.lane;
        // a refusal of a command speaks of the message; anything else, of the host
        if stage < Stage::Mail || !matches!(failure, Failure::Reply(_)) {
            self.memory.failed(now, target.address, is_unanswered(stage, failure));
        }
        if matches!(failure, Failure::Tls(_)) {
            self.sts.doubt(&self.queue.line(lane).name);
        }
        out.record(Fact::Failed {
            destination: self.queue.line(lane).name.clone(),
            target: target.clone(),
            stage,
            failure: failure.clone(),
        });
        let reply = if let Failure::Reply(reply) = failure { Some(reply.clone()) } else { None };
        self.lanes[lane as usize].heard = Some(Heard {
            status: status_of(stage, failure),
            text: failure_text(failure, stage),
            target: Some(target),
            reply,
        });
    }

    /// Goes through the outcomes of a letter. Returns those recipients that the next host is to be asked for.
    fn outcomes<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        job: &mut Job,
        report: &Report<Parcel>,
        failed: Option<(Stage, &Failure)>,
        out: &mut Commands<F>,
    ) -> Vec<u16> {
        let mut left = Vec::new();
        let Some(target) = self.agents.live(agent).target.clone() else { return left };
        let message = &report.letter.message;
        for (outcome, recipient) in report.outcomes.iter().zip(report.letter.picks.as_slice()) {
            let recipient = *recipient;
            let word = match outcome {
                Outcome::Acknowledged(_) => {
                    let (message, target) = (message.clone(), target.clone());
                    let id = message.id;
                    out.record(Fact::Relayed { message, recipient, target, began: job.began });
                    self.spool.done(now, id, recipient, out);
                    continue;
                }
                Outcome::Lacks(extension) => {
                    self.lacks(now, agent, job, recipient, *extension, &mut left, out);
                    continue;
                }
                Outcome::Rejected { stage, reply } => {
                    let rejection = rejection(reply);
                    let (message, target, stage) = (message.clone(), target.clone(), *stage);
                    out.record(Fact::Rejected { message, recipient, target, stage, rejection });
                    Word::Reply(stage, reply)
                }
                Outcome::InDoubt => {
                    let (message, target) = (message.clone(), target.clone());
                    out.record(Fact::InDoubt { message, recipient, target });
                    Word::Failure(Stage::Dot, failed.map_or(&Failure::Lost, |(_, failure)| failure))
                }
                Outcome::Untried => match failed {
                    Some((stage, failure)) => Word::Failure(stage, failure),
                    None => {
                        left.push(recipient);
                        continue;
                    }
                },
            };
            match self.verdict(now, agent, &word) {
                Verdict::Next => left.push(recipient),
                Verdict::Defer => job.later.push(recipient),
                Verdict::Bounce => job.lost.push(self.lose(recipient, &word, &target)),
            }
            self.note_word(agent, &word, &target);
        }
        left
    }

    /// A host lacks an extension that the message needs: another may have it (RFC 6152 3, RFC 6531 3.2).
    #[expect(clippy::too_many_arguments, reason = "where one recipient may go")]
    fn lacks<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        job: &mut Job,
        recipient: u16,
        extension: Extension,
        left: &mut Vec<u16>,
        out: &mut Commands<F>,
    ) {
        let has_more = self.has_more(now, agent);
        let agent_ = self.agents.live(agent);
        let Some(target) = agent_.target.clone() else { return left.push(recipient) };
        let destination = self.queue.line(agent_.lane).name.clone();
        let (host, preference, why) = (target.host.clone(), target.preference, Skip::Extension);
        out.record(Fact::Skipped { destination, host, preference, why });
        match lacking(&self.config.profile.verdicts.lacks, extension) {
            Lacking::Next if has_more => {
                job.is_lacking = true;
                return left.push(recipient);
            }
            Lacking::Defer => return job.later.push(recipient),
            Lacking::Next | Lacking::Bounce | Lacking::AsIs | Lacking::Convert => {}
        }
        let text: Arc<str> = format!("{} lacks an extension that the message needs", target.host).into();
        let status = match extension {
            Extension::EightBitMime => Enhanced(5, 6, 3), // RFC 6152 3
            Extension::SmtpUtf8 => Enhanced(5, 6, 7),     // RFC 6531 3.5
            Extension::Size => Enhanced(5, 3, 4),         // RFC 1870 6.2
        };
        job.lost.push(self.lost(recipient, GiveUp::Extension, status, text));
    }

    /// What the profile makes of a word: by stage and kind, and by whether another host remains.
    fn verdict(&mut self, now: Time, agent: u32, word: &Word<'_>) -> Verdict {
        let has_more = self.has_more(now, agent);
        let verdicts = &self.config.profile.verdicts;
        let map = if has_more { &verdicts.more } else { &verdicts.last };
        match word {
            Word::Reply(stage, reply) => by_severity(map.at(*stage), reply),
            Word::Failure(stage, failure) => by_failure(map.at(*stage), failure),
        }
        .at_last(!has_more)
    }

    fn lose(&self, recipient: u16, word: &Word<'_>, target: &Target) -> (GiveUp, Undelivered) {
        match word {
            Word::Reply(_, reply) => {
                let (status, text) = (reply_status(reply), reply.to_string().into());
                (why_given_up(Some(reply)), undelivered(recipient, target, status, text, Some(reply)))
            }
            Word::Failure(stage, failure) => {
                let reply = if let Failure::Reply(reply) = failure { Some(reply) } else { None };
                let (status, text) = (status_of(*stage, failure), failure_text(failure, *stage));
                (why_given_up(reply), undelivered(recipient, target, status, text, reply))
            }
        }
    }

    /// Keeps what a host said, for those who are told when the time is over.
    fn note_word(&mut self, agent: u32, word: &Word<'_>, target: &Arc<Target>) {
        if let Word::Reply(_, reply) = word {
            let lane = self.agents.live(agent).lane;
            self.lanes[lane as usize].heard = Some(Heard {
                status: reply_status(reply),
                text: reply.to_string().into(),
                target: Some(target.clone()),
                reply: Some((*reply).clone()),
            });
        }
    }

    /// A recipient that is given up before a host had a say.
    pub(super) fn lost(
        &self,
        recipient: u16,
        why: GiveUp,
        status: Enhanced,
        text: Arc<str>,
    ) -> (GiveUp, Undelivered) {
        (why, Undelivered { recipient, status, text, remote: None, reply: None })
    }

    /// An attempt is over: the entry is done, kept for later, given up, or some of each.
    pub(super) fn conclude<F: AnyFact>(
        &mut self,
        now: Time,
        lane: u32,
        job: Job,
        plan: Option<&Plan>,
        out: &mut Commands<F>,
    ) {
        let concurrency = &self.config.profile.concurrency;
        let lane_ = &mut self.lanes[lane as usize];
        match job.is_site_failure && !job.later.is_empty() {
            true => lane_.failed(now, concurrency),
            false => lane_.succeeded(concurrency),
        }
        self.touch(lane);
        let is_outside = |host: &RouteHost| host.policy == HostPolicy::Outside;
        let has_outside = plan.is_some_and(|plan| plan.route.hosts.iter().any(is_outside));
        if has_outside && !(job.later.is_empty() && job.lost.is_empty()) {
            self.sts.doubt(&self.queue.line(lane).name);
        }
        if job.later.is_empty() {
            if job.lost.is_empty() {
                self.queue.remove(job.entry)
            } else {
                self.give_up(now, job.entry, job.lost, out)
            }
            return;
        }
        if !job.lost.is_empty() {
            let picks: Vec<u16> = job.lost.iter().map(|(_, lost)| lost.recipient).collect();
            let message = self.queue.message(job.entry).clone();
            let apart = self.queue.insert(message, Picks::of(&picks), lane);
            self.give_up(now, apart, job.lost, out);
        }
        self.defer(now, lane, job.entry, &job.later, job.is_site_failure, plan, out);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one attempt")]
    fn defer<F: AnyFact>(
        &mut self,
        now: Time,
        lane: u32,
        entry: u32,
        later: &[u16],
        is_site_failure: bool,
        plan: Option<&Plan>,
        out: &mut Commands<F>,
    ) {
        let cause = if is_site_failure && self.memory.has_clocks() { Cause::Hosts } else { Cause::Schedule };
        let is_over = plan.is_some_and(|plan| is_site_failure && self.is_past_cutoff(plan))
            || self.is_past_schedule(now, entry, cause);
        let held = self.queue.entry_mut(entry);
        held.picks = Picks::of(later);
        let next = self.timetable.next(held, now, true, cause);
        match next {
            Next::Due(due) if !is_over => {
                self.queue.wait(entry, due);
                out.record(Fact::Deferred {
                    destination: self.queue.line(lane).name.clone(),
                    count: later.len() as u32,
                    attempted: true,
                    next: Time::from_secs(due.into()),
                });
                if self.timetable.warns(self.queue.entry_mut(entry), now) {
                    self.warn(now, entry, out);
                }
            }
            _ => self.expire(now, entry, out),
        }
    }

    /// Exim: an address or message that has a clock of its own is over with the last rule.
    fn is_past_schedule(&self, now: Time, entry: u32, cause: Cause) -> bool {
        let profile = &self.config.profile;
        let cutoff = profile.retry.cutoff().filter(|_| profile.lifetime.expiry == Expiry::HostCutoff);
        let arrived = Time::from_secs(self.queue.entry(entry).arrived.into());
        cause == Cause::Schedule && cutoff.is_some_and(|cutoff| now.since(arrived) > cutoff)
    }
}

impl Verdict {
    /// At the last host, `Next` has no next.
    fn at_last(self, is_last: bool) -> Verdict {
        if is_last && self == Verdict::Next { Verdict::Defer } else { self }
    }
}

fn lacking(lacks: &Lacks, extension: Extension) -> Lacking {
    match extension {
        Extension::EightBitMime => lacks.eight_bit,
        Extension::SmtpUtf8 => lacks.utf8,
        Extension::Size => lacks.size,
    }
}

/// Whether a connect found nobody who would say even no.
fn is_unanswered(stage: Stage, failure: &Failure) -> bool {
    let timed_out = matches!(failure, Failure::Timeout | Failure::Connect(ConnectError::TimedOut));
    stage == Stage::Connect && timed_out
}

fn by_severity(answers: &Answers, reply: &Reply) -> Verdict {
    match reply.severity() {
        Severity::Permanent => answers.permanent,
        _ => answers.temporary,
    }
}

fn by_failure(answers: &Answers, failure: &Failure) -> Verdict {
    match failure {
        Failure::Timeout | Failure::Connect(ConnectError::TimedOut) => answers.timeout,
        // a host that is not as safe as it must be is none that can be used (RFC 7672 2.2, RFC 8461 5)
        Failure::Connect(_) | Failure::Lost | Failure::Garbled | Failure::Tls(_) => answers.lost,
        Failure::Reply(reply) => by_severity(answers, reply),
    }
}

/// A letter that was never with a session, as a report.
fn untried(job: &mut Job) -> Option<Report<Parcel>> {
    let letter = job.parcel.take()?;
    let outcomes = vec![Outcome::Untried; letter.picks.len()];
    Some(Report { letter, outcomes })
}

/// A 5xx is final; 5.4.6 says that the message goes round in circles (RFC 3463 X.4.6). Anything else that is not
/// tried again has run out of patience.
fn why_given_up(reply: Option<&Arc<Reply>>) -> GiveUp {
    match reply {
        Some(reply) if reply.enhanced == Some(Enhanced(5, 4, 6)) => GiveUp::Loop,
        Some(reply) if reply.severity() == Severity::Permanent => GiveUp::Rejected,
        _ => GiveUp::Expired,
    }
}

fn rejection(reply: &Arc<Reply>) -> Rejection {
    match reply.severity() {
        Severity::Permanent => Rejection::Permanent(reply.clone()),
        _ => Rejection::Temporary(reply.clone()),
    }
}

fn undelivered(
    recipient: u16,
    target: &Target,
    status: Enhanced,
    text: Arc<str>,
    reply: Option<&Arc<Reply>>,
) -> Undelivered {
    Undelivered { recipient, status, text, remote: Some(target.host.clone()), reply: reply.cloned() }
}

/// What the sender is told of a recipient whose time is over (RFC 3463 X.4.7).
pub(crate) fn late(recipient: u16, heard: Option<&Heard>) -> Undelivered {
    let text = heard.map_or_else(|| "delivery time expired".into(), |heard| heard.text.clone());
    Undelivered {
        recipient,
        status: heard.map_or(Enhanced(4, 4, 7), |heard| heard.status),
        text,
        remote: heard.and_then(|heard| heard.target.as_ref()).map(|target| target.host.clone()),
        reply: heard.and_then(|heard| heard.reply.clone()),
    }
}

fn reply_status(reply: &Reply) -> Enhanced {
    let class = if reply.severity() == Severity::Permanent { 5 } else { 4 };
    reply.enhanced.unwrap_or(Enhanced(class, 0, 0))
}

/// RFC 3463 X.4.1 no answer from host, X.4.2 bad connection.
fn status_of(stage: Stage, failure: &Failure) -> Enhanced {
    match failure {
        Failure::Reply(reply) => reply_status(reply),
        _ if stage == Stage::Connect => Enhanced(4, 4, 1),
        // RFC 3463 X.7.5, as Postfix has it: the certificate or the handshake; X.7.4: TLS is not to be had
        Failure::Tls(TlsFailure::NotOffered | TlsFailure::Rejected(_)) => Enhanced(4, 7, 4),
        Failure::Tls(_) => Enhanced(4, 7, 5),
        _ => Enhanced(4, 4, 2),
    }
}
