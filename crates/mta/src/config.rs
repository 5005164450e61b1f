//! What a node is: its names, addresses and duties.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mxdrill_net::{DomainName, Epoch, Seed};
use mxdrill_smtp::{
    Address, Rule,
    tls::{ClientTls, ServerTls},
};

use crate::{Profile, Unverified};

/// What a node is: everything that an operator would configure.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its host name: greeting, EHLO, Received, and itself among the MX.
    pub name: DomainName,
    /// Its addresses. It listens on port 25 of each, and connects from the first of the family in question.
    pub addresses: Vec<IpAddr>,
    /// Domains whose mailboxes are here.
    pub delivers: Vec<DomainName>,
    /// Domains for which it takes mail from anyone and passes it on.
    pub relays: Vec<DomainName>,
    /// Clients for which it relays to any domain: the originator of a drill's mail.
    pub trusted: Vec<IpAddr>,
    /// The mailboxes it knows; `None` takes every local part. `postmaster` is always known (RFC 5321 4.5.1).
    pub recipients: Option<BTreeSet<Address>>,
    /// Whether it asks a better MX about the recipients of domains that it relays, and what it says where it cannot.
    pub verify: Option<Unverified>,
    /// What its own policy says at MAIL and RCPT: greylisting, rates, whose mail it takes from whom. Only rules that
    /// reply are heard.
    pub house: Vec<Rule>,
    /// What it does with content that filters are tested with; `None` has no filter.
    pub filter: Option<Filter>,
    /// Static next hops: destination to host, instead of its MX.
    pub routes: BTreeMap<DomainName, DomainName>,
    /// Further names by which the MX may know it.
    pub known_as: Vec<DomainName>,
    /// Further addresses by which the world reaches it, such as that of a NAT (Postfix `proxy_interfaces`).
    pub known_at: Vec<IpAddr>,
    /// Addresses by which a NAT leads to it: it listens there, and does not know them for its own.
    pub nat: Vec<IpAddr>,
    /// The caching resolver of its site.
    pub resolver: SocketAddr,
    /// How it behaves.
    pub profile: Arc<Profile>,
    /// What it shows to clients that begin TLS; without it STARTTLS is not offered.
    pub certificate: Option<Arc<ServerTls>>,
    /// What it goes by as a client under TLS; without it STARTTLS is never said.
    pub trust: Option<Arc<ClientTls>>,
    /// Inbound sessions at once, beyond which the greeting is 421; `None` leaves it to the profile.
    pub sessions: Option<u32>,
    /// The seed of the drill.
    pub seed: Seed,
    /// The host's own number in every draw.
    pub key: u64,
    /// What wall time the drill began at, for trace fields.
    pub epoch: Epoch,
}

/// What a filter does, at the final dot, with the strings that such filters are tested with (EICAR, GTUBE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// 550: the client keeps the mail, or returns it.
    Reject,
    /// 250, and the mail is gone: nobody is told.
    Discard,
}

impl NodeConfig {
    /// A host that so far only sends what it is given by itself: no domain, no client, the default profile.
    ///
    /// # Panics
    /// Never: addresses may be empty, and the node then listens nowhere.
    pub fn new(name: DomainName, addresses: Vec<IpAddr>, resolver: SocketAddr) -> NodeConfig {
        NodeConfig {
            name,
            addresses,
            delivers: Vec::new(),
            relays: Vec::new(),
            trusted: Vec::new(),
            recipients: None,
            verify: None,
            house: Vec::new(),
            filter: None,
            routes: BTreeMap::new(),
            known_as: Vec::new(),
            known_at: Vec::new(),
            nat: Vec::new(),
            resolver,
            profile: Arc::new(Profile::default()),
            certificate: None,
            trust: None,
            sessions: None,
            seed: Seed(0),
            key: 0,
            epoch: Epoch::default(),
        }
    }
}
