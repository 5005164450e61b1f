//! What cannot be played with real mail servers, and why.

use crate::{
    plan::{Blow, Plan},
    scenario::{Host, Overrides, Scenario},
};

/// Whether the hosts and faults of a scenario make sense with the programs that it runs; otherwise why not.
pub(super) fn is_fit(scenario: &Scenario, plan: &Plan) -> Result<(), String> {
    let servers = |host: &&Host| host.run.is_some_and(super::is_server);
    scenario.hosts.iter().filter(servers).try_for_each(host)?;
    for member in plan.cast.members().map(|(_, member)| member).filter(|member| member.server().is_some()) {
        if !member.addresses.iter().all(std::net::IpAddr::is_ipv4) {
            return Err(format!("{}: a real mail server has IPv4 addresses only", member.label));
        }
    }
    plan.faults.iter().flat_map(|fault| &fault.blows).try_for_each(|dealt| blow(plan, dealt))
}

/// What a scenario says of a host, and its adapter cannot say to the server.
fn host(host: &Host) -> Result<(), String> {
    let said = [
        ("spool", host.spool.is_some()),
        ("sessions", host.sessions.is_some()),
        ("size", host.size.is_some()),
        ("lacks", !host.lacks.is_empty()),
        ("route", !host.route.is_empty()),
        ("known-as", !host.known_as.is_empty()),
        ("tls", host.tls.is_some()),
        ("sts", host.sts.is_some()),
        // a retry schedule is the server's own, or hurried
        (
            "lifetime and the like",
            Overrides { retry: None, ..host.overrides.clone() } != Overrides::default(),
        ),
    ];
    match said.iter().find(|(_, is_said)| *is_said) {
        Some((what, _)) => Err(format!("{}: `{what}` is not told to a real mail server", host.label)),
        None => Ok(()),
    }
}

/// What a fault does to a server that is not ours.
fn blow(plan: &Plan, blow: &Blow) -> Result<(), String> {
    let possible = match blow {
        Blow::Access(..) | Blow::Down(_) | Blow::Restart(_) | Blow::Dns(..) => true,
        Blow::Link(_, _, fault) => {
            fault.latency.is_none()
                && fault.loss_ppm.is_none()
                && fault.bandwidth.is_none()
                && fault.cut_after.is_none()
        }
        Blow::Rules(..) | Blow::Sessions(..) | Blow::DiskFull(_) | Blow::CrashAt(..) => false,
    };
    let hosts = blow.hosts();
    let server = hosts.iter().map(|host| plan.cast.member(*host)).find(|member| member.server().is_some());
    match server {
        Some(member) if !possible => {
            Err(format!("{}: a fault within the dialogue or the disk of a real mail server", member.label))
        }
        _ => Ok(()),
    }
}
