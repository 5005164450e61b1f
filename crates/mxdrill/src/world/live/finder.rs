//! How an application of a live world finds its MX: with hickory-resolver, which asks the name server for foreign
//! programs and so is told real addresses.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RData, RecordType},
};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    lookup::Lookup,
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
};
use mxdrill_mta::{
    NodeConfig,
    profile::{Family, Routing},
};
use mxdrill_net::{DomainName, Draw, Seed, live::Clock};

use super::session::within;

/// How long an answer may take, in virtual time: two tries of 5 s, as in `sim`.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds routes.
pub(super) struct Finder {
    resolver: TokioResolver,
    clock: Clock,
    /// The real port that stands for 25.
    port: u16,
    routing: Routing,
    seed: Seed,
    key: u64,
}

impl Finder {
    /// A finder for the application at the real address `at`, which asks `server`.
    pub(super) fn new(
        config: &NodeConfig,
        server: SocketAddr,
        at: SocketAddr,
        clock: Clock,
    ) -> Option<Finder> {
        let resolver = resolver(server, at.ip()).ok()?;
        let (routing, seed, key) = (config.profile.routing, config.seed, config.key);
        Some(Finder { resolver, clock, port: at.port(), routing, seed, key })
    }

    /// The real addresses of the hosts of a domain, in the order of trial; none where there are none, or no answer.
    pub(super) async fn route(&self, domain: &DomainName, message: u32) -> Arc<[SocketAddr]> {
        let mut draw = self.seed.draw("application-mx", &[self.key, u64::from(message)]);
        let mut hosts = self.hosts(domain).await;
        if self.routing.shuffle {
            for equals in hosts.chunk_by_mut(|a, b| a.0 == b.0) {
                draw.shuffle(equals);
            }
        }
        let mut route = Vec::new();
        for (_, name) in hosts {
            let addresses = self.addresses(name, &mut draw).await;
            route.extend(addresses.into_iter().map(|address| SocketAddr::new(address, self.port)));
        }
        route.into()
    }

    /// The MX, or the domain itself where it has none (RFC 5321 5.1), by preference. A null MX is no host
    /// (RFC 7505 3).
    async fn hosts(&self, domain: &DomainName) -> Vec<(u16, Name)> {
        let Ok(name) = Name::from_ascii(format!("{domain}.")) else { return Vec::new() };
        let found = match self.ask(name.clone(), RecordType::MX).await {
            Some(Ok(found)) => found,
            Some(Err(why)) if is_no_data(&why) => return vec![(0, name)],
            Some(Err(_)) | None => return Vec::new(),
        };
        let mut hosts: Vec<(u16, Name)> =
            found.answers().iter().filter_map(|record| mx(&record.data)).collect();
        hosts.retain(|(_, host)| !host.is_root());
        hosts.sort_by_key(|(preference, _)| *preference);
        hosts
    }

    /// The real addresses of a host, in the order of the profile.
    async fn addresses(&self, host: Name, draw: &mut Draw) -> Vec<IpAddr> {
        use RecordType::{A, AAAA};
        let kinds: &[RecordType] = match self.routing.family {
            Family::Ipv4Only => &[A],
            Family::Ipv4First => &[A, AAAA],
            _ => &[AAAA, A],
        };
        let mut addresses = Vec::new();
        for kind in kinds {
            if let Some(Ok(found)) = self.ask(host.clone(), *kind).await {
                addresses.extend(found.answers().iter().filter_map(|record| address(&record.data)));
            }
        }
        if self.routing.family == Family::Any {
            draw.shuffle(&mut addresses);
        }
        addresses
    }

    async fn ask(&self, name: Name, kind: RecordType) -> Option<Result<Lookup, NetError>> {
        within(&self.clock, PATIENCE, self.resolver.lookup(name, kind)).await
    }
}

/// Its cache runs by real time, and is left out; a second name server would make the answer depend on real time.
fn resolver(server: SocketAddr, from: IpAddr) -> Result<TokioResolver, NetError> {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
        connection.bind_addr = Some(SocketAddr::new(from, 0));
    }
    let server = NameServerConfig::new(server.ip(), true, connections);
    let config = ResolverConfig::from_name_servers(vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.os_port_selection = true;
    builder.build()
}

fn is_no_data(why: &NetError) -> bool {
    matches!(why, NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError)
}

fn mx(data: &RData) -> Option<(u16, Name)> {
    match data {
        RData::MX(mx) => Some((mx.preference, mx.exchange.clone())),
        _ => None,
    }
}

/// A real address is IPv4, mapped where the scenario's is IPv6.
fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(IpAddr::from(address.0).to_canonical()),
        _ => None,
    }
}
