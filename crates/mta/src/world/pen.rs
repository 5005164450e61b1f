//! A client that submits mail to a node, one connection for each batch.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use mxdrill_net::{Commands, Conn, Event, Process, Time};
use mxdrill_smtp::{Address, Client, ClientConfig, Letter, Recipient, ReversePath, Step};

/// The pen: what it still has to send, by connection.
pub(crate) struct Pen {
    at: IpAddr,
    batches: Vec<Batch>,
    sent: usize,
}

struct Batch {
    conn: Conn,
    letters: Vec<Note>,
    client: Option<Client<Note>>,
}

/// A letter of the pen.
#[derive(Debug)]
pub(crate) struct Note {
    from: ReversePath,
    to: Vec<Recipient>,
    header: Bytes,
    body: Bytes,
    eight_bit: bool,
}

impl Letter for Note {
    fn reverse_path(&self) -> &ReversePath {
        &self.from
    }
    fn recipients(&self) -> usize {
        self.to.len()
    }
    fn recipient(&self, index: usize) -> &Recipient {
        &self.to[index]
    }
    fn header(&self) -> &Bytes {
        &self.header
    }
    fn body(&self) -> &Bytes {
        &self.body
    }
    fn eight_bit(&self) -> bool {
        self.eight_bit
    }
    fn utf8(&self) -> bool {
        false
    }
}

impl Pen {
    pub(crate) fn new(at: IpAddr) -> Pen {
        Pen { at, batches: Vec::new(), sent: 0 }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a batch")]
    pub(crate) fn send<F>(
        &mut self,
        _now: Time,
        count: usize,
        from: Option<Address>,
        to: Vec<Address>,
        host: IpAddr,
        eight_bit: bool,
        out: &mut Commands<F>,
    ) {
        let body = Bytes::from_static(if eight_bit { "H\u{e9}llo\r\n" } else { "Hello\r\n" }.as_bytes());
        let note = |number: usize| Note {
            from: ReversePath(from.clone()),
            to: to.iter().cloned().map(Recipient::new).collect(),
            header: format!("Message-ID: <{number}@pen.test>\r\nSubject: test\r\n\r\n").into(),
            body: body.clone(),
            eight_bit,
        };
        let letters = (0..count).map(|n| note(self.sent + count - n)).collect();
        self.sent += count;
        let conn = out.connect(self.at, SocketAddr::new(host, 25));
        self.batches.push(Batch { conn, letters, client: None });
    }
}

impl Batch {
    fn go<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let Some(client) = &mut self.client else { return };
        while let Some(step) = client.poll() {
            match step {
                Step::Ready | Step::Done(_) => match self.letters.pop() {
                    Some(note) => client.send(now, note, out),
                    None => client.quit(now, out),
                },
                Step::Closed => {}
                // the host crashed: what it did not acknowledge was never its affair
                Step::Failed { .. } => {}
            }
        }
    }
}

impl<F> Process<F> for Pen {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>) {
        match event {
            Event::Connected(conn) => {
                let config = Arc::new(ClientConfig::new(super::name("pen.test")));
                for batch in self.batches.iter_mut().filter(|batch| batch.conn == conn) {
                    batch.client = Some(Client::open(now, conn, config.clone()));
                }
            }
            Event::Bytes(conn, bytes) => {
                for batch in self.batches.iter_mut().filter(|batch| batch.conn == conn) {
                    if let Some(client) = &mut batch.client {
                        client.bytes(now, bytes, out);
                    }
                    batch.go(now, out);
                }
            }
            Event::Closed(conn, how) => {
                for batch in self.batches.iter_mut().filter(|batch| batch.conn == conn) {
                    if let Some(client) = &mut batch.client {
                        client.closed(how, out);
                    }
                    batch.go(now, out);
                }
            }
            _ => {}
        }
    }
}
