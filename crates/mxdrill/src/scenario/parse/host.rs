//! `[host.NAME]`: what a host is, and how it behaves.

use std::{net::IpAddr, time::Duration};

use mxdrill_mta::{Filter, StsMode, StsPolicy, Unverified, profile};
use mxdrill_net::DomainName;

use super::{
    Input, Read, Value,
    mistake::{Mistake, list},
    retry,
    value::clip,
    walk::Table,
};
use crate::scenario::{Host, HostTls, KnownAs, Overrides, Place, Policy, Program, Timeouts, Zone};

pub(super) fn read_all<'a>(
    input: Input<'a>,
    value: Value<'a>,
    zone: &Zone,
    origin: &DomainName,
) -> Read<Vec<Host>> {
    let table = value.table("the hosts", input.notes)?;
    let mut hosts: Vec<Host> = Vec::new();
    for (key, value) in table.entries() {
        let named = name(key.get_ref(), origin).map_err(|(message, help)| {
            Mistake::new(key.span(), message).label("not a name for a host").help(help)
        });
        let Some(name) = input.notes.note(named) else { continue };
        if hosts.iter().any(|host| host.name == name) {
            input.notes.add(Mistake::new(key.span(), format!("the host {name} is there twice")));
        }
        let label = label(&name, origin);
        let mut host = Host::new(label, name);
        if input.notes.note(read(input, value, &mut host)).is_none() {
            continue;
        }
        if let Some((other, address)) =
            hosts.iter().find_map(|other| Some((other, shared(&host, other, zone)?)))
        {
            let message = format!("{} and {} have the same address", other.label, host.label);
            input.notes.add(Mistake::new(key.span(), message).label(format!("{address} is there twice")));
        }
        hosts.push(host);
    }
    Ok(hosts)
}

/// An address that two hosts claim.
fn shared(one: &Host, other: &Host, zone: &Zone) -> Option<IpAddr> {
    let of = |host: &Host| host.addresses.clone().unwrap_or_else(|| zone.zones.addresses(&host.name));
    let others = of(other);
    of(one).into_iter().find(|address| others.contains(address))
}

/// The full name of a host by its key: a label of the first zone, or a quoted full name.
fn name(key: &str, origin: &DomainName) -> Result<DomainName, (String, String)> {
    let reserved = || key == "all" || matches!(Place::from(key), Place::Primary | Place::Backup(_));
    if reserved() {
        let help = "`all`, `primary`, `backup` and `backup2` to `backup9` are words of steps: places follow from the MX";
        return Err((format!("a host cannot be called `{key}`"), help.into()));
    }
    let name = if key.contains('.') { key.parse() } else { origin.child(key) };
    name.map_err(|err| (err.to_string(), "a label of the first zone, or a full name in quotes".into()))
}

/// What a scenario calls a host: its label in the first zone, or its full name.
pub(crate) fn label(name: &DomainName, origin: &DomainName) -> String {
    match name.parent() {
        Some(parent) if parent == *origin => name.first_label().into(),
        _ => name.to_string(),
    }
}

fn read<'a>(input: Input<'a>, value: Value<'a>, host: &mut Host) -> Read<()> {
    let table = value.table("a host", input.notes)?;
    host.delivers = table.read("delivers", domains).unwrap_or_default();
    host.relays = table.read("relays", domains).unwrap_or_default();
    check_duties(&table, input, host);
    let kind = input.notes.note(table.only_one(&["like", "run"])).flatten();
    match kind {
        Some("like") => host.like = table.read("like", like),
        Some(_) => host.run = table.read("run", |v| v.word("a program", &Program::ALL, Program::word)),
        None => {}
    }
    host.spool = table.read("spool", Value::octets);
    host.sessions = table.read("sessions", |v| v.count(1));
    host.size = table.read("size", Value::octets);
    host.lacks = table.read("lacks", lacks).unwrap_or_default();
    host.route = table.read("route", |v| routes(input, v, host)).unwrap_or_default();
    host.recipients = table
        .read("recipients", |v| v.array("an array of addresses")?.map(|v| v.parsed("an address")).collect());
    host.addresses = table.read("addresses", addresses);
    host.nat = table.read("nat", addresses).unwrap_or_default();
    host.policy = policy(input, &table);
    host.known_as = table.read("known-as", known_as).unwrap_or_default();
    host.tls = table.read("tls", |v| tls(input, v));
    host.sts = table.read("sts", |v| sts(input, v, host));
    host.overrides = overrides(input, &table);
    if let Some(retry) = table.get("retry") {
        let profile = host.profile_named();
        if let Err(err) = host.overrides.applied(profile) {
            input.notes.add(
                retry
                    .mistake(err.to_string())
                    .label("a part of another schedule")
                    .help("give the whole schedule, or the parts of the kind that the profile has"),
            );
        }
    }
    table.finish();
    Ok(())
}

/// Words for what a filter does.
pub(crate) const FILTERS: [(Filter, &str); 2] = [(Filter::Reject, "reject"), (Filter::Discard, "discard")];

/// Words for what is said where a better MX cannot be asked.
pub(crate) const UNVERIFIED: [(Unverified, &str); 2] =
    [(Unverified::Defer, "defer"), (Unverified::Accept, "accept")];

fn policy<'a>(input: Input<'a>, table: &Table<'a>) -> Policy {
    let verify = table.read("verify", |v| v.word("whom to ask", &["primary"], |word| word));
    let down = table.read("verify-down", |v| Ok(v.word("what to say", &UNVERIFIED, |(_, word)| word)?.0));
    Policy {
        greylist: table.read("greylist", Value::duration_above_zero),
        rate: table.read("rate", |v| v.parsed("a rate such as \"10/min\"")),
        accept_from: table.read("accept-from", |v| accept_from(input, v)).unwrap_or_default(),
        filter: table.read("filter", |v| Ok(v.word("what a filter does", &FILTERS, |(_, word)| word)?.0)),
        verify: verify.map(|_| down.unwrap_or(Unverified::Defer)),
    }
}

fn accept_from<'a>(input: Input<'a>, value: Value<'a>) -> Read<Vec<(DomainName, Vec<Place>)>> {
    let table = value.table("a table of domains", input.notes)?;
    let mut all = Vec::new();
    for (key, value) in table.entries() {
        let domain: Result<DomainName, _> = key.get_ref().parse();
        let domain =
            domain.map_err(|err| Mistake::new(key.span(), err.to_string()).label("expected a domain"))?;
        let hosts = value.array("an array of hosts")?.map(|v| v.text("a host").map(Place::from));
        all.push((domain, hosts.collect::<Read<_>>()?));
    }
    Ok(all)
}

fn check_duties(table: &Table<'_>, input: Input<'_>, host: &Host) {
    if let Some(both) = host.relays.iter().find(|domain| host.delivers.contains(domain)) {
        let mistake = Mistake::new(table.key_span("relays"), format!("{both} is both delivered and relayed"))
            .label("a host is the final destination of a domain, or holds it for a better MX")
            .other(table.key_span("delivers"), "delivered here");
        input.notes.add(mistake);
    }
}

fn domains(value: Value<'_>) -> Read<Vec<DomainName>> {
    let mut domains: Vec<DomainName> = Vec::new();
    for value in value.array("an array of domains")? {
        let domain = value.parsed("a domain")?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    Ok(domains)
}

fn like(value: Value<'_>) -> Read<String> {
    let text = value.text("the name of a profile")?;
    let known: Vec<&str> = profile::all().iter().map(|(name, _)| *name).collect();
    if known.contains(&text) {
        return Ok(text.into());
    }
    Err(value
        .mistake(format!("unknown profile `{}`", clip(text)))
        .label(format!("expected one of {}", list(&known)))
        .suggest(text, known))
}

/// EHLO keywords that a host can be without.
pub(crate) const EXTENSIONS: [&str; 9] = [
    "pipelining",
    "size",
    "8bitmime",
    "smtputf8",
    "chunking",
    "enhancedstatuscodes",
    "dsn",
    "starttls",
    "etrn",
];

fn lacks(value: Value<'_>) -> Read<Vec<String>> {
    let words = value.array("an array of extensions")?;
    words.map(|v| v.word("an extension", &EXTENSIONS, |word| word).map(String::from)).collect()
}

/// `route = { "example.test" = "[mx1]" }`; the brackets say that the host itself is meant, not its MX.
fn routes<'a>(input: Input<'a>, value: Value<'a>, host: &Host) -> Read<Vec<(DomainName, DomainName)>> {
    let table = value.table("a table of routes", input.notes)?;
    let mut routes = Vec::new();
    for (key, value) in table.entries() {
        let domain: Result<DomainName, _> = key.get_ref().parse();
        let domain =
            domain.map_err(|err| Mistake::new(key.span(), err.to_string()).label("expected a domain"))?;
        routes.push((domain, next_hop(value, host)?));
    }
    Ok(routes)
}

fn next_hop(value: Value<'_>, host: &Host) -> Read<DomainName> {
    let text = value.text("a next hop such as \"[mx1]\"")?;
    let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        let help = format!("write \"[{}]\": the host itself, without an MX look-up", clip(text));
        return Err(value.mistake("a next hop stands in brackets").label("expected \"[mx1]\"").help(help));
    };
    let zone = host.name.parent();
    let name = match zone {
        Some(zone) if !inner.contains('.') => zone.child(inner),
        _ => inner.parse(),
    };
    name.map_err(|err| value.mistake(err.to_string()).label("expected a host"))
}

fn addresses(value: Value<'_>) -> Read<Vec<IpAddr>> {
    let all: Vec<_> =
        value.array("an array of IP addresses")?.map(|v| v.parsed("an IP address")).collect::<Read<_>>()?;
    match all.is_empty() {
        true => Err(value.mistake("a host has an address").label("expected at least one")),
        false => Ok(all),
    }
}

fn known_as(value: Value<'_>) -> Read<Vec<KnownAs>> {
    let words = value.array("an array of names and addresses")?;
    words
        .map(|v| match v.text("a name or an address")?.parse() {
            Ok(address) => Ok(KnownAs::Address(address)),
            Err(_) => v.parsed("a name or an address").map(KnownAs::Name),
        })
        .collect()
}

/// `tls = true`, or a table that says what the certificate is like.
fn tls<'a>(input: Input<'a>, value: Value<'a>) -> Read<HostTls> {
    if value.raw().is_bool() {
        return value.only_true().map(|()| HostTls::default());
    }
    let table = value.table("a certificate, or true", input.notes)?;
    let usual = HostTls::default();
    let tls = HostTls {
        names: table.read("names", certificate_names).unwrap_or_default(),
        expires: table.read("expires", Value::duration),
        trusted: table.read("trusted", Value::flag).unwrap_or(usual.trusted),
        tlsa: table.read("tlsa", Value::flag).unwrap_or(usual.tlsa),
    };
    table.finish();
    Ok(tls)
}

/// `sts = { mode = "enforce", mx = ["mx1.example.test"], max-age = "1d" }`.
fn sts<'a>(input: Input<'a>, value: Value<'a>, host: &Host) -> Read<StsPolicy> {
    if host.policy_domain().is_none() {
        let help = "call the host `mta-sts`: senders ask nobody else";
        return Err(value
            .mistake("an MTA-STS policy is served by the host `mta-sts` of its domain")
            .help(help));
    }
    let table = value.table("an MTA-STS policy", input.notes)?;
    let mode = table.read("mode", |v| v.word("a mode", &StsMode::ALL, StsMode::word));
    let policy = StsPolicy {
        mode: mode.unwrap_or(StsMode::Enforce),
        mx: table.read("mx", certificate_names).unwrap_or_default(),
        max_age: table.read("max-age", Value::duration_above_zero).unwrap_or(DAY),
    };
    table.finish();
    match policy.mx.is_empty() && policy.mode != StsMode::None {
        true => Err(value.mistake("the policy names no MX").label("expected `mx`")),
        false => Ok(policy),
    }
}

/// How long a policy may be remembered of which nothing is said.
const DAY: Duration = Duration::from_secs(86_400);

fn certificate_names(value: Value<'_>) -> Read<Vec<String>> {
    let names = value.array("an array of names")?;
    names
        .map(|v| {
            let text = v.text("a name such as \"*.example.test\"")?;
            let name = text.strip_prefix("*.").unwrap_or(text);
            name.parse::<DomainName>().map_err(|err| v.mistake(err.to_string()).label("expected a name"))?;
            Ok(text.to_ascii_lowercase())
        })
        .collect()
}

fn overrides<'a>(input: Input<'a>, table: &Table<'a>) -> Overrides {
    Overrides {
        retry: table.read("retry", |v| retry::read(input, v)),
        lifetime: table.read("lifetime", Value::duration),
        bounce_lifetime: table.read("bounce-lifetime", Value::duration),
        warn_after: table.read("warn-after", |v| v.one_or_more().into_iter().map(Value::duration).collect()),
        attempts_max: table.read("attempts-max", |v| v.count(1)),
        hosts_max: table.read("hosts-max", small),
        addresses_max: table.read("addresses-max", small),
        attempt_sessions_max: table.read("attempt-sessions-max", small),
        concurrency: table.read("concurrency", |v| v.count(1)),
        memory: table.read("memory", Value::duration),
        hops_max: table.read("hops-max", small),
        dane: table.read("dane", Value::flag),
        mta_sts: table.read("mta-sts", Value::flag),
        timeout: table.read("timeout", |v| timeouts(input, v)).unwrap_or_default(),
    }
}

fn small(value: Value<'_>) -> Read<u16> {
    let number = value.integer("a whole number", 1, u64::from(u16::MAX))?;
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

fn timeouts<'a>(input: Input<'a>, value: Value<'a>) -> Read<Timeouts> {
    let table = value.table("the timeouts", input.notes)?;
    let read = |key| table.read(key, Value::duration_above_zero);
    let timeouts = Timeouts {
        connect: read("connect"),
        greeting: read("greeting"),
        ehlo: read("ehlo"),
        starttls: read("starttls"),
        mail: read("mail"),
        rcpt: read("rcpt"),
        data: read("data"),
        block: read("block"),
        dot: read("dot"),
        quit: read("quit"),
    };
    table.finish();
    Ok(timeouts)
}
