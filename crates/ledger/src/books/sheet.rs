//! One host's sheet in the books.

use std::time::Duration;

use mxdrill_net::{Conn, Time};

/// The figures of one host, as they stand and at their height.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    /// Recipients taken over.
    pub(crate) accepted: u64,
    /// Recipients delivered, first copies.
    pub(crate) delivered: u64,
    /// Recipients in the queue.
    pub(crate) queued: u64,
    /// Bytes in the queue.
    pub(crate) bytes: u64,
    /// Recipients given up with a DSN.
    pub(crate) bounced: u64,
    /// Recipients given up in silence.
    pub(crate) discarded: u64,
    /// Extra copies delivered here.
    pub(crate) duplicated: u64,
    /// Deliveries here that nobody sent.
    pub(crate) unexpected: u64,
    /// Recipients that it originated and that have been answered for.
    pub(crate) sent: u64,
    /// Recipients acknowledged here as the first host.
    pub(crate) acknowledged: u64,
    /// Recipients not taken here as the first host.
    pub(crate) rejected: u64,
    /// Recipients in doubt here as the first host.
    pub(crate) in_doubt: u64,
    /// Delivery attempts begun.
    pub(crate) attempts: u64,
    /// Connections taken.
    pub(crate) connections: u64,
    /// Questions put to the DNS.
    pub(crate) queries: u64,
    /// DSNs of failure delivered here.
    pub(crate) dsns: u64,
    /// Other DSNs delivered here.
    pub(crate) warnings: u64,
    /// The longest queue.
    pub(crate) queued_max: u64,
    /// The largest queue.
    pub(crate) bytes_max: u64,
    /// The longest stay of what has left.
    pub(crate) oldest_max: Duration,
    /// Sessions now.
    sessions: u64,
    /// The most sessions, before the last change.
    sessions_max: u64,
    /// The last connection taken.
    pub(crate) last_conn: Option<Conn>,
    /// How often it crashed: connections from before are gone.
    pub(crate) lives: u32,
    /// Whether it is down.
    pub(crate) down: bool,
    /// When it last crashed.
    pub(crate) crashed_at: Option<Time>,
    /// When it last came back.
    pub(crate) restarted_at: Option<Time>,
    /// When it was last told to try its whole queue.
    pub(crate) flushed_at: Option<Time>,
    /// When a connect of it last succeeded.
    pub(crate) reached_at: Option<Time>,
    now: Time,
}

impl Sheet {
    /// Time goes on: what stood at the end of the last instant counts for the maxima. What comes and goes in one
    /// instant (local delivery) never lay in the queue.
    pub(crate) fn tick(&mut self, at: Time) {
        if at > self.now {
            self.now = at;
            self.peak();
        }
    }

    /// Takes the maxima as things stand.
    pub(crate) fn peak(&mut self) {
        self.queued_max = self.queued_max.max(self.queued);
        self.bytes_max = self.bytes_max.max(self.bytes);
    }

    /// A session begins, unless it is turned away at once.
    pub(crate) fn session_begins(&mut self, conn: Conn) {
        self.sessions_max = self.sessions_most();
        self.connections += 1;
        self.sessions += 1;
        self.last_conn = Some(conn);
    }

    /// The client that came last was turned away at the door: it never had a session.
    pub(crate) fn session_denied(&mut self) {
        self.sessions = self.sessions.saturating_sub(1);
    }

    /// Sessions end: one, or all at a crash.
    pub(crate) fn sessions_end(&mut self, how_many: u64) {
        self.sessions_max = self.sessions_most();
        self.sessions = self.sessions.saturating_sub(how_many);
    }

    /// The most sessions at one time. Whoever is turned away at the door has none.
    pub(crate) fn sessions_most(&self) -> u64 {
        self.sessions_max.max(self.sessions)
    }

    /// What left had stayed so long.
    pub(crate) fn stayed(&mut self, stay: Duration) {
        self.oldest_max = self.oldest_max.max(stay);
    }
}
