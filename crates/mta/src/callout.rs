//! Callouts: a backup asks a better MX whether a recipient exists, before it takes mail for it (Postfix
//! `reject_unverified_recipient`, Exim `verify = recipient/callout`).

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mxdrill_dns::Fact as DnsFact;
use mxdrill_net::{Commands, Conn, Time};
use mxdrill_smtp::{Address, ReplyReader};

use crate::{
    NodeConfig, Route, RouteTicket, Router,
    route::{Resolved, source},
};

/// What a backup says to a recipient that it could not ask a better MX about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unverified {
    /// 450: come again (Postfix `unverified_recipient_tempfail_action = defer_if_permit`).
    Defer,
    /// The mail is taken, and may have to be returned (Exim `callout_defer_ok`).
    Accept,
}

/// What a callout found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The better MX takes mail for it.
    Exists,
    /// The better MX says 5xx.
    Unknown,
    /// It could not be asked, or said 4xx.
    Nothing,
}

/// A session that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) conn: Conn,
    pub(crate) peer: IpAddr,
    pub(crate) address: Address,
}

/// All callouts of a node, and what they have found.
#[derive(Debug, Default)]
pub(crate) struct Callouts {
    calls: Vec<Call>,
    known: BTreeMap<Address, (Found, Time)>,
    done: VecDeque<(Waiting, Found)>,
}

/// One callout.
#[derive(Debug)]
struct Call {
    address: Address,
    waiting: Vec<Waiting>,
    ticket: Option<RouteTicket>,
    conn: Option<Conn>,
    /// The reply that it waits for.
    stage: Stage,
    reader: ReplyReader,
    deadline: Time,
}

/// Which reply a callout waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Ehlo,
    Mail,
    Rcpt,
}

/// Postfix `address_verify_positive_expire_time`.
const EXISTS_FOR: Duration = Duration::from_secs(31 * 86_400);
/// Postfix `address_verify_negative_expire_time`.
const UNKNOWN_FOR: Duration = Duration::from_secs(3 * 86_400);
/// Exim's default for a callout.
const PATIENCE: Duration = Duration::from_secs(30);
/// Callouts at once; a recipient beyond is unverified.
const CALLS_MAX: usize = 100;
/// Addresses remembered; beyond, all are forgotten, which only costs callouts.
const KNOWN_MAX: usize = 65_536;

impl Callouts {
    /// What is known of an address; `None` where a session has to wait for it.
    pub(crate) fn ask<F: From<DnsFact>>(
        &mut self,
        now: Time,
        waiting: Waiting,
        config: &NodeConfig,
        router: &mut Router,
        out: &mut Commands<F>,
    ) -> Option<Found> {
        match self.known.get(&waiting.address) {
            Some((found, until)) if now < *until => return Some(*found),
            _ => {}
        }
        if let Some(call) = self.calls.iter_mut().find(|call| call.address == waiting.address) {
            call.waiting.push(waiting);
            return None;
        }
        if self.calls.len() >= CALLS_MAX {
            return Some(Found::Nothing);
        }
        let address = waiting.address.clone();
        let resolved = router.resolve(now, address.domain(), 0, out);
        let mut call = Call {
            address,
            waiting: vec![waiting],
            ticket: None,
            conn: None,
            stage: Stage::Greeting,
            reader: ReplyReader::default(),
            deadline: now + PATIENCE,
        };
        match resolved {
            Resolved::Later(ticket) => call.ticket = Some(ticket),
            Resolved::Now(route) => match connect(&route, config, out) {
                Some(conn) => call.conn = Some(conn),
                None => return Some(Found::Nothing),
            },
        }
        self.calls.push(call);
        None
    }

    /// The way is known that a callout waits for.
    pub(crate) fn routed<F>(
        &mut self,
        now: Time,
        ticket: RouteTicket,
        route: &Arc<Route>,
        config: &NodeConfig,
        out: &mut Commands<F>,
    ) {
        let Some(at) = self.calls.iter().position(|call| call.ticket == Some(ticket)) else { return };
        match connect(route, config, out) {
            Some(conn) => (self.calls[at].ticket, self.calls[at].conn) = (None, Some(conn)),
            None => self.end(now, at, Found::Nothing),
        }
    }

    /// Whether a connection is a callout's.
    pub(crate) fn owns(&self, conn: Conn) -> bool {
        self.find(conn).is_some()
    }

    /// The better MX says something.
    pub(crate) fn bytes<F>(
        &mut self,
        now: Time,
        conn: Conn,
        bytes: &[u8],
        config: &NodeConfig,
        out: &mut Commands<F>,
    ) {
        let mut input = bytes;
        while let Some(at) = self.find(conn) {
            let call = &mut self.calls[at];
            let code = match call.reader.next(&mut input) {
                Ok(None) => return,
                Ok(Some(reply)) => reply.code().number(),
                Err(_) => return self.hang_up(now, at, Found::Nothing, out),
            };
            match (call.stage, code / 100) {
                (Stage::Rcpt, 2) => self.hang_up(now, at, Found::Exists, out),
                (Stage::Rcpt, 5) => self.hang_up(now, at, Found::Unknown, out),
                (Stage::Greeting | Stage::Ehlo | Stage::Mail, 2) => call.say_next(conn, config, out),
                _ => self.hang_up(now, at, Found::Nothing, out),
            }
        }
    }

    /// A connection failed or ended before it brought an answer.
    pub(crate) fn closed<F>(&mut self, now: Time, conn: Conn, is_open: bool, out: &mut Commands<F>) {
        let Some(at) = self.find(conn) else { return };
        if is_open {
            out.close(conn);
        }
        self.end(now, at, Found::Nothing);
    }

    /// Gives up what takes too long.
    pub(crate) fn timer<F>(&mut self, now: Time, out: &mut Commands<F>) {
        while let Some(at) = self.calls.iter().position(|call| call.deadline <= now) {
            if let Some(conn) = self.calls[at].conn {
                out.reset(conn);
            }
            self.end(now, at, Found::Nothing);
        }
    }

    /// When [`Callouts::timer`] is next to be called.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.calls.iter().map(|call| call.deadline).min()
    }

    /// A session that need wait no longer.
    pub(crate) fn poll(&mut self) -> Option<(Waiting, Found)> {
        self.done.pop_front()
    }

    fn find(&self, conn: Conn) -> Option<usize> {
        self.calls.iter().position(|call| call.conn == Some(conn))
    }

    fn hang_up<F>(&mut self, now: Time, at: usize, found: Found, out: &mut Commands<F>) {
        if let Some(conn) = self.calls[at].conn {
            out.send(conn, b"QUIT\r\n");
            out.close(conn);
        }
        self.end(now, at, found);
    }

    fn end(&mut self, now: Time, at: usize, found: Found) {
        let call = self.calls.swap_remove(at);
        let lasting = match found {
            Found::Exists => Some(EXISTS_FOR),
            Found::Unknown => Some(UNKNOWN_FOR),
            Found::Nothing => None,
        };
        if let Some(lasting) = lasting {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(call.address, (found, now + lasting));
        }
        self.done.extend(call.waiting.into_iter().map(|waiting| (waiting, found)));
    }
}

impl Call {
    /// Says the next command. The sender is null, as nobody shall be told of a callout.
    fn say_next<F>(&mut self, conn: Conn, config: &NodeConfig, out: &mut Commands<F>) {
        let (stage, line) = match self.stage {
            Stage::Greeting => (Stage::Ehlo, format!("EHLO {}\r\n", config.name)),
            Stage::Ehlo => (Stage::Mail, "MAIL FROM:<>\r\n".to_owned()),
            Stage::Mail | Stage::Rcpt => (Stage::Rcpt, format!("RCPT TO:<{}>\r\n", self.address)),
        };
        self.stage = stage;
        out.send(conn, line.as_bytes());
    }
}

/// Connects to the best MX of a route that is better than this node.
fn connect<F>(route: &Route, config: &NodeConfig, out: &mut Commands<F>) -> Option<Conn> {
    let to = *route.usable().flat_map(|host| host.addresses.iter().flatten()).next()?;
    let from = source(&config.addresses, to)?;
    Some(out.connect(from, SocketAddr::new(to, 25)))
}
