//! The arguments, as they are typed.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use mxdrill::scenario::{Place, Program};
use mxdrill::{
    Span,
    explore::{Family, Share, ShareError},
};

/// Drills for backup MX: plays an outage as a script and proves from its own books that no mail was lost.
#[derive(Debug, Parser)]
#[command(name = "mxdrill", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What is to be done.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all drills passed, 1 a drill failed, 2 a mistake in the arguments or a scenario,
3 a drill proves nothing or could not be played, 4 no scenario matched or all were skipped";

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play scenarios
    Run(Run),
    /// Look for outages that nobody wrote down: draw thousands, play them in virtual time, shrink what fails
    Explore(Explore),
    /// Join what the shares of an exploration reported
    Merge(Merge),
    /// List scenarios, with their titles
    List(List),
    /// Play scenarios with each real mail server as backup and as sender, and show them in one table
    Regress(Regress),
    /// Say what each profile does: schedule, lifetime, last attempt, verdicts
    Profiles(Profiles),
    /// Play one scenario over many profiles, and print what each comes to
    Compare(Compare),
    /// Print the JSON Schema of scenario files
    Schema,
    /// Say what this machine has and lacks for private networks with real mail servers
    Doctor,
    /// Play a drill as the first process of a private network: mxdrill runs itself so
    #[command(hide = true)]
    NetnsDrill,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Play scenarios.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Scenario files, folders of them, or names from the built-in catalogue (`mxdrill list`)
    #[arg(required = true, value_name = "PATH|NAME")]
    pub(crate) scenarios: Vec<String>,
    /// Where to play: virtual time (sim), loopback sockets (live), private networks (netns)
    #[arg(long, value_name = "WORLD", value_delimiter = ',', default_value = "sim")]
    pub(crate) world: Vec<World>,
    /// Play on your own zone and hosts
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// Play as if this host had never been published
    #[arg(long, value_name = "HOST")]
    pub(crate) without: Option<String>,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Virtual seconds per real second, instead of leaps over quiet time (live)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) speed: Option<u32>,
    /// Keep the spools of the hosts in this folder, and take up what it holds (live)
    #[arg(long, value_name = "DIR")]
    pub(crate) spool: Option<PathBuf>,
    /// Let mail servers retry as they do out of the box, and time pass as the scenario says (netns)
    #[arg(long)]
    pub(crate) defaults: bool,
    /// Drills played at the same time [default: one per processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write the journal of the one drill that is played; as JSON lines if the name ends in .jsonl
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
}

/// Play scenarios with each real mail server.
#[derive(Args, Debug)]
pub(crate) struct Regress {
    /// Files, folders or names; those that tell mail servers apart if none is given
    #[arg(value_name = "PATH|NAME")]
    pub(crate) scenarios: Vec<String>,
    /// Which servers [default: all]
    #[arg(long, value_name = "MTA", value_delimiter = ',')]
    mta: Vec<Server>,
    /// In which roles [default: both]
    #[arg(long = "as", value_name = "ROLE", value_delimiter = ',')]
    role: Vec<Role>,
    /// How to report
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
    /// Say what changed since this table, which is one of --format json; a row that is worse is a failure
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Let mail servers retry as they do out of the box, and time pass as the scenarios say
    #[arg(long)]
    pub(crate) defaults: bool,
    /// Drills played at the same time [default: one per processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
}

impl Regress {
    /// The roles asked for.
    pub(crate) fn roles(&self) -> Vec<Role> {
        if self.role.is_empty() { vec![Role::Backup, Role::Sender] } else { self.role.clone() }
    }

    /// The servers asked for.
    pub(crate) fn servers(&self) -> Vec<Server> {
        if self.mta.is_empty() { Server::value_variants().to_vec() } else { self.mta.clone() }
    }
}

/// A real mail server, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    Postfix,
    Exim,
    #[value(name = "opensmtpd")]
    OpenSmtpd,
}

impl From<Server> for Program {
    fn from(server: Server) -> Program {
        match server {
            Server::Postfix => Program::Postfix,
            Server::Exim => Program::Exim,
            Server::OpenSmtpd => Program::OpenSmtpd,
        }
    }
}

/// The role of a mail server in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// The first host after the primary
    Backup,
    /// The host that originates mail
    Sender,
}

impl Role {
    /// The place of the role in a scenario.
    pub(crate) fn place(self) -> Place {
        match self {
            Role::Backup => Place::Backup(1),
            Role::Sender => Place::Sender,
        }
    }

    /// The word of reports.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Backup => "backup",
            Role::Sender => "sender",
        }
    }
}

/// How the table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// A table for a page
    Markdown,
}

/// List scenarios.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// Files, folders or names; the built-in catalogue if none is given
    #[arg(value_name = "PATH|NAME")]
    pub(crate) scenarios: Vec<String>,
}

/// Say what each profile does.
#[derive(Args, Debug)]
pub(crate) struct Profiles {
    /// How to print
    #[arg(long, value_enum, default_value_t = Table::Text)]
    pub(crate) format: Table,
}

/// Play one scenario over many profiles.
#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// A scenario file, or a name from the built-in catalogue
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: String,
    /// Profiles of the sender, `all` or separated by commas [default: as the scenario says]
    #[arg(long, value_name = "LIST")]
    pub(crate) sender: Option<String>,
    /// Profiles of the hosts that relay, `all` or separated by commas [default: as the scenario says]
    #[arg(long, value_name = "LIST")]
    pub(crate) backup: Option<String>,
    /// Profiles of the best MX, `all` or separated by commas [default: as the scenario says]
    #[arg(long, value_name = "LIST")]
    pub(crate) primary: Option<String>,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Drills played at the same time [default: one per processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Table::Text)]
    pub(crate) format: Table,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// Columns, for people
    Text,
    /// One JSON document
    Json,
    /// A table of Markdown
    Markdown,
}

/// Explore a scenario.
#[derive(Args, Debug)]
pub(crate) struct Explore {
    /// A scenario file, or a name from the built-in catalogue: its hosts and zone are what is explored
    #[arg(value_name = "PATH|NAME")]
    pub(crate) scenario: String,
    /// So many drills [default: 1000]
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub(crate) seeds: Option<u64>,
    /// As many drills as can be played in this time, such as 60s
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,
    /// Other outages
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only faults of these families: connect, 4xx, 5xx, drop, slow, crash, disk, limits, size, tls, link, dns
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true)]
    pub(crate) faults: Vec<Family>,
    /// Drills played at the same time [default: one per processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Go on after a finding, and count
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Write a scenario that fails by itself into this folder, for each kind of finding
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// Only share k of n; auto reads it from a Slurm array or an indexed job of Kubernetes
    #[arg(long, value_name = "K/N|auto", default_value = "1/1", value_parser = share)]
    pub(crate) partition: Share,
    /// How to report
    #[arg(long, value_enum, default_value_t = Lines::Text)]
    pub(crate) format: Lines,
}

/// Join shares.
#[derive(Args, Debug)]
pub(crate) struct Merge {
    /// The files with the lines of all shares (`explore --format jsonl`)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write a scenario that fails by itself into this folder, for each kind of finding
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
}

/// How an exploration is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lines {
    /// For people
    Text,
    /// A line of JSON for each result, for `mxdrill merge`
    Jsonl,
}

fn time(text: &str) -> Result<Duration, String> {
    text.parse::<Span>().map(|span| span.0).map_err(|why| why.to_string())
}

fn share(text: &str) -> Result<Share, ShareError> {
    match text {
        "auto" => Share::from_environment(|name| std::env::var(name).ok()),
        text => text.parse(),
    }
}

/// A world, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    Sim,
    Live,
    Netns,
}

/// How drills are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Each drill as a story, for people
    Text,
    /// One JSON document
    Json,
    /// JUnit XML
    Junit,
}
