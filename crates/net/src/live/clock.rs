//! The clock of a live world: real time while something moves, a leap where nothing does.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::flight::Beside;
use crate::Time;

/// The virtual clock of a live world, for services that stand beside its processes (the DNS server).
///
/// It stands still while no [`run_until`](crate::Driver::run_until) is under way: then nothing can happen.
/// While one is, it runs with real time and leaps over stretches in which nothing moves.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    foreign: AtomicUsize,
    interrupted: AtomicBool,
    driver: mio::Waker,
}

#[derive(Debug)]
struct State {
    base: Time,
    /// The real time at which it was `base`; `None` while the clock stands still.
    anchor: Option<Instant>,
    /// The end of the present run, which the clock does not pass.
    limit: Time,
    speed: u32,
    ended: bool,
    sleepers: BTreeMap<(Time, u64), Sleeper>,
    next_key: u64,
    /// Datagrams for outside services that nobody has taken up, by the real address that sent them.
    asked: BTreeMap<SocketAddr, u64>,
    /// Some service says when it takes up a request.
    is_exact: bool,
    busy: usize,
}

#[derive(Debug)]
struct Sleeper {
    waker: Waker,
    /// Sleeps over a request that its service has taken up.
    serves: bool,
}

impl State {
    fn now(&self) -> Time {
        match self.anchor {
            Some(anchor) => (self.base + (real_now() - anchor) * self.speed).min(self.limit),
            None => self.base,
        }
    }

    fn forget(&mut self, asker: SocketAddr) {
        match self.asked.get_mut(&asker) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.asked.remove(&asker)),
        }
    }
}

/// The one place where a live world reads real time.
#[expect(clippy::disallowed_methods, reason = "the base of the world's own clock")]
pub(super) fn real_now() -> Instant {
    Instant::now()
}

impl Clock {
    /// A clock that stands still at zero; `driver` is woken when a sleeper or a foreign peer comes or goes.
    pub(super) fn new(driver: mio::Waker, speed: u32) -> Clock {
        let state = State {
            base: Time::ZERO,
            anchor: None,
            limit: Time::MAX,
            speed,
            ended: false,
            sleepers: BTreeMap::new(),
            next_key: 0,
            asked: BTreeMap::new(),
            is_exact: false,
            busy: 0,
        };
        Clock(Arc::new(Shared {
            state: Mutex::new(state),
            foreign: AtomicUsize::new(0),
            interrupted: AtomicBool::new(false),
            driver,
        }))
    }

    /// The present virtual time.
    pub fn now(&self) -> Time {
        self.state().now()
    }

    /// Waits until `at`. The world leaps to it like to any deadline of a process, so a sleep of days takes
    /// no real time where nothing else happens. Also returns when the world ends.
    pub fn sleep_until(&self, at: Time) -> Sleep {
        Sleep { clock: self.clone(), at, serves: false, key: None }
    }

    /// Waits for `lasting` from now.
    pub fn sleep(&self, lasting: Duration) -> Sleep {
        self.sleep_until(self.now() + lasting)
    }

    /// Says that a service has taken up a request that came by datagram from this real address, and is busy
    /// with it as long as the guard is held (see [`Serving`]).
    pub fn serve(&self, from: SocketAddr) -> Serving {
        let mut state = self.state();
        state.is_exact = true;
        state.busy += 1;
        state.forget(from);
        drop(state);
        Serving(self.clone())
    }

    /// A datagram for an outside service has left this real address.
    pub(super) fn asked(&self, from: SocketAddr) {
        *self.state().asked.entry(from).or_default() += 1;
    }

    /// That datagram could not be sent after all.
    pub(super) fn unasked(&self, from: SocketAddr) {
        self.state().forget(from);
    }

    /// A datagram of an outside service has come to this real address.
    pub(super) fn answered(&self, at: SocketAddr) {
        let mut state = self.state();
        if !state.is_exact {
            state.forget(at);
        }
    }

    /// Nobody will take up what was asked so far.
    pub(super) fn give_up(&self) {
        self.state().asked.clear();
    }

    /// Says that a foreign peer is at work, whose doings the world cannot see (see [`Foreign`]).
    pub fn foreign(&self) -> Foreign {
        self.0.foreign.fetch_add(1, Ordering::Relaxed);
        self.wake_driver();
        Foreign(self.clone())
    }

    /// Asks the present run, or else the next one, to come back with [`Stop::Asked`](crate::Stop::Asked): for
    /// who wants to act on a world that another thread runs.
    pub fn interrupt(&self) {
        self.0.interrupted.store(true, Ordering::Relaxed);
        self.wake_driver();
    }

    /// Whether somebody has asked to come back; asked once, answered once.
    pub(super) fn is_interrupted(&self) -> bool {
        self.0.interrupted.load(Ordering::Relaxed) && self.0.interrupted.swap(false, Ordering::Relaxed)
    }

    /// How much real time it is until a virtual time.
    pub(super) fn real(&self, at: Time) -> Duration {
        let state = self.state();
        at.since(state.now()) / state.speed.max(1)
    }

    /// What is going on beside the processes.
    pub(super) fn beside(&self) -> Beside {
        let state = self.state();
        Beside {
            foreigners: self.0.foreign.load(Ordering::Relaxed),
            busy: state.busy,
            waiting: state.asked.values().sum(),
            is_exact: state.is_exact,
        }
    }

    /// Starts the clock, until `limit`.
    pub(super) fn run(&self, limit: Time) {
        let mut state = self.state();
        state.limit = limit.max(state.base);
        state.anchor = Some(real_now());
    }

    /// Stops the clock where it is.
    pub(super) fn freeze(&self) {
        let mut state = self.state();
        state.base = state.now();
        state.anchor = None;
        state.limit = Time::MAX;
    }

    /// Moves the clock on to `at`, if that is later than now.
    pub(super) fn leap(&self, at: Time) {
        let mut state = self.state();
        state.base = state.now().max(at.min(state.limit));
        if state.anchor.is_some() {
            state.anchor = Some(real_now());
        }
    }

    /// When the first sleeper wants to be woken.
    pub(super) fn next_sleeper(&self) -> Option<Time> {
        self.state().sleepers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Wakes the sleepers whose time has come, and says whether any of them does not say when it is done.
    pub(super) fn wake_sleepers(&self) -> bool {
        let mut state = self.state();
        let now = state.now();
        if state.sleepers.first_key_value().is_none_or(|((at, _), _)| *at > now) {
            return false;
        }
        let later = state.sleepers.split_off(&(now + Duration::from_nanos(1), 0));
        let due = std::mem::replace(&mut state.sleepers, later);
        state.busy += due.values().filter(|sleeper| sleeper.serves).count();
        drop(state);
        let stirs = due.values().any(|sleeper| !sleeper.serves);
        due.into_values().for_each(|sleeper| sleeper.waker.wake());
        stirs
    }

    /// Ends all sleep, now and for ever: the world is gone.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        let all = std::mem::take(&mut state.sleepers);
        drop(state);
        all.into_values().for_each(|sleeper| sleeper.waker.wake());
    }

    /// Wakes the driver where it waits for the kernel.
    pub(super) fn wake_driver(&self) {
        if let Err(error) = self.0.driver.wake() {
            tracing::warn!(%error, "the world could not be woken");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waiting for a virtual time: what [`Clock::sleep_until`] returns.
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    clock: Clock,
    at: Time,
    serves: bool,
    key: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.clock.state();
        if state.ended || state.now() >= this.at {
            return Poll::Ready(());
        }
        let first = state.sleepers.first_key_value().is_none_or(|((at, _), _)| this.at < *at);
        let is_new = this.key.is_none();
        let key = *this.key.get_or_insert_with(|| {
            state.next_key += 1;
            state.next_key
        });
        let sleeper = Sleeper { waker: context.waker().clone(), serves: this.serves };
        state.sleepers.insert((this.at, key), sleeper);
        if is_new && this.serves {
            state.busy -= 1; // until it is woken
        }
        drop(state);
        if first || this.serves {
            this.clock.wake_driver();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = self.clock.state();
        if state.sleepers.remove(&(self.at, key)).is_some() && self.serves {
            state.busy += 1; // given up, not woken
        }
    }
}

/// Held by a service while it works on a request that a host of the world sent it by datagram.
///
/// A service that says so spares the world from guessing: time neither waits for an answer that never comes,
/// nor leaps over one that is late because the computer is busy. The guard is dropped once the answer is sent,
/// or it is certain that there will be none.
#[derive(Debug)]
#[must_use = "the service is busy only while this is held"]
pub struct Serving(Clock);

impl Serving {
    /// Waits until `at` before going on; meanwhile the service is not busy, and time may leap.
    pub fn sleep_until(&self, at: Time) -> impl Future<Output = ()> + Send + use<'_> {
        Sleep { clock: self.0.clone(), at, serves: true, key: None }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
        drop(state);
        self.0.wake_driver();
    }
}

/// Held while a foreign peer is at work: a program or library whose sockets are not the world's own, such as
/// an application that submits mail. What it does between two movements cannot be seen, so while a guard is
/// held the world calls itself quiet only after 20 ms of real time without movement.
#[derive(Debug)]
#[must_use = "the guard counts only while it is held"]
pub struct Foreign(Clock);

impl Drop for Foreign {
    fn drop(&mut self) {
        self.0.0.foreign.fetch_sub(1, Ordering::Relaxed);
        self.0.wake_driver();
    }
}
