//! One scenario over many profiles: who fails over, who loses mail, who drains when.
//!
//! ```
//! use mxdrill::{compare::{compare, Lineup}, scenario::catalogue};
//!
//! let scenario = catalogue::named("outage-24h")[0].scenario().unwrap();
//! let lineup = Lineup { backup: Lineup::profiles("postfix,stalwart").unwrap(), ..Lineup::default() };
//! let rows = compare(&scenario, &lineup, None).unwrap();
//! let delivered: Vec<u64> = rows.iter().map(|row| row.played.as_ref().unwrap().counts.delivered).collect();
//! assert_eq!(delivered.len(), 2);
//! ```

#[cfg(test)]
mod tests;

use mxdrill_ledger::{Outcome, Span};
use mxdrill_mta::{Profile, profile, profile::OwnDrops};
use mxdrill_net::DomainName;

use crate::{
    RunError, World,
    run::run_once,
    scenario::{Host, Place, PlaceError, Scenario},
};

/// Which profiles play which part. An empty list leaves the part to the scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineup {
    /// The host that the mail comes from.
    pub sender: Vec<&'static str>,
    /// Every host that relays.
    pub backup: Vec<&'static str>,
    /// The best MX.
    pub primary: Vec<&'static str>,
}

/// No profile has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile `{0}`")]
pub struct UnknownProfile(pub String);

/// Who plays which part in one play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The profile of the sender.
    pub sender: String,
    /// The profile of the backups.
    pub backup: String,
    /// The profile of the primary.
    pub primary: String,
}

/// A scenario with other profiles.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Who plays which part.
    pub cast: Cast,
    /// The scenario that is played.
    pub scenario: Scenario,
    /// What was dropped, because it does not fit: a line each.
    pub notes: Vec<String>,
}

/// What one play came to.
#[derive(Debug)]
pub struct Row {
    /// Who played which part.
    pub cast: Cast,
    /// What was dropped.
    pub notes: Vec<String>,
    /// The outcome, or why there is none.
    pub played: Result<Outcome, RunError>,
}

impl Lineup {
    /// The profiles that a text names: `all`, or names separated by commas.
    ///
    /// # Errors
    /// When one is unknown.
    pub fn profiles(text: &str) -> Result<Vec<&'static str>, UnknownProfile> {
        if text == "all" {
            return Ok(profile::all().iter().map(|(name, _)| *name).collect());
        }
        text.split(',').map(known).collect()
    }
}

fn known(name: &str) -> Result<&'static str, UnknownProfile> {
    let name = name.trim();
    let found = profile::all().iter().find(|(known, _)| *known == name);
    found.map(|(known, _)| *known).ok_or_else(|| UnknownProfile(name.into()))
}

/// Every play that a lineup asks for, in the order of its lists: senders first, then backups, then primaries.
///
/// # Errors
/// When a part is to be played and the scenario has no such host.
pub fn variants(scenario: &Scenario, lineup: &Lineup) -> Result<Vec<Variant>, PlaceError> {
    let base = with_sender(scenario);
    let parts = Parts::of(&base, lineup)?;
    let mut all = Vec::new();
    for sender in choices(&lineup.sender) {
        for backup in choices(&lineup.backup) {
            for primary in choices(&lineup.primary) {
                all.push(parts.variant(&base, sender, backup, primary));
            }
        }
    }
    Ok(all)
}

/// Plays every variant in `sim`, one after the other.
///
/// # Errors
/// As [`variants`]. What cannot be played says so in its row.
pub fn compare(scenario: &Scenario, lineup: &Lineup, seed: Option<u64>) -> Result<Vec<Row>, PlaceError> {
    Ok(variants(scenario, lineup)?.iter().map(|variant| variant.play(seed)).collect())
}

impl Variant {
    /// Plays it in `sim`, from the seed given, else the scenario's.
    pub fn play(&self, seed: Option<u64>) -> Row {
        let world = World::sim(seed.unwrap_or(self.scenario.seed));
        let played = run_once(&self.scenario, &world, None);
        Row { cast: self.cast.clone(), notes: self.notes.clone(), played }
    }
}

/// The scenario with its sender among the hosts, so that it can be given a profile.
fn with_sender(scenario: &Scenario) -> Scenario {
    let mut base = scenario.clone();
    base.hosts.extend(scenario.sender());
    base
}

/// A list's entries, or once nothing where it is empty.
fn choices(list: &[&'static str]) -> Vec<Option<&'static str>> {
    if list.is_empty() { vec![None] } else { list.iter().copied().map(Some).collect() }
}

/// The places of the parts among the hosts.
struct Parts {
    sender: Option<usize>,
    backups: Vec<usize>,
    primary: Option<usize>,
}

impl Parts {
    fn of(scenario: &Scenario, lineup: &Lineup) -> Result<Parts, PlaceError> {
        let index = |label: &str| scenario.hosts.iter().position(|host| host.label == label);
        let find = |place: Place, wanted: bool| match scenario.place(&place) {
            Ok(label) => match index(label) {
                None if wanted => Err(PlaceError::Unknown(label.into())),
                found => Ok(found),
            },
            Err(why) if wanted => Err(why),
            Err(_) => Ok(None),
        };
        let relays = |host: &&Host| !host.relays.is_empty();
        let backups: Vec<usize> =
            scenario.hosts.iter().filter(relays).filter_map(|host| index(&host.label)).collect();
        if backups.is_empty() && !lineup.backup.is_empty() {
            scenario.place(&Place::Backup(1))?;
        }
        Ok(Parts {
            sender: find(Place::Sender, !lineup.sender.is_empty())?,
            backups,
            primary: find(Place::Primary, !lineup.primary.is_empty())?,
        })
    }

    fn variant(
        &self,
        base: &Scenario,
        sender: Option<&'static str>,
        backup: Option<&'static str>,
        primary: Option<&'static str>,
    ) -> Variant {
        let mut scenario = base.clone();
        let mut notes = Vec::new();
        let places =
            [(self.sender.as_slice(), sender), (&self.backups, backup), (self.primary.as_slice(), primary)];
        for (hosts, profile) in places {
            let Some(profile) = profile else { continue };
            for host in hosts {
                notes.extend(recast(&mut scenario.hosts[*host], profile));
                notes.extend(routed(&mut scenario, *host));
            }
        }
        let of = |host: Option<usize>| {
            host.map_or_else(String::new, |host| scenario.hosts[host].profile_named().name.into())
        };
        let cast = Cast {
            sender: of(self.sender),
            backup: of(self.backups.first().copied()),
            primary: of(self.primary),
        };
        Variant { cast, scenario, notes }
    }
}

/// Gives a host another profile. Says what of the old one was dropped.
fn recast(host: &mut Host, profile: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(program) = host.run.take() {
        notes.push(format!("{}: the profile {profile} plays, {program} does not run", host.label));
    }
    host.like = Some(profile.into());
    let kind = Profile::named(profile).map(|profile| profile.retry.word());
    if host.overrides.retry.as_ref().is_some_and(|part| Some(part.word()) != kind) {
        let part = host.overrides.retry.take();
        let word = part.as_ref().map_or("", |part| part.word());
        notes.push(format!("{}: its `retry.{word}` does not fit {profile}, dropped", host.label));
    }
    notes
}

/// Gives a relay that cannot find itself among the MX of a domain the static next hop that its operators must give
/// it: left to the MX it would relay to itself. Says so.
fn routed(scenario: &mut Scenario, host: usize) -> Option<String> {
    let best = scenario.host(scenario.place(&Place::Primary).ok()?)?.name.clone();
    let relay = &mut scenario.hosts[host];
    let profile = relay.profile_named();
    let routes = |domain: &DomainName| relay.route.iter().any(|(routed, _)| routed == domain);
    let lost: Vec<DomainName> = relay.relays.iter().filter(|domain| !routes(domain)).cloned().collect();
    if lost.is_empty() || profile.routing.own.drops != OwnDrops::Nothing {
        return None;
    }
    let note = format!(
        "{}: {} does not find itself among the MX, so it has a route to {best}",
        relay.label, profile.name
    );
    relay.route.extend(lost.into_iter().map(|domain| (domain, best.clone())));
    Some(note)
}

impl Row {
    /// Recipients that were sent and never came: returned, given up in silence, or lost.
    pub fn missed(&self) -> u64 {
        self.played.as_ref().map_or(0, |outcome| {
            let counts = &outcome.counts;
            counts.bounced + counts.discarded + counts.lost + counts.rejected
        })
    }

    /// These as a part of all that was sent, in hundredths of a percent.
    pub fn missed_basis_points(&self) -> u64 {
        let sent = self.played.as_ref().map_or(0, |outcome| outcome.counts.sent);
        (self.missed() * 10_000).checked_div(sent).unwrap_or(0)
    }

    /// The verdict, and the rules that were broken.
    pub fn verdict(&self) -> String {
        let outcome = match &self.played {
            Ok(outcome) => outcome,
            Err(why) => return format!("not played: {why}"),
        };
        let mut rules: Vec<&str> = outcome.violations.iter().map(|violation| violation.rule).collect();
        rules.dedup();
        match rules.is_empty() {
            true => outcome.verdict.word().into(),
            false => format!("{}: {}", outcome.verdict.word(), rules.join(", ")),
        }
    }
}

/// A time as a table says it: nothing where there is none.
pub fn spoken(time: Option<std::time::Duration>) -> String {
    time.map_or_else(|| "-".into(), |time| Span(time).spoken().to_string())
}
