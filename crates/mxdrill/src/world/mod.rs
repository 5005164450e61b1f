//! Where a drill is played.

pub(crate) mod live;
#[cfg(target_os = "linux")]
pub(crate) mod netns;
pub(crate) mod sim;

use std::{path::PathBuf, sync::Arc};

use mxdrill_smtp::tls::Kind;

use crate::{
    scenario::WorldKind,
    wrap::{MakeWrap, Wrap},
};

/// Where a drill is played, from which seed, and how.
///
/// ```
/// use mxdrill::World;
///
/// let world = World::live().seed(7);
/// assert_eq!(world.kind().word(), "live");
/// ```
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) kind: WorldKind,
    pub(crate) seed: Option<u64>,
    pub(crate) speed: Option<u32>,
    pub(crate) spool: Option<PathBuf>,
    pub(crate) port: Option<u16>,
    pub(crate) wraps: Vec<(String, MakeWrap)>,
    /// Whether it is not asked what would have been.
    pub(crate) alone: bool,
    /// Netns: the program that plays a drill in a process of its own.
    pub(crate) binary: Option<PathBuf>,
    /// Netns: mail servers retry as they do out of the box, and time is the scenario's.
    pub(crate) defaults: bool,
}

impl World {
    /// Virtual time and network, from this seed.
    pub fn sim(seed: u64) -> World {
        World::of(WorldKind::Sim).seed(seed)
    }

    /// Real sockets on loopback.
    pub fn live() -> World {
        World::of(WorldKind::Live)
    }

    /// A world of that kind, from the scenario's own seed.
    pub fn of(kind: WorldKind) -> World {
        let (seed, speed, spool, port, wraps) = (None, None, None, None, Vec::new());
        World { kind, seed, speed, spool, port, wraps, alone: false, binary: None, defaults: false }
    }

    /// A private network with real mail servers as hosts, on Linux. `binary` is the `mxdrill` program, which is run
    /// for each drill: the network is that of a process of its own, and vanishes with it.
    pub fn netns(binary: impl Into<PathBuf>) -> World {
        World { binary: Some(binary.into()), ..World::of(WorldKind::Netns) }
    }

    /// Netns: mail servers retry as they do out of the box, and the drill takes as long as the scenario says, instead
    /// of both being hurried.
    #[must_use]
    pub fn defaults(self) -> World {
        World { defaults: true, ..self }
    }

    /// Another seed than the scenario's.
    #[must_use]
    pub fn seed(self, seed: u64) -> World {
        World { seed: Some(seed), ..self }
    }

    /// In `sim`, only the drill is played, and not what it would have come to without its backup or with a flush:
    /// for those who play very many.
    #[must_use]
    pub fn alone(self) -> World {
        World { alone: true, ..self }
    }

    /// Live: so many virtual seconds a real second, and no leaps over quiet time.
    #[must_use]
    pub fn speed(self, speed: u32) -> World {
        World { speed: Some(speed), ..self }
    }

    /// Live: spools lie in this folder and stay there; what a former world left in them is taken up again.
    #[must_use]
    pub fn spool(self, folder: impl Into<PathBuf>) -> World {
        World { spool: Some(folder.into()), ..self }
    }

    /// Live: the port that stands for 25, instead of a free one.
    #[must_use]
    pub fn port(self, port: u16) -> World {
        World { port: Some(port), ..self }
    }

    /// Puts a wrapper around the process of a mail host: for testing the tests, by nodes broken on purpose.
    #[must_use]
    pub fn wrap<W: Wrap + 'static>(
        mut self,
        host: &str,
        make: impl Fn() -> W + Send + Sync + 'static,
    ) -> World {
        self.wraps.push((host.into(), MakeWrap(Arc::new(move || Box::new(make())))));
        self
    }

    /// The TLS of such a world: real where sockets are.
    pub(crate) fn tls(&self) -> Kind {
        if self.kind == WorldKind::Sim { Kind::Record } else { Kind::Real }
    }

    /// What kind of world it is.
    pub fn kind(&self) -> WorldKind {
        self.kind
    }
}
