//! A bar that says how far exploring has come, and how fast; only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal;

/// The bar.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar for so many drills; without a number, for as many as there will be.
    pub(super) fn of(drills: Option<u64>) -> Bar {
        let target =
            if terminal::is_watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let template = match drills {
            Some(_) => "{wide_bar} {pos}/{len} drills  {per_sec}  {msg}",
            None => "{pos} drills in {elapsed}  {per_sec}  {msg}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is sound");
        Bar(ProgressBar::with_draw_target(drills, target).with_style(style))
    }

    /// So many drills were played, and so many of them failed.
    pub(super) fn played(&self, drills: u64, failed: u64) {
        self.0.set_position(drills);
        if failed > 0 {
            self.0.set_message(format!("{failed} failed"));
        }
    }

    /// What was found is shrunk now.
    pub(super) fn shrinking(&self) {
        self.0.set_message("shrinking what was found");
        self.0.tick();
    }

    /// The bar goes away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
