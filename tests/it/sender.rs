//! A foreign sender that is as simple as can be: sockets of its own, one command at a time.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
};

/// A session with a mail host.
pub(crate) struct Session {
    replies: BufReader<TcpStream>,
}

impl Session {
    /// Connects, is greeted, and says EHLO.
    #[expect(clippy::disallowed_methods, reason = "a foreign sender has sockets of its own")]
    pub(crate) fn open(to: SocketAddr) -> io::Result<Session> {
        let mut session = Session { replies: BufReader::new(TcpStream::connect(to)?) };
        session.reply()?;
        session.say("EHLO app.example")?;
        Ok(session)
    }

    /// Sends a message to user@example.test; whether it was acknowledged.
    pub(crate) fn send(&mut self, id: &str) -> io::Result<bool> {
        self.say("MAIL FROM:<alice@sender.test>")?;
        self.say("RCPT TO:<user@example.test>")?;
        self.say("DATA")?;
        let reply = self.say(&format!("Message-ID: <{id}>\r\nSubject: {id}\r\n\r\nHello, {id}.\r\n."))?;
        Ok(reply.starts_with("250"))
    }

    fn say(&mut self, text: &str) -> io::Result<String> {
        self.replies.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
        self.reply()
    }

    /// The last line of a reply.
    fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.replies.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return Ok(line);
            }
        }
    }
}
