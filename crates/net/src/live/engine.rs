//! The engine of a live world: its sockets, and what its hosts ask of them.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::mpsc,
};

use mio::{Interest, Registry, Token as PollToken, event::Source};

use super::{
    Clock, LiveError, LiveOptions,
    addresses::Addresses,
    connect::Connect,
    datagram::{Datagrams, Held},
    end::End,
    flight::Flight,
    host::Host,
    link::Links,
    listen::{Arrival, Listener},
    slab::Slab,
    spool::{Done, Spool},
    stream::Piece,
    timers::Timers,
};
use crate::{Closed, Command, Commands, Conn, ConnectError, Fact, HostId, Index, StoreError, Time, Token};

/// Something that a process is to be told as soon as possible.
#[derive(Debug)]
pub(super) enum Soon {
    /// The first event.
    Begin(HostId),
    Connect(Conn),
    ConnectFailed(Conn, ConnectError),
    /// A link has cut the connection.
    Severed(Conn),
    Closed {
        host: HostId,
        life: u32,
        conn: Conn,
        how: Closed,
    },
    Sent(Conn),
    Stored {
        host: HostId,
        life: u32,
        token: Token,
        result: Result<(), StoreError>,
    },
}

/// What the poll said about a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) what: What,
    pub(super) writable: bool,
    /// FIN or an error is there to be read, perhaps behind bytes.
    pub(super) ending: bool,
}

/// Which socket a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    End(usize),
    Listener(usize),
    Datagrams(usize),
}

impl What {
    pub(super) fn token(self) -> PollToken {
        PollToken(match self {
            What::End(key) => key << 2,
            What::Listener(key) => key << 2 | 1,
            What::Datagrams(key) => key << 2 | 2,
        })
    }

    pub(super) fn of(token: PollToken) -> Option<What> {
        let key = token.0 >> 2;
        match token.0 & 3 {
            0 => Some(What::End(key)),
            1 => Some(What::Listener(key)),
            2 => Some(What::Datagrams(key)),
            _ => None, // the waker
        }
    }
}

/// Everything of a world but its processes.
#[derive(Debug)]
pub(super) struct Engine<F> {
    pub(super) registry: Registry,
    pub(super) clock: Clock,
    pub(super) addresses: Addresses,
    pub(super) hosts: Vec<Host>,
    pub(super) ends: Slab<End>,
    /// Where the end of a connection that its process knows is kept.
    pub(super) keys: Index<Conn, usize>,
    /// Connects that have not reached the kernel.
    pub(super) connects: BTreeMap<Conn, Connect>,
    pub(super) listeners: Slab<Listener>,
    /// Connections that the kernel may have made and nobody has accepted, by the real address they come from.
    pub(super) arrivals: BTreeMap<SocketAddr, Arrival>,
    /// Listeners that found no descriptor left.
    pub(super) starved: Vec<usize>,
    pub(super) datagrams: Slab<Datagrams>,
    pub(super) held: BTreeMap<u64, Held>,
    pub(super) links: Links,
    pub(super) flight: Flight,
    /// Whether the world leaps: then what foreign peers send is acknowledged at once. The kernel would let one
    /// that waits for that (Nagle's algorithm) wait for 40 ms, which looks like quiet.
    pub(super) acknowledges: bool,
    pub(super) timers: Timers,
    pub(super) soon: VecDeque<Soon>,
    pub(super) ready: VecDeque<Ready>,
    pub(super) facts: VecDeque<(Time, HostId, F)>,
    pub(super) errors: Vec<LiveError>,
    pub(super) patience: std::time::Duration,
    pub(super) spool: Spool,
    pub(super) done: mpsc::Receiver<Done>,
    pieces: Vec<Piece>,
}

impl<F> Engine<F> {
    pub(super) fn new(registry: Registry, clock: Clock, options: &LiveOptions) -> Result<Self, LiveError> {
        let (answers, done) = mpsc::channel();
        Ok(Engine {
            registry,
            addresses: Addresses::new(options.ground, options.port)?,
            spool: Spool::new(options, answers, clock.clone())?,
            clock,
            hosts: Vec::new(),
            ends: Slab::default(),
            keys: Index::default(),
            connects: BTreeMap::new(),
            listeners: Slab::default(),
            arrivals: BTreeMap::new(),
            starved: Vec::new(),
            datagrams: Slab::default(),
            held: BTreeMap::new(),
            links: Links::new(options.seed),
            flight: Flight::new(),
            acknowledges: options.speed.is_none(),
            timers: Timers::default(),
            soon: VecDeque::new(),
            ready: VecDeque::new(),
            facts: VecDeque::new(),
            errors: Vec::new(),
            patience: PATIENCE,
            done,
            pieces: Vec::new(),
        })
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }
}

impl<F: From<Fact>> Engine<F> {
    pub(super) fn host(&self, host: HostId) -> &Host {
        &self.hosts[usize::from(host.0)]
    }

    pub(super) fn host_mut(&mut self, host: HostId) -> &mut Host {
        &mut self.hosts[usize::from(host.0)]
    }

    /// Notes an error that no process can be told of.
    pub(super) fn trouble(&mut self, error: LiveError) {
        tracing::error!(%error, "trouble in a live world");
        self.errors.push(error);
    }

    pub(super) fn record(&mut self, host: HostId, fact: Fact) {
        let now = self.now();
        self.facts.push_back((now, host, F::from(fact)));
    }

    /// Does what a process asked for, in order; the writes to one connection become one.
    pub(super) fn carry_out(&mut self, host: HostId, now: Time, out: &mut Commands<F>) {
        if let Some(wake) = out.take_wake() {
            self.set_wake(host, wake);
        }
        let mut list = out.take();
        let mut pieces = std::mem::take(&mut self.pieces);
        let mut writing = None;
        for command in list.drain(..) {
            let (conn, piece) = match command {
                Command::Send(conn, range) => (conn, Piece::Text(range)),
                Command::SendShared(conn, bytes) => (conn, Piece::Shared(bytes)),
                Command::Record(fact) => {
                    self.facts.push_back((now, host, fact));
                    continue;
                }
                other => {
                    self.write_out(now, writing.take(), &mut pieces, out.text());
                    self.obey(host, now, other);
                    continue;
                }
            };
            if writing != Some(conn) {
                self.write_out(now, writing.replace(conn), &mut pieces, out.text());
            }
            pieces.push(piece);
        }
        self.write_out(now, writing, &mut pieces, out.text());
        self.pieces = pieces;
        out.clear(list);
    }

    fn obey(&mut self, host: HostId, now: Time, command: Command<F>) {
        match command {
            Command::Listen(at) => self.listen(host, at),
            Command::Connect { conn, from, to } => self.connect(host, now, conn, from, to),
            Command::Close(conn) => self.close(now, conn),
            Command::Reset(conn) => self.reset(conn),
            Command::Datagram { from, to, bytes } => self.send_datagram(host, now, from, to, bytes),
            Command::Append(segment, slices) => {
                if let Some(tag) = self.host_mut(host).store.append(segment, slices) {
                    self.record(host, Fact::Bit(tag));
                }
            }
            Command::Sync(token) => self.sync(host, token),
            Command::Remove(segment) => self.host_mut(host).store.remove(segment),
            Command::Send(..) | Command::SendShared(..) | Command::Record(_) => {}
        }
    }

    fn sync(&mut self, host: HostId, token: Token) {
        let state = &mut self.hosts[usize::from(host.0)];
        match state.store.sync(token, state.life) {
            Some(result) => self.soon.push_back(Soon::Stored { host, life: state.life, token, result }),
            None => self.flight.sync_began(), // until the disk thread says that it is done
        }
    }

    /// Takes what the disk threads have done.
    pub(super) fn collect_done(&mut self) {
        while let Ok(Done { host, life, token, result, lost }) = self.done.try_recv() {
            self.flight.sync_ended();
            self.flight.movement();
            self.host_mut(host).store.lose(lost);
            self.soon.push_back(Soon::Stored { host, life, token, result });
        }
    }

    pub(super) fn watch(&self, source: &mut impl Source, what: What, interest: Interest) -> io::Result<()> {
        self.registry.register(source, what.token(), interest)
    }
}

/// How long the kernel tries to connect: Linux's `tcp_syn_retries` of 6 comes to 127 s, and 134 s where the
/// last wait is counted whole.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(134);
