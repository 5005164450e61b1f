//! What the faults of a drill explain: mail that is given up because of a fault whose scenario says `may-bounce`.
//!
//! An excuse is derived from what the fault does and from when it did so: a reply that the fault gave, a name that
//! it hid, or a lifetime that ended while nothing could be delivered. Anything else stays a violation.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mxdrill_mta::{Fact, GiveUp, Rejection};
use mxdrill_net::{Tag, Time};
use mxdrill_smtp::{Failure, Reply};

use super::Wants;
use crate::{
    Bounces, Deed,
    books::{Books, RecipientId, Site},
};

/// The kinds of facts that excuses are made of.
pub(super) const WANTS: Wants = Wants::GIVEN_UP.and(Wants::REJECTED).and(Wants::FAILED).and(Wants::STEP);

/// What was said, and by whom.
type Word = (Site, Arc<Reply>);

/// Recipients between their rejection and their giving up, at most.
const PENDING_MAX: usize = 1 << 20;

/// What happened that may excuse that mail is given up.
#[derive(Debug, Default)]
pub(super) struct Excuses {
    /// When each fault began, and when it ended.
    faults: BTreeMap<Tag, (Time, Option<Time>)>,
    /// The last 5xx for each recipient.
    rejected: BTreeMap<RecipientId, Word>,
    /// The last 5xx that each host got for a session.
    refused: BTreeMap<Site, Word>,
}

impl Excuses {
    /// Sees a fact of a kind in [`WANTS`].
    pub(super) fn see(&mut self, at: Time, site: Site, fact: &crate::Fact, books: &Books) {
        match fact {
            crate::Fact::Drill(Deed::Fault { tag, begins: true }) => _ = self.faults.insert(*tag, (at, None)),
            crate::Fact::Drill(Deed::Fault { tag, begins: false }) => {
                if let Some((_, end)) = self.faults.get_mut(tag) {
                    end.get_or_insert(at);
                }
            }
            crate::Fact::Mta(Fact::Rejected { target, rejection: Rejection::Permanent(reply), .. }) => {
                let Some(recipient) = books.about().and_then(|about| about.recipient) else { return };
                if self.rejected.len() >= PENDING_MAX {
                    self.rejected.clear();
                }
                self.rejected.insert(recipient, (books.site_at(target.address), reply.clone()));
            }
            crate::Fact::Mta(Fact::Failed { target, failure: Failure::Reply(reply), .. }) => {
                self.refused.insert(site, (books.site_at(target.address), reply.clone()));
            }
            _ => {}
        }
    }

    /// Whether the faults explain that `by` gives a recipient up now, which is `age` old there.
    pub(super) fn explain(
        &self,
        now: Time,
        by: Site,
        why: GiveUp,
        recipient: RecipientId,
        age: Duration,
        books: &Books,
    ) -> bool {
        let Some(host) = books.host(by) else { return false };
        let hasty = host.keeps.is_zero();
        let still = || self.at_work(now, host.patience + LATE_MAX, books);
        match why {
            GiveUp::Rejected => {
                let words = [self.rejected.get(&recipient), self.refused.get(&by)];
                words.into_iter().flatten().any(|word| said_by_fault(word, books))
            }
            GiveUp::Expired => age + SECOND >= host.keeps && still().next().is_some(),
            GiveUp::NxDomain | GiveUp::NoAddress => still().any(|fault| fault.denies || fault.dns && hasty),
            GiveUp::NullMx | GiveUp::BestMxIsSelf | GiveUp::Loop | GiveUp::Extension => false,
        }
    }

    /// The faults under way, or over for no longer than `slack`: until then nothing need have been tried again.
    fn at_work<'a>(
        &self,
        now: Time,
        slack: Duration,
        books: &'a Books,
    ) -> impl Iterator<Item = &'a Bounces> + use<'a, '_> {
        let faults = books.setup.faults.iter().filter(move |fault| match self.faults.get(&fault.tag) {
            Some((_, None)) => true,
            Some((_, Some(end))) => *end + slack >= now,
            None => false,
        });
        faults.filter_map(|fault| fault.may_bounce.as_ref())
    }
}

/// How much later than a wait an attempt may end: the longest dialogue (RFC 5321 4.5.3.2), and a negative answer
/// that is still remembered (RFC 2308 5).
const LATE_MAX: Duration = Duration::from_secs(3 * 3600);

/// Ages are counted in whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// Whether a fault that may bounce mail gave this very reply. Where in the dialogue does not matter: with BDAT, what
/// is said at DATA is heard at the dot.
fn said_by_fault((said_by, reply): &Word, books: &Books) -> bool {
    // a host that does not offer enhanced codes leaves them out (RFC 2034 4)
    let is_it = |said: &Reply| said.code == reply.code && said.text == reply.text;
    books.setup.faults.iter().any(|fault| {
        let on = fault.hosts.iter().any(|host| books.site(*host) == *said_by);
        on && fault.may_bounce.as_ref().is_some_and(|bounces| bounces.replies.iter().any(is_it))
    })
}
