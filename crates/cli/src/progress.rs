//! A line that says how far a run has come, for people who wait longer than half a second.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal;

/// Nobody needs to be told sooner.
const PATIENCE: Duration = Duration::from_millis(500);

/// The line.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Shows the line when its time has come; dropping the sender ends it.
    curtain: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// A line for so many drills; it appears only if somebody watches, and waits.
    pub(crate) fn of(drills: usize) -> Progress {
        let style = ProgressStyle::with_template("{pos}/{len} drills  {msg}").expect("the template is sound");
        let bar = ProgressBar::with_draw_target(Some(drills as u64), ProgressDrawTarget::hidden());
        let bar = bar.with_style(style);
        let curtain = terminal::is_watched().then(|| {
            let (end, wait) = channel();
            let shown = bar.clone();
            (end, std::thread::spawn(move || rise(&shown, &wait)))
        });
        Progress { bar, curtain }
    }

    /// One more drill is through.
    pub(crate) fn done(&self, name: &str) {
        self.bar.set_message(name.to_owned());
        self.bar.inc(1);
    }

    /// The line goes away.
    pub(crate) fn end(self) {
        if let Some((end, thread)) = self.curtain {
            drop(end);
            let _ = thread.join(); // it only draws
        }
        self.bar.finish_and_clear();
    }
}

fn rise(bar: &ProgressBar, wait: &Receiver<()>) {
    if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.tick();
    }
}
