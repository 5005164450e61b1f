//! The inbound sessions of a node.

use std::sync::Arc;

use mxdrill_net::{Conn, Index, Time};
use mxdrill_smtp::{Server, ServerConfig};

/// All inbound sessions.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) config: Arc<ServerConfig>,
    slab: Vec<Option<Session>>,
    free: Vec<u32>,
    by_conn: Index<Conn, u32>,
    /// How many messages each session brought; kept only for profiles that count them.
    pub(super) brought: Index<Conn, u32>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) server: Server,
    /// The earliest timer that stands for it.
    pub(super) armed: Time,
}

impl Inbound {
    pub(super) fn new(config: ServerConfig) -> Inbound {
        Inbound {
            config: Arc::new(config),
            slab: Vec::new(),
            free: Vec::new(),
            by_conn: Index::default(),
            brought: Index::default(),
        }
    }

    /// How many sessions are open.
    pub(super) fn len(&self) -> usize {
        self.by_conn.len()
    }

    pub(super) fn find(&self, conn: Conn) -> Option<u32> {
        self.by_conn.get(&conn).copied()
    }

    /// A session, and the counts that the door needs beside it.
    pub(super) fn session(&mut self, id: u32) -> Option<(&mut Session, &mut Index<Conn, u32>)> {
        let session = self.slab.get_mut(id as usize)?.as_mut()?;
        Some((session, &mut self.brought))
    }

    pub(super) fn add(&mut self, conn: Conn, server: Server) -> u32 {
        let session = Session { server, armed: Time::MAX };
        let id = match self.free.pop() {
            Some(id) => {
                self.slab[id as usize] = Some(session);
                id
            }
            None => {
                self.slab.push(Some(session));
                (self.slab.len() - 1) as u32
            }
        };
        self.by_conn.insert(conn, id);
        id
    }

    /// Forgets a session if it is over.
    pub(super) fn sweep(&mut self, id: u32) {
        let Some(place) = self.slab.get_mut(id as usize) else { return };
        if let Some(session) = place.take_if(|session| session.server.is_over()) {
            self.by_conn.remove(&session.server.conn());
            self.brought.remove(&session.server.conn());
            self.free.push(id);
        }
    }
}
