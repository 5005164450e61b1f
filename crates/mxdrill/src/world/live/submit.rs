//! The application of a live world: it sends mail with lettre, to the host that a send names or to those that it
//! finds.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc::Sender,
    },
    task::Poll,
};

use mxdrill_ledger::{Deed, Taken};
use mxdrill_net::{
    HostId, Time,
    live::{Clock, Dialer, Foreign},
};
use tokio::runtime::Handle;

use super::{finder::Finder, session::Session};
use crate::{
    errand::Errand,
    mail::{Batch, Parcel, Press},
    play::Beside,
};

/// Sessions at once for one send.
pub(super) const LANES_MAX: u32 = 20;
/// The same into a real mail server, which may keep a short queue of connections to be accepted (OpenSMTPD: 5).
pub(super) const LANES_REAL: u32 = 4;

/// Where mail goes.
#[derive(Clone)]
pub(super) enum Way {
    /// To the host at this real address, over sessions that are used again.
    To(Arc<[SocketAddr]>),
    /// To the hosts that are found for each message, with a session for each.
    Find(Arc<Finder>),
}

/// Where mail is sent, and who is told.
#[derive(Clone)]
pub(super) struct Submit {
    pub(super) clock: Clock,
    pub(super) dialer: Dialer,
    /// The real address of the sender.
    pub(super) from: IpAddr,
    pub(super) way: Way,
    /// The scenario's addresses by the real ones.
    pub(super) names: Arc<BTreeMap<IpAddr, IpAddr>>,
    pub(super) sender: HostId,
    /// Sessions at once.
    pub(super) lanes: u32,
    pub(super) deeds: Sender<Beside>,
}

impl Submit {
    /// Submits a batch, each message at its time, over a few sessions side by side.
    pub(super) fn start(&self, handle: &Handle, batch: Arc<Batch>) {
        let next = Arc::new(AtomicU32::new(0));
        for _ in 0..self.lanes.min(batch.count()) {
            // held from here on: the world may not leap over the time until the task first runs
            let at_work = self.clock.foreign();
            handle.spawn(self.clone().lane(at_work, batch.clone(), next.clone()));
        }
    }

    /// What happens between lettre's reads and writes cannot be seen by the world: `at_work` tells it that there
    /// is something.
    async fn lane(self, mut at_work: Foreign, batch: Arc<Batch>, next: Arc<AtomicU32>) {
        let (mut session, mut press) = (None, Press::new(batch.clone()));
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= batch.count() {
                break;
            }
            if batch.due(index) > self.clock.now() {
                close(session.take()).await;
                at_work = self.rest(at_work, batch.due(index)).await;
            }
            self.send(&mut session, press.parcel(index)).await;
        }
        close(session).await;
    }

    /// Sleeps until `at`. The guard is let go only when the world knows of the sleep.
    async fn rest(&self, at_work: Foreign, at: Time) -> Foreign {
        let mut sleep = pin!(self.clock.sleep_until(at));
        if poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context).is_pending())).await {
            drop(at_work);
            sleep.await;
            return self.clock.foreign();
        }
        at_work
    }

    async fn send(&self, session: &mut Option<Session>, parcel: Parcel) {
        self.tell(parcel.sending());
        match &self.way {
            Way::To(route) => {
                self.attempt(session, &mut Errand::new(parcel, route.clone())).await;
            }
            Way::Find(finder) => {
                for errand in Errand::by_domain(&parcel) {
                    self.deliver(finder, errand).await;
                }
            }
        }
    }

    /// Tries the hosts of a route in order.
    async fn deliver(&self, finder: &Finder, errand: Errand) {
        let route = finder.route(errand.domain(), errand.parcel().number()).await;
        let mut errand = errand.along(route);
        loop {
            let mut session = None;
            let goes_on = self.attempt(&mut session, &mut errand).await;
            close(session).await;
            if !goes_on {
                return;
            }
        }
    }

    /// Tries the host that is next, and says whether another is to be tried.
    async fn attempt(&self, session: &mut Option<Session>, errand: &mut Errand) -> bool {
        let Some(to) = errand.to() else {
            return errand.answered_all(&Taken::Unreached, |deed| self.tell(deed));
        };
        if session.as_ref().is_none_or(|session| !session.is_usable()) {
            match Session::open(&self.clock, &self.dialer, self.from, to).await {
                Ok(open) => *session = Some(open),
                Err(taken) => return errand.answered_all(&taken, |deed| self.tell(deed)),
            }
        }
        let Some(open) = session else { return false };
        let mut fates = open.deliver(errand.parcel(), &errand.picks()).await;
        fates.sort_by_key(|(recipient, _)| *recipient);
        errand.answered(fates.into_iter().map(|(_, taken)| taken), |deed| self.tell(deed))
    }

    fn tell(&self, mut deed: Deed) {
        if let Deed::Sent { by: Some(by), .. } = &mut deed {
            *by = self.names.get(by).copied().unwrap_or(*by);
        }
        let _ = self.deeds.send((self.clock.now(), self.sender, deed)); // a play that is over needs no news
    }
}

async fn close(session: Option<Session>) {
    if let Some(session) = session {
        session.quit().await;
    }
}
