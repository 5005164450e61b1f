//! Hosts of a drill built in code.

use std::time::Duration;

use super::set_key;
use crate::scenario::{
    Octets, Program,
    print::duration,
    toml_text::{Node, Table},
};

/// A host: made by [`Host::delivers`], [`Host::relays`] or [`Host::sends`].
#[derive(Clone, Debug)]
pub struct Host {
    label: String,
    duty: Option<&'static str>,
    domains: Vec<String>,
    keys: Table,
}

/// Profiles by name, for [`Host::like`]; a name in quotes does as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Like {
    /// What RFC 5321 asks for: the default.
    Rfc5321,
    /// Postfix.
    Postfix,
    /// Exim.
    Exim,
    /// Sendmail.
    Sendmail,
    /// OpenSMTPD.
    OpenSmtpd,
    /// qmail.
    Qmail,
    /// Haraka.
    Haraka,
    /// Stalwart.
    Stalwart,
    /// KumoMTA.
    KumoMta,
    /// mox.
    Mox,
    /// chasquid.
    Chasquid,
    /// maddy.
    Maddy,
    /// Postal.
    Postal,
    /// ZoneMTA.
    ZoneMta,
    /// The DragonFly mail agent.
    Dma,
    /// Exchange Server.
    Exchange,
    /// Apache James.
    James,
    /// A sender that never tries a second time or a second MX.
    OneTry,
}

impl Like {
    /// All of them, in the order of [`mxdrill_mta::profile::all`].
    pub const ALL: [Like; 18] = [
        Like::Rfc5321,
        Like::Postfix,
        Like::Exim,
        Like::Sendmail,
        Like::OpenSmtpd,
        Like::Qmail,
        Like::Haraka,
        Like::Stalwart,
        Like::KumoMta,
        Like::Mox,
        Like::Chasquid,
        Like::Maddy,
        Like::Postal,
        Like::ZoneMta,
        Like::Dma,
        Like::Exchange,
        Like::James,
        Like::OneTry,
    ];
}

impl AsRef<str> for Like {
    fn as_ref(&self) -> &str {
        match self {
            Like::Rfc5321 => "rfc5321",
            Like::Postfix => "postfix",
            Like::Exim => "exim",
            Like::Sendmail => "sendmail",
            Like::OpenSmtpd => "opensmtpd",
            Like::Qmail => "qmail",
            Like::Haraka => "haraka",
            Like::Stalwart => "stalwart",
            Like::KumoMta => "kumomta",
            Like::Mox => "mox",
            Like::Chasquid => "chasquid",
            Like::Maddy => "maddy",
            Like::Postal => "postal",
            Like::ZoneMta => "zonemta",
            Like::Dma => "dma",
            Like::Exchange => "exchange",
            Like::James => "james",
            Like::OneTry => "one-try",
        }
    }
}

impl Host {
    fn new(label: &str, duty: Option<&'static str>) -> Host {
        Host { label: label.into(), duty, domains: Vec::new(), keys: Table::new() }
    }

    /// The final destination of the first zone's domain, or of those given by [`Host::domains`].
    pub fn delivers(label: &str) -> Host {
        Host::new(label, Some("delivers"))
    }

    /// A backup: holds mail of the first zone's domain, or of those given by [`Host::domains`].
    pub fn relays(label: &str) -> Host {
        Host::new(label, Some("relays"))
    }

    /// A host that only sends.
    pub fn sends(label: &str) -> Host {
        Host::new(label, None)
    }

    /// The domains it delivers or relays.
    pub fn domains<'d>(mut self, domains: impl IntoIterator<Item = &'d str>) -> Host {
        self.domains = domains.into_iter().map(Into::into).collect();
        self
    }

    fn key(mut self, key: &str, node: Node) -> Host {
        set_key(&mut self.keys, key, node);
        self
    }

    /// The profile it behaves like.
    pub fn like(self, profile: impl AsRef<str>) -> Host {
        self.key("like", Node::text(profile))
    }

    /// The program that it is, in worlds where programs run.
    pub fn run(self, program: Program) -> Host {
        self.key("run", Node::text(program.word()))
    }

    /// Bytes that fit into its spool.
    pub fn spool(self, bytes: u64) -> Host {
        self.key("spool", Node::text(Octets(bytes).to_string()))
    }

    /// Sessions it takes at once.
    pub fn sessions(self, max: u32) -> Host {
        self.key("sessions", Node::plain(max))
    }

    /// The largest message it takes.
    pub fn size(self, bytes: u64) -> Host {
        self.key("size", Node::text(Octets(bytes).to_string()))
    }

    /// Extensions it does not offer.
    pub fn lacks<'e>(self, extensions: impl IntoIterator<Item = &'e str>) -> Host {
        self.key("lacks", Node::texts(extensions))
    }

    /// The only mailboxes it knows.
    pub fn recipients<'r>(self, addresses: impl IntoIterator<Item = &'r str>) -> Host {
        self.key("recipients", Node::texts(addresses))
    }

    /// The addresses it has, where they are not those of the zone.
    pub fn addresses<'a>(self, addresses: impl IntoIterator<Item = &'a str>) -> Host {
        self.key("addresses", Node::texts(addresses))
    }

    /// Each client, sender and recipient is first told 451, until so long after its first try.
    pub fn greylist(self, time: Duration) -> Host {
        self.key("greylist", duration(time))
    }

    /// Mails that it takes from each client, such as `10/min`.
    pub fn rate(self, rate: &str) -> Host {
        self.key("rate", Node::text(rate))
    }

    /// The only hosts from which it takes mail of a domain, as SPF has it.
    pub fn accept_from<'h>(mut self, domain: &str, hosts: impl IntoIterator<Item = &'h str>) -> Host {
        let entry = (domain.into(), Node::texts(hosts));
        match self.keys.iter_mut().find(|(key, _)| key == "accept-from") {
            Some((_, Node::Table(known))) => known.push(entry),
            _ => self.keys.push(("accept-from".into(), Node::Table(vec![entry]))),
        }
        self
    }

    /// What becomes of the strings that filters are tested with: `reject` or `discard`.
    pub fn filter(self, what: &str) -> Host {
        self.key("filter", Node::text(what))
    }

    /// It asks a better MX about each recipient, and says 450 where it cannot.
    pub fn verify(self) -> Host {
        self.key("verify", Node::text("primary"))
    }

    /// Addresses by which a NAT leads to it, and which it does not know for its own.
    pub fn nat<'a>(self, addresses: impl IntoIterator<Item = &'a str>) -> Host {
        self.key("nat", Node::texts(addresses))
    }

    /// Further names and addresses by which it knows itself.
    pub fn known_as<'k>(self, names: impl IntoIterator<Item = &'k str>) -> Host {
        self.key("known-as", Node::texts(names))
    }

    /// A static next hop for a domain: that host itself instead of the domain's MX.
    pub fn route(mut self, domain: &str, host: &str) -> Host {
        let route = (domain.into(), Node::text(format!("[{host}]")));
        match self.keys.iter_mut().find(|(key, _)| key == "route") {
            Some((_, Node::Table(routes))) => routes.push(route),
            _ => self.keys.push(("route".into(), Node::Table(vec![route]))),
        }
        self
    }

    /// How long a message stays queued.
    pub fn lifetime(self, time: Duration) -> Host {
        self.key("lifetime", duration(time))
    }

    /// The waits between attempts, the last one repeated.
    pub fn retry_list(self, waits: impl IntoIterator<Item = Duration>) -> Host {
        let waits = Node::Array(waits.into_iter().map(duration).collect());
        self.key("retry", Node::Table(vec![("list".into(), waits)]))
    }

    /// The age of the message clamped to `min..max`, seen at queue scans (Postfix).
    pub fn retry_age(self, min: Duration, max: Duration, scan: Duration) -> Host {
        let table = [("min", min), ("max", max), ("scan", scan)];
        let table = table.into_iter().map(|(word, time)| (word.to_owned(), duration(time))).collect();
        self.key("retry", Node::Table(vec![("age".into(), Node::Table(table))]))
    }

    /// Exim's retry rules: `"F,2h,15m; G,16h,1h,1.5"`.
    pub fn retry_rules(self, rules: &str) -> Host {
        self.key("retry", Node::Table(vec![("rules".into(), Node::text(rules))]))
    }

    /// It offers STARTTLS, with a certificate for its own name.
    pub fn tls(self) -> Host {
        self.key("tls", Node::plain(true))
    }

    /// It offers STARTTLS, and the zone has a TLSA record for its certificate.
    pub fn tlsa(self) -> Host {
        self.key("tls", Node::Table(vec![("tlsa".into(), Node::plain(true))]))
    }

    /// Any other key of a host, as the file has it: `.with("hops-max", 30)`.
    pub fn with(self, key: &str, value: impl ToString) -> Host {
        self.key(key, Node::plain(value))
    }

    /// The name and the table of the file.
    pub(super) fn entry(&self, domain: &str) -> (String, Table) {
        let mut table = Table::new();
        if let Some(duty) = self.duty {
            let domains =
                if self.domains.is_empty() { vec![domain.to_owned()] } else { self.domains.clone() };
            table.push((duty.into(), Node::texts(domains)));
        }
        table.extend(self.keys.iter().cloned());
        (self.label.clone(), table)
    }
}
