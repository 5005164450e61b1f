//! How connections end: closed, lingering, reset, cut.

use std::{net::Shutdown, time::Duration};

use super::{
    end::{End, Other, Stage},
    engine::{Engine, Ready, Soon, What},
    sockets,
    timers::Due,
};
use crate::{Closed, Conn, Fact, HostId, Time};

/// How long a foreign peer may leave its side open after we closed ours: Linux's `tcp_fin_timeout`.
const LINGER: Duration = Duration::from_secs(60);

impl<F: From<Fact>> Engine<F> {
    /// Ends our side of a connection after what was sent.
    pub(super) fn close(&mut self, now: Time, conn: Conn) {
        if self.connects.contains_key(&conn) {
            return self.forget_connect(conn);
        }
        let Some(key) = self.keys.get(&conn).copied() else { return };
        let Some(end) = self.ends.get_mut(key).filter(|end| end.is_known()) else { return };
        end.stage = Stage::Closing;
        if let End { host, eof: false, .. } = *end {
            self.record(host, Fact::Gone { conn, how: None });
        }
        self.close_over_link(now, key);
        self.hold_or_let_go(key);
        self.finish(key);
    }

    /// Sends FIN once a closed end has nothing more to send, and drops it once nothing more can come.
    pub(super) fn finish(&mut self, key: usize) {
        let Some(end) = self.ends.get(key) else { return };
        match end.stage {
            Stage::Closing if end.broken => self.drop_end(key),
            Stage::Closing if end.is_flushed() && end.eof && end.other != Other::Stranger => {
                // The other process has closed before, so nobody misses anything; and a reset leaves no
                // TIME_WAIT behind, of which tens of thousands would make every bind search for a port.
                sockets::abort(&end.stream);
                self.tell_other(key, Closed::Reset);
                self.drop_end(key);
            }
            Stage::Closing if end.is_flushed() && end.has_unread() => self.linger(key),
            Stage::Closing if end.is_flushed() => {
                self.tell_other(key, Closed::Eof);
                self.drop_end(key);
            }
            Stage::Lingering if end.eof => self.drop_end(key),
            _ => {}
        }
    }

    /// Closes our side only. With something unread the kernel would answer a whole close with a reset, which
    /// could destroy at the peer what we sent last.
    fn linger(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        end.stage = Stage::Lingering;
        if end.stream.shutdown(Shutdown::Write).is_err() {
            return self.drop_end(key);
        }
        if end.other == Other::Stranger {
            let conn = end.conn;
            self.flight.movement();
            self.timers.arm(self.clock.now() + LINGER, Due::Linger(conn));
        }
        self.ready.push_back(Ready { what: What::End(key), writable: false, ending: true });
        self.tell_other(key, Closed::Eof);
    }

    /// A foreign peer has left its side open for too long.
    pub(super) fn linger_over(&mut self, conn: Conn) {
        if let Some(key) = self.keys.get(&conn).copied() {
            self.abort(key);
        }
    }

    /// Breaks a connection off.
    pub(super) fn reset(&mut self, conn: Conn) {
        if self.connects.contains_key(&conn) {
            return self.forget_connect(conn);
        }
        let Some(key) = self.keys.get(&conn).copied() else { return };
        let Some(end) = self.ends.get(key).filter(|end| end.is_known()) else { return };
        if let End { host, eof: false, .. } = *end {
            self.record(host, Fact::Gone { conn, how: None });
        }
        self.abort(key);
    }

    /// Drops an end with a reset to its peer, unless no packet gets through.
    pub(super) fn abort(&mut self, key: usize) {
        let Some(end) = self.ends.get(key) else { return };
        if end.stage != Stage::Connecting && self.is_cut_off(end) {
            return self.leave(key);
        }
        sockets::abort(&end.stream);
        self.tell_other(key, Closed::Reset);
        self.drop_end(key);
    }

    /// The way has cut the connection at this end: its process, if it still cares, is told as soon as possible.
    pub(super) fn sever(&mut self, key: usize) {
        match self.ends.get(key) {
            Some(end) if end.is_known() => self.soon.push_back(Soon::Severed(end.conn)),
            Some(_) => self.abort(key),
            None => {}
        }
    }

    /// Breaks off what was severed, unless its process has been quicker. Gives the host to be told.
    pub(super) fn severed(&mut self, conn: Conn) -> Option<HostId> {
        let key = self.keys.get(&conn).copied()?;
        let end = self.ends.get(key).filter(|end| end.is_known())?;
        let (host, eof) = (end.host, end.eof);
        if !eof {
            self.record(host, Fact::Gone { conn, how: Some(Closed::Reset) });
        }
        self.abort(key);
        Some(host)
    }

    /// Resets a connection of which no process has heard.
    pub(super) fn reset_silently(&mut self, conn: Conn) {
        if let Some(key) = self.keys.get(&conn).copied() {
            self.abort(key);
        }
    }

    /// The host of this end goes down.
    pub(super) fn lose_end(&mut self, key: usize) {
        let Some(end) = self.ends.get(key) else { return };
        let (host, conn, told) = (end.host, end.conn, end.eof || end.stage != Stage::Open);
        if !told {
            self.record(host, Fact::Gone { conn, how: Some(Closed::Reset) });
        }
        self.abort(key);
    }

    /// The host whose process knows the connection.
    pub(super) fn knows(&self, conn: Conn) -> Option<HostId> {
        let end = self.ends.get(*self.keys.get(&conn)?)?;
        end.is_known().then_some(end.host)
    }

    /// Notes that the kernel has the end of the stream under way to the other end.
    fn tell_other(&mut self, key: usize, how: Closed) {
        match self.ends.get(key).map(|end| end.other) {
            Some(Other::Met(_, other)) => {
                if let Some(end) = self.ends.get_mut(other) {
                    end.inbound.end = Some(how);
                }
                self.recount(other);
            }
            Some(Other::Unmet(_, local)) => {
                if let Some(arrival) = self.arrivals.get_mut(&local) {
                    arrival.inbound.end = Some(how);
                }
            }
            _ => {}
        }
    }

    /// Forgets an end and closes its socket.
    pub(super) fn drop_end(&mut self, key: usize) {
        let Some(mut end) = self.ends.remove(key) else { return };
        self.flight.count(&mut end.counted, false);
        self.keys.remove(&end.conn);
        match end.other {
            Other::Met(_, other) => {
                if let Some(other) = self.ends.get_mut(other) {
                    other.other = Other::Gone(end.host);
                }
            }
            Other::Unmet(_, local) => {
                if let Some(arrival) = self.arrivals.get_mut(&local) {
                    arrival.opener = None;
                }
            }
            Other::Gone(_) => {}
            Other::Stranger => self.flight.stranger_left(),
        }
        drop(end); // its descriptor is free before anybody is accepted in its place
        self.accept_again();
    }
}
