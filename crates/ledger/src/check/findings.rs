//! What a check found, gathered by cause so that a thousand like cases are one violation.

use std::{collections::BTreeMap, time::Duration};

use mxdrill_net::Time;

use crate::{RecipientName, Recipients};

/// Causes told apart; what comes beyond joins the last of them.
const CAUSES_MAX: usize = 64;

/// Cases by cause.
#[derive(Debug)]
pub(super) struct Findings<K>(BTreeMap<K, Finding>);

/// The cases of one cause.
#[derive(Debug)]
pub(super) struct Finding {
    /// When the first of them happened.
    pub(super) at: Time,
    /// Whom they concern.
    pub(super) recipients: Recipients,
    /// How many there are, those without a recipient included.
    pub(super) cases: u64,
    /// Of a rule about times: what was found in the first case, and its bound.
    pub(super) first: (Duration, Duration),
}

impl<K> Default for Findings<K> {
    fn default() -> Self {
        Findings(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Findings<K> {
    /// Adds a case.
    pub(super) fn add(&mut self, cause: K, at: Time, recipient: Option<RecipientName>) {
        self.add_timed(cause, at, recipient, (Duration::ZERO, Duration::ZERO));
    }

    /// Adds a case of a rule about times: what was found, and its bound.
    pub(super) fn add_timed(
        &mut self,
        cause: K,
        at: Time,
        recipient: Option<RecipientName>,
        first: (Duration, Duration),
    ) {
        let cause = if self.0.len() < CAUSES_MAX || self.0.contains_key(&cause) {
            cause
        } else {
            self.0.last_key_value().map_or(cause, |(last, _)| last.clone())
        };
        let new = || Finding { at, recipients: Recipients::default(), cases: 0, first };
        let finding = self.0.entry(cause).or_insert_with(new);
        finding.cases += 1;
        if let Some(recipient) = recipient {
            finding.recipients.add(recipient);
        }
    }

    /// Takes everything out, in order of the causes.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (K, Finding)> + use<K> {
        let mut all = std::mem::take(&mut self.0);
        all.values_mut().for_each(|finding| finding.recipients.tidy());
        all.into_iter()
    }
}
