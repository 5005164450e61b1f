//! The wall table of ARCHITECTURE.md, held against `cargo metadata`.

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What a crate may know: rooms of ours, and others' crates that it must not know.
struct Wall {
    room: &'static str,
    knows: &'static [&'static str],
    never: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    Wall { room: "mxdrill-net", knows: &[], never: &["hickory-proto", "lettre", "rustls", "smtp-proto"] },
    Wall { room: "mxdrill-dns", knows: &["mxdrill-net"], never: &["lettre", "rustls", "smtp-proto"] },
    Wall { room: "mxdrill-smtp", knows: &["mxdrill-net"], never: &["tokio", "hickory-proto", "lettre"] },
    Wall {
        room: "mxdrill-mta",
        knows: &["mxdrill-net", "mxdrill-dns", "mxdrill-smtp"],
        never: &["tokio", "lettre", "hickory-proto"],
    },
    Wall {
        room: "mxdrill-ledger",
        knows: &["mxdrill-net", "mxdrill-dns", "mxdrill-smtp", "mxdrill-mta"],
        never: &["tokio", "lettre", "hickory-proto", "clap"],
    },
    Wall {
        room: "mxdrill-netns",
        knows: &["mxdrill-net"],
        never: &["lettre", "hickory-proto", "rustls", "smtp-proto", "clap"],
    },
    Wall {
        room: "mxdrill",
        knows: &[
            "mxdrill-net",
            "mxdrill-dns",
            "mxdrill-smtp",
            "mxdrill-mta",
            "mxdrill-ledger",
            "mxdrill-netns",
        ],
        never: &["clap", "indicatif"],
    },
    Wall { room: "mxdrill-cli", knows: &["mxdrill"], never: &["tokio", "lettre", "hickory-proto"] },
];

/// Every dependency that goes through a wall.
pub(super) fn breaches(root: &Path) -> Vec<String> {
    let metadata = match MetadataCommand::new().current_dir(root).no_deps().exec() {
        Ok(metadata) => metadata,
        Err(why) => return vec![format!("cargo metadata failed: {why}")],
    };
    metadata.packages.iter().flat_map(breaches_of).collect()
}

fn breaches_of(package: &Package) -> Vec<String> {
    let Some(wall) = WALLS.iter().find(|wall| wall.room == package.name.as_str()) else {
        return unknown(package);
    };
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .filter(|dependency| !wall.allows(&dependency.name))
        .map(|dependency| {
            format!("{} must not know {}: see the wall table in ARCHITECTURE.md", wall.room, dependency.name)
        })
        .collect()
}

impl Wall {
    fn allows(&self, name: &str) -> bool {
        let ours = name == "mxdrill" || name.starts_with("mxdrill-");
        if ours { self.knows.contains(&name) } else { !self.never.contains(&name) }
    }
}

fn unknown(package: &Package) -> Vec<String> {
    match package.name.as_str() {
        "mxdrill-tests" | "xtask" => Vec::new(), // they look at every room from outside
        name => vec![format!("{name} has no row in the wall table: add one in xtask/src/tidy/walls.rs")],
    }
}
