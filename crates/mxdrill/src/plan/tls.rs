//! The certificates of a world: who shows which, and which of them the DNS names.

use std::{net::IpAddr, sync::Arc};

use mxdrill_dns::{Record, RecordData, Tlsa, Zones};
use mxdrill_mta::PolicyConfig;
use mxdrill_net::{Epoch, Time};
use mxdrill_smtp::tls::{Authority, CertificateSpec, ClientTls, Credentials, Kind, Pin, ServerTls};

use crate::scenario::{Host, HostTls, Scenario};

/// A certificate of which nothing is said holds until so long after the beginning of the drill.
const LIFE: Time = Time::from_secs(365 * 86_400);

/// Who issues certificates in a world, and what everybody goes by.
pub(super) struct Certificates {
    kind: Kind,
    trusted: Authority,
    trust: Arc<ClientTls>,
}

impl Certificates {
    /// The certificates of a scenario's world; `None` where nobody has one.
    pub(super) fn of(scenario: &Scenario, kind: Kind) -> Option<Certificates> {
        scenario.hosts.iter().any(|host| host.tls.is_some() || host.sts.is_some()).then(|| {
            let trusted = Authority::new("mxdrill authority", Epoch::default());
            let trust = Arc::new(ClientTls::new(kind, &trusted, Epoch::default()));
            Certificates { kind, trusted, trust }
        })
    }

    /// What clients go by.
    pub(super) fn trust(&self) -> Arc<ClientTls> {
        self.trust.clone()
    }

    /// What a host shows, if it offers STARTTLS. Its TLSA record goes into the zones.
    pub(super) fn show(&self, host: &Host, zones: &mut Zones) -> Option<Arc<ServerTls>> {
        let tls = host.tls.as_ref()?;
        let credentials = self.issue(host, tls);
        if tls.tlsa {
            publish(host, &credentials, zones);
        }
        Some(Arc::new(ServerTls::new(self.kind, &credentials, &self.trusted, &host.name)))
    }

    /// The host of a policy, if it is one. The record that announces the policy goes into the zones.
    pub(super) fn policy(
        &self,
        host: &Host,
        addresses: &[IpAddr],
        zones: &mut Zones,
    ) -> Option<PolicyConfig> {
        let policy = host.sts.as_ref()?;
        let credentials = self.issue(host, &host.tls.clone().unwrap_or_default());
        let certificate = Arc::new(ServerTls::new(self.kind, &credentials, &self.trusted, &host.name));
        let text = policy.text();
        announce(host, &text, zones);
        Some(PolicyConfig { addresses: addresses.to_vec(), text: text.into(), certificate })
    }

    fn issue(&self, host: &Host, tls: &HostTls) -> Credentials {
        let names = match tls.names.is_empty() {
            true => vec![host.name.to_string()],
            false => tls.names.clone(),
        };
        let spec = CertificateSpec { names, not_after: tls.expires.map_or(LIFE, Time::from) };
        match tls.trusted {
            true => self.trusted.issue(&host.name, &spec),
            false => Authority::new("somebody else", Epoch::default()).issue(&host.name, &spec),
        }
    }
}

/// RFC 8461 3.1: the record says which policy it is, so its id follows from the text. One that is there stays.
fn announce(host: &Host, text: &str, zones: &mut Zones) {
    let name = host.policy_domain().and_then(|domain| format!("_mta-sts.{domain}").parse().ok());
    let Some(name) = name.filter(|name| !zones.iter().any(|record| record.name == *name)) else { return };
    let id: String =
        Pin::digest(text.as_bytes()).iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    zones.insert(Record::new(name, RecordData::txt(&format!("v=STSv1; id={id};"))));
}

/// RFC 7672 3.1.1: `3 1 1`, the digest of the public key.
fn publish(host: &Host, credentials: &Credentials, zones: &mut Zones) {
    let data = Pin::digest(&credentials.certificate.key).into();
    let tlsa = Tlsa { usage: 3, selector: 1, matching: 1, data };
    if let Ok(name) = format!("_25._tcp.{}", host.name).parse() {
        zones.insert(Record::new(name, RecordData::Tlsa(Arc::new(tlsa))));
    }
}

#[cfg(test)]
mod tests {
    use mxdrill_ledger::Guard;
    use mxdrill_net::Seed;
    use mxdrill_smtp::tls::Security;

    use super::*;
    use crate::{
        plan::{Plan, PlanError},
        scenario::NoFiles,
    };

    const STORY: &str = r#"
title = "Two MX, of which one has TLS"
[zone]
secure = true
text = """
$ORIGIN example.test.
@        MX 10 mx1
@        MX 20 mx2
mx1      A  192.0.2.10
mx2      A  192.0.2.20
mta-sts  A  192.0.2.30
"""
[host.mx1]
delivers = ["example.test"]
tls      = { tlsa = true }
[host.mx2]
relays = ["example.test"]
[host.mta-sts]
sts = { mx = ["mx1.example.test"] }
[[step]]
at    = "0s"
fault = { host = "mx1", tls = "expired" }
"#;

    fn plan(text: &str) -> Result<Plan, PlanError> {
        let scenario = Scenario::parse("story", text, &NoFiles).expect("a scenario");
        Plan::of(&scenario, Seed(1), Kind::Record)
    }

    #[test]
    fn what_hosts_show_and_serve_is_in_the_dns() {
        let plan = plan(STORY).expect("it can be played");
        let text = |name: &str| {
            let records = plan.cast.zones.iter().filter(|record| record.name.as_str() == name);
            records.map(|record| record.kind().to_string()).collect::<String>()
        };
        assert_eq!(text("_25._tcp.mx1.example.test"), "TLSA");
        assert_eq!(text("_25._tcp.mx2.example.test"), "");
        assert_eq!(text("_mta-sts.example.test"), "TXT");
    }

    #[test]
    fn whoever_publishes_a_policy_is_held_to_it() {
        let guards = |text: &str| plan(text).expect("it can be played").setup.guards;
        let host = "mx1.example.test".parse().expect("a name");
        let dane = Guard::Dane { host, least: Security::Matched };
        let domain = "example.test".parse().expect("a name");
        let sts = Guard::Sts { domain, mx: vec!["mx1.example.test".into()] };
        assert_eq!(guards(STORY), [dane, sts.clone()]);
        assert_eq!(guards(&STORY.replace("secure = true", "")), [sts], "nobody vouches for the record");
        let testing =
            STORY.replace("sts = { mx", "sts = { mode = \"testing\", mx").replace("secure = true", "");
        assert_eq!(guards(&testing), []);
        let changed = format!(
            "{STORY}[[step]]\nat = \"1h\"\nset = {{ dns = \"_25._tcp.mx1.example.test TLSA\", to = [] }}\n"
        );
        assert_eq!(guards(&changed).len(), 1, "a record that a step changes binds nobody");
    }

    #[test]
    fn nothing_is_wrong_with_tls_where_there_is_none() {
        let elsewhere = STORY.replace("host = \"mx1\"", "host = \"mx2\"");
        assert!(matches!(plan(&elsewhere), Err(PlanError::NoTls(host)) if host == "mx2"));
        let policy = STORY.replace("host = \"mx1\"", "host = \"mta-sts\"");
        assert!(plan(&policy).is_ok(), "the host of a policy shows a certificate too");
        assert!(plan(&policy.replace("expired", "stripped")).is_err(), "it has no STARTTLS");
    }
}
