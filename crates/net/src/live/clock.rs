//! The clock of a live world: real time while something moves, a leap where nothing does.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

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
    sleepers: BTreeMap<(Time, u64), Waker>,
    next_key: u64,
}

impl State {
    fn now(&self) -> Time {
        match self.anchor {
            Some(anchor) => (self.base + (real_now() - anchor) * self.speed).min(self.limit),
            None => self.base,
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
        Sleep { clock: self.clone(), at, key: None }
    }

    /// Waits for `lasting` from now.
    pub fn sleep(&self, lasting: Duration) -> Sleep {
        self.sleep_until(self.now() + lasting)
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

    /// How many [`Foreign`] guards are held.
    pub(super) fn foreigners(&self) -> usize {
        self.0.foreign.load(Ordering::Relaxed)
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

    /// Wakes the sleepers whose time has come, and says how many.
    pub(super) fn wake_sleepers(&self) -> usize {
        let mut state = self.state();
        let now = state.now();
        let later = state.sleepers.split_off(&(now + Duration::from_nanos(1), 0));
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        let count = due.len();
        due.into_values().for_each(Waker::wake);
        count
    }

    /// Ends all sleep, now and for ever: the world is gone.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        let all = std::mem::take(&mut state.sleepers);
        drop(state);
        all.into_values().for_each(Waker::wake);
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
        let key = *this.key.get_or_insert_with(|| {
            state.next_key += 1;
            state.next_key
        });
        let first = state.sleepers.first_key_value().is_none_or(|((at, _), _)| this.at < *at);
        state.sleepers.insert((this.at, key), context.waker().clone());
        drop(state);
        if first {
            this.clock.wake_driver();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.state().sleepers.remove(&(self.at, key));
        }
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
