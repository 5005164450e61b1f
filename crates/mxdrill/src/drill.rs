//! Playing what was built in code, or read from a file.

use mxdrill_ledger::Outcome;

use crate::{
    Drill, RunError, World, run,
    scenario::{Mistakes, Scenario},
};

/// Why a drill that was built in code could not be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// What was built is no scenario.
    #[error("{}", shown(.0))]
    Mistakes(#[from] Mistakes),
    /// It could not be played.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The mistakes, each at its place in the text.
fn shown(mistakes: &Mistakes) -> String {
    let mut text = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    match handler.render_report(&mut text, mistakes) {
        Ok(()) => text,
        Err(_) => mistakes.to_string(),
    }
}

impl Drill {
    /// Plays it, in a thread of control of its own: inside and outside of an async runtime.
    ///
    /// # Panics
    /// At the caller's line, when it is no scenario or cannot be played; see [`Drill::try_play`].
    #[track_caller]
    pub fn play(&self, world: World) -> Outcome {
        match self.try_play(&world) {
            Ok(outcome) => outcome,
            Err(why) => panic!("the drill cannot be played\n{why}"),
        }
    }

    /// Plays it.
    ///
    /// # Errors
    /// When it is no scenario, makes no sense in this world, or the world cannot be built.
    pub fn try_play(&self, world: &World) -> Result<Outcome, PlayError> {
        Ok(self.scenario()?.play(world)?)
    }
}

impl Scenario {
    /// Plays it: [`run`].
    ///
    /// # Errors
    /// When it makes no sense in this world, or the world cannot be built.
    pub fn play(&self, world: &World) -> Result<Outcome, RunError> {
        run(self, world)
    }
}
