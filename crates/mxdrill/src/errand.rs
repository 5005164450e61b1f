//! A message on its way to those of its recipients that have no final answer yet, from host to host: what a
//! sender without a queue remembers.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use mxdrill_ledger::{Deed, Taken};
use mxdrill_net::DomainName;
use mxdrill_smtp::{Letter, Recipient, Reply, ReversePath, Severity};

use crate::mail::Parcel;

/// A message and the hosts that may be tried for it. A submission has one host, an application a route.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    parcel: Parcel,
    picks: Vec<Pick>,
    route: Arc<[SocketAddr]>,
    /// The host of the route that is tried now.
    at: usize,
}

/// A recipient without a final answer.
#[derive(Clone, Debug)]
struct Pick {
    recipient: usize,
    /// The last answer that was not final, and whose it was.
    refused: Option<(Arc<Reply>, IpAddr)>,
}

impl Pick {
    fn new(recipient: usize) -> Pick {
        Pick { recipient, refused: None }
    }

    /// What stands when no host is left.
    fn last_word(self) -> (Taken, Option<IpAddr>) {
        match self.refused {
            Some((reply, by)) => (Taken::Rejected(reply), Some(by)),
            None => (Taken::Unreached, None),
        }
    }
}

impl Errand {
    /// A message for all its recipients, by way of `route`.
    pub(crate) fn new(parcel: Parcel, route: Arc<[SocketAddr]>) -> Errand {
        let picks = (0..parcel.recipients()).map(Pick::new).collect();
        Errand { parcel, picks, route, at: 0 }
    }

    /// A message for the recipients of each domain apart, without a route yet.
    pub(crate) fn by_domain(parcel: &Parcel) -> Vec<Errand> {
        let mut errands: Vec<Errand> = Vec::new();
        for recipient in 0..parcel.recipients() {
            let domain = parcel.recipient(recipient).address.domain();
            let pick = Pick::new(recipient);
            match errands.iter_mut().find(|errand| errand.domain() == domain) {
                Some(errand) => errand.picks.push(pick),
                None => {
                    let (parcel, picks) = (parcel.clone(), vec![pick]);
                    errands.push(Errand { parcel, picks, route: Arc::default(), at: 0 });
                }
            }
        }
        errands
    }

    /// Sets out along a route.
    pub(crate) fn along(self, route: Arc<[SocketAddr]>) -> Errand {
        Errand { route, at: 0, ..self }
    }

    /// The message.
    pub(crate) fn parcel(&self) -> &Parcel {
        &self.parcel
    }

    /// The domain of its recipients; of the first, where there are several.
    pub(crate) fn domain(&self) -> &DomainName {
        self.recipient(0).address.domain()
    }

    /// Its recipients, as the message numbers them.
    pub(crate) fn picks(&self) -> Vec<usize> {
        self.picks.iter().map(|pick| pick.recipient).collect()
    }

    /// The host to be tried now.
    pub(crate) fn to(&self) -> Option<SocketAddr> {
        self.route.get(self.at).copied()
    }

    /// The host that was tried has answered for each recipient in turn. Tells what is final, and says whether
    /// another host is to be tried for the others: 4xx and failures are no last word while there is one
    /// (RFC 5321 5.1), 5xx is (4.2.1), and after the final dot the host may have the message (RFC 1047).
    pub(crate) fn answered(
        &mut self,
        taken: impl IntoIterator<Item = Taken>,
        mut tell: impl FnMut(Deed),
    ) -> bool {
        let Some(by) = self.to().map(|to| to.ip()) else { return self.abandon(tell) };
        self.at += 1;
        for (mut pick, taken) in std::mem::take(&mut self.picks).into_iter().zip(taken) {
            match taken {
                Taken::Unreached => self.picks.push(pick),
                Taken::Rejected(reply) if reply.severity() != Severity::Permanent => {
                    pick.refused = Some((reply, by));
                    self.picks.push(pick);
                }
                last => tell(self.parcel.sent(pick.recipient, last, Some(by))),
            }
        }
        match self.to() {
            Some(_) => !self.picks.is_empty(),
            None => self.abandon(tell),
        }
    }

    /// The host that was tried has answered the same for all.
    pub(crate) fn answered_all(&mut self, taken: &Taken, tell: impl FnMut(Deed)) -> bool {
        self.answered(vec![taken.clone(); self.picks.len()], tell)
    }

    /// No host is left.
    fn abandon(&mut self, mut tell: impl FnMut(Deed)) -> bool {
        for pick in std::mem::take(&mut self.picks) {
            let recipient = pick.recipient;
            let (taken, by) = pick.last_word();
            tell(self.parcel.sent(recipient, taken, by));
        }
        false
    }
}

impl Letter for Errand {
    fn reverse_path(&self) -> &ReversePath {
        self.parcel.reverse_path()
    }

    fn recipients(&self) -> usize {
        self.picks.len()
    }

    fn recipient(&self, index: usize) -> &Recipient {
        self.parcel.recipient(self.picks[index].recipient)
    }

    fn header(&self) -> &Bytes {
        self.parcel.header()
    }

    fn body(&self) -> &Bytes {
        self.parcel.body()
    }

    fn eight_bit(&self) -> bool {
        self.parcel.eight_bit()
    }

    fn utf8(&self) -> bool {
        self.parcel.utf8()
    }
}
