//! Our client and our server, end to end: what one sends is what the other takes.

use std::sync::Arc;

use bytes::Bytes;
use mxdrill_net::{Command, Commands, Conn, DomainName, Fact, Time};
use proptest::prelude::*;

use crate::*;

#[derive(Clone, Debug)]
pub(crate) struct Paper {
    pub(crate) from: ReversePath,
    pub(crate) to: Vec<Recipient>,
    pub(crate) header: Bytes,
    pub(crate) body: Bytes,
}

impl Letter for Paper {
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
        false
    }

    fn utf8(&self) -> bool {
        false
    }
}

/// Takes everyone whose name does not begin with `n`.
#[derive(Default)]
pub(crate) struct Desk {
    later: bool,
    pub(crate) taken: Vec<Received>,
}

impl Policy<Fact> for Desk {
    fn mail(&mut self, _: Time, _: &SessionView<'_>, _: &MailParameters, _: &mut Commands<Fact>) -> Verdict {
        Verdict::Accept
    }

    fn rcpt(
        &mut self,
        _: Time,
        _: &SessionView<'_>,
        recipient: &Recipient,
        _: &mut Commands<Fact>,
    ) -> Verdict {
        if recipient.address.local().starts_with('n') {
            return Reply::new(550, Enhanced(5, 1, 1), "No such user").into();
        }
        Verdict::Accept
    }

    fn dot(&mut self, _: Time, _: Conn, received: Received, _: &mut Commands<Fact>) -> Verdict {
        self.taken.push(received);
        if self.later { Verdict::Later } else { Verdict::Accept }
    }

    fn etrn(&mut self, _: Time, _: &DomainName, _: &mut Commands<Fact>) -> Reply {
        Reply::plain(250, "Ok")
    }

    fn turned_away(
        &mut self,
        _: Time,
        _: Stage,
        _: &SessionView<'_>,
        _: &Reply,
        _: Option<&[u8]>,
        _: &mut Commands<Fact>,
    ) {
    }
}

/// What was sent, octet by octet.
pub(crate) fn carried(out: &mut Commands<Fact>) -> Vec<u8> {
    let list = out.take();
    let mut text = Vec::new();
    for command in &list {
        match command {
            Command::Send(_, range) => text.extend(&out.text()[range.start as usize..range.end as usize]),
            Command::SendShared(_, bytes) => text.extend(bytes),
            _ => {}
        }
    }
    out.clear(list);
    text
}

/// Sends the letters over a way that cuts at every `cut` octets; the reports, and what was taken.
fn play(
    letters: &[Paper],
    config: ClientConfig,
    later: bool,
    cut: usize,
) -> (Vec<Report<Paper>>, Vec<Received>) {
    let (now, mut out, mut script) = (Time::ZERO, Commands::default(), Pass);
    let mut desk = Desk { later, ..Desk::default() };
    let peer = "192.0.2.9".parse().expect("an address");
    let hosting = Arc::new(ServerConfig::new("mx.test".parse().expect("a name")));
    let mut server = Server::open(now, Conn(1), peer, hosting, &mut desk, &mut script, &mut out);
    let mut to_client = carried(&mut out);
    let mut client = Client::open(now, Conn(2), Arc::new(config));
    let (mut letters, mut reports) = (letters.iter(), Vec::new());
    while !client.is_over() {
        for piece in to_client.chunks(cut) {
            client.bytes(now, piece, &mut out);
        }
        while client.is_ready() {
            match letters.next() {
                Some(letter) => client.send(now, letter.clone(), &mut out),
                None => client.quit(now, &mut out),
            }
        }
        while let Some(step) = client.poll() {
            match step {
                Step::Done(report) => reports.push(report),
                Step::Ready | Step::Closed => {}
                Step::Failed { .. } => panic!("{step:?}"),
            }
        }
        for piece in carried(&mut out).chunks(cut) {
            server.bytes(now, piece, &mut desk, &mut script, &mut out);
            server.resume(
                now,
                Reply::new(250, Enhanced(2, 0, 0), "Stored"),
                &mut desk,
                &mut script,
                &mut out,
            );
        }
        to_client = carried(&mut out);
    }
    (reports, desk.taken)
}

prop_compose! {
    fn papers()(
        to in prop::collection::vec("[yn][a-z]{0,3}", 1..4),
        null in any::<bool>(),
        lines in prop::collection::vec("[.a ]{0,3}", 0..6),
        ended in any::<bool>(),
    ) -> Paper {
        let mut body = lines.join("\r\n");
        if ended && !body.is_empty() {
            body.push_str("\r\n");
        }
        let address = |local: &String| Recipient::new(format!("{local}@d.test").parse().expect("an address"));
        Paper {
            from: ReversePath(if null { None } else { Some("a@b.test".parse().expect("an address")) }),
            to: to.iter().map(address).collect(),
            header: Bytes::from_static(b"Subject: x\r\n\r\n"),
            body: body.into(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_sent_is_taken(
        letters in prop::collection::vec(papers(), 0..5),
        pipelining in any::<bool>(),
        chunking in any::<bool>(),
        later in any::<bool>(),
        cut in 1_usize..200,
    ) {
        let config = ClientConfig { pipelining, chunking, ..ClientConfig::new("c.test".parse().expect("a name")) };
        let (reports, taken) = play(&letters, config, later, cut);
        let mut taken = taken.iter();
        prop_assert_eq!(reports.len(), letters.len());
        for report in &reports {
            let letter = &report.letter;
            let welcome: Vec<&Recipient> =
                letter.to.iter().filter(|one| !one.address.local().starts_with('n')).collect();
            for (recipient, outcome) in letter.to.iter().zip(&report.outcomes) {
                let wanted = welcome.contains(&recipient);
                prop_assert_eq!(matches!(outcome, Outcome::Acknowledged(_)), wanted);
                prop_assert_eq!(matches!(outcome, Outcome::Rejected { stage: Stage::Rcpt, .. }), !wanted);
            }
            if welcome.is_empty() {
                continue;
            }
            let received = taken.next().expect("it was taken");
            let mut content = [&letter.header[..], &letter.body[..]].concat();
            if !content.ends_with(b"\r\n") {
                content.extend(b"\r\n");
            }
            prop_assert_eq!(&received.content[..], &content[..]);
            prop_assert_eq!(&received.envelope.reverse_path, &letter.from);
            prop_assert_eq!(received.envelope.recipients.iter().collect::<Vec<_>>(), welcome);
        }
        prop_assert!(taken.next().is_none());
    }
}
