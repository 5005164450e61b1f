//! The application of a live world: it submits mail with lettre to the host that a send names.

use std::{
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
    live::{Clock, Foreign},
};
use mxdrill_smtp::Letter;
use tokio::runtime::Handle;

use super::session::Session;
use crate::{
    mail::{Batch, Parcel},
    play::Beside,
};

/// Sessions at once for one send.
const LANES_MAX: u32 = 20;

/// Where mail is submitted, and who is told.
#[derive(Clone)]
pub(super) struct Submit {
    pub(super) clock: Clock,
    /// The real address of the originator.
    pub(super) from: IpAddr,
    /// The real address of the host that takes the mail.
    pub(super) to: SocketAddr,
    pub(super) originator: HostId,
    pub(super) deeds: Sender<Beside>,
}

impl Submit {
    /// Submits a batch, each message at its time, over a few sessions side by side.
    pub(super) fn start(&self, handle: &Handle, batch: Arc<Batch>) {
        let next = Arc::new(AtomicU32::new(0));
        for _ in 0..LANES_MAX.min(batch.count()) {
            // held from here on: the world may not leap over the time until the task first runs
            let at_work = self.clock.foreign();
            handle.spawn(self.clone().lane(at_work, batch.clone(), next.clone()));
        }
    }

    /// What happens between lettre's reads and writes cannot be seen by the world: `at_work` tells it that there
    /// is something.
    async fn lane(self, mut at_work: Foreign, batch: Arc<Batch>, next: Arc<AtomicU32>) {
        let mut session = None;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= batch.count() {
                break;
            }
            if batch.due(index) > self.clock.now() {
                close(session.take()).await;
                at_work = self.rest(at_work, batch.due(index)).await;
            }
            self.submit(&mut session, &Batch::parcel(&batch, index)).await;
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

    async fn submit(&self, session: &mut Option<Session>, parcel: &Parcel) {
        self.tell(parcel.sending());
        if session.as_ref().is_none_or(|session| !session.is_usable()) {
            match Session::open(&self.clock, self.from, self.to).await {
                Ok(open) => *session = Some(open),
                Err(taken) => return self.sent_all(parcel, &taken),
            }
        }
        let recipients: Vec<usize> = (0..parcel.recipients()).collect();
        let Some(open) = session else { return };
        for (recipient, taken) in open.deliver(parcel, &recipients).await {
            self.sent(parcel, recipient, taken);
        }
    }

    fn sent_all(&self, parcel: &Parcel, taken: &Taken) {
        (0..parcel.recipients()).for_each(|recipient| self.sent(parcel, recipient, taken.clone()));
    }

    fn sent(&self, parcel: &Parcel, recipient: usize, taken: Taken) {
        self.tell(parcel.sent(recipient, taken));
    }

    fn tell(&self, deed: Deed) {
        let _ = self.deeds.send((self.clock.now(), self.originator, deed)); // a play that is over needs no news
    }
}

async fn close(session: Option<Session>) {
    if let Some(session) = session {
        session.quit().await;
    }
}
