//! How safe a session must be, and what happens when it cannot be made so.

use std::sync::Arc;

use mxdrill_net::{Commands, DomainName, Time};
use mxdrill_smtp::{Stage, tls::Demand};

use super::{Agent, Job};
use crate::{
    HostPolicy, RouteHost, Target,
    core::{AnyFact, Core},
    profile::Fallback,
};

impl Agent {
    /// The host that it talks to, as the route has it.
    fn host(&self) -> Option<&RouteHost> {
        let target = self.target.as_ref()?;
        self.plan.as_ref()?.route.hosts.iter().find(|host| host.name == target.host)
    }

    /// The session stands: all that is said of it says how safe it is.
    pub(super) fn note_security(&mut self) {
        let security = self.client.as_ref().map(|client| client.security()).unwrap_or_default();
        if let Some(target) = self.target.as_mut().filter(|target| target.security != security) {
            *target = Arc::new(Target { security, ..Target::clone(target) });
        }
    }
}

impl Core {
    /// What is demanded of an agent's session, and the name that the certificate must be for. `None` is clear text.
    pub(super) fn demand(&mut self, agent: u32) -> Option<(Demand, DomainName)> {
        let verifies = self.config.profile.tls.verifies;
        let is_willing = self.config.profile.tls.opportunistic && self.config.trust.is_some();
        let agent = self.agents.find(agent)?;
        let demand = match agent.host().map(|host| &host.policy) {
            Some(HostPolicy::Dane(pins)) if pins.is_empty() => Demand::Encrypted,
            Some(HostPolicy::Dane(pins)) => Demand::Matched(pins.clone()),
            Some(HostPolicy::Sts) => Demand::Verified,
            _ if is_willing && !agent.is_clear && verifies => Demand::VerifiedIfOffered,
            _ if is_willing && !agent.is_clear => Demand::Opportunistic,
            _ => return None,
        };
        Some((demand, agent.target.as_ref()?.host.clone()))
    }

    /// After a handshake that came to nothing, mail that may go in clear text can go to the same host, as the
    /// profile has it.
    pub(super) fn falls_back(&mut self, now: Time, agent: u32, stage: Stage) -> bool {
        let fallback = self.config.profile.tls.fallback;
        let is_willing =
            |demand: &Demand| matches!(demand, Demand::Opportunistic | Demand::VerifiedIfOffered);
        if stage != Stage::StartTls || !self.demand(agent).is_some_and(|(demand, _)| is_willing(&demand)) {
            return false;
        }
        let job = self.agents.find(agent).and_then(|agent| agent.job.as_ref());
        let arrived = |job: &Job| job.parcel.as_ref().map(|parcel| parcel.message.arrived);
        match (fallback, job.and_then(arrived)) {
            (Fallback::AtOnce, Some(_)) => true,
            (Fallback::AfterWaiting(wait), Some(arrived)) => now.since(arrived) >= wait,
            (Fallback::Never, _) | (_, None) => false,
        }
    }

    /// Tries the same host again, in clear text.
    pub(super) fn connect_in_clear<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let agent_ = self.agents.live(agent);
        (agent_.client, agent_.is_clear) = (None, true);
        if let Some(target) = agent_.target.clone() {
            self.connect(now, agent, target, out);
        }
    }
}
