//! Zones of a drill built in code.

use std::collections::BTreeSet;

/// A line of a zone: owner, type and data.
#[derive(Clone, Debug)]
pub struct ZoneRecord {
    owner: String,
    kind: String,
    data: String,
    /// A name of the zone that it points to, which needs an address.
    target: Option<String>,
}

/// An MX record of the zone's domain.
pub fn mx(preference: u16, host: &str) -> ZoneRecord {
    let inside = !host.contains('.');
    ZoneRecord {
        owner: "@".into(),
        kind: "MX".into(),
        data: format!(
            "{preference} {}",
            if inside { host.into() } else { format!("{}.", host.trim_end_matches('.')) }
        ),
        target: inside.then(|| host.into()),
    }
}

/// The null MX: the domain takes no mail (RFC 7505).
pub fn null_mx() -> ZoneRecord {
    record("@", "MX", "0 .")
}

/// An IPv4 address of a name.
pub fn a(name: &str, address: &str) -> ZoneRecord {
    record(name, "A", address)
}

/// An IPv6 address of a name.
pub fn aaaa(name: &str, address: &str) -> ZoneRecord {
    record(name, "AAAA", address)
}

/// Any record, in master-file form.
pub fn record(owner: &str, kind: &str, data: &str) -> ZoneRecord {
    ZoneRecord { owner: owner.into(), kind: kind.into(), data: data.into(), target: None }
}

/// The zone as master-file text. Targets without a record of their own get the next free address.
pub(super) fn text(domain: &str, records: &[ZoneRecord], addresses: &mut u8) -> String {
    let given: BTreeSet<&str> = records.iter().map(|record| record.owner.as_str()).collect();
    let mut made: Vec<ZoneRecord> = Vec::new();
    for target in records.iter().filter_map(|record| record.target.as_deref()) {
        if !given.contains(target) && !made.iter().any(|record| record.owner == target) {
            // 192.0.2.0/24 is for documentation (RFC 5737); after 25 hosts the numbers wrap to those between.
            *addresses = addresses.checked_add(10).unwrap_or(11);
            made.push(a(target, &format!("192.0.2.{addresses}")));
        }
    }
    let all: Vec<&ZoneRecord> = records.iter().chain(&made).collect();
    let width = all.iter().map(|record| record.owner.len()).max().unwrap_or(0);
    let mut text = format!("$ORIGIN {}.\n$TTL 300\n", domain.trim_end_matches('.'));
    for record in all {
        text += &format!("{:width$} {} {}\n", record.owner, record.kind, record.data);
    }
    text
}

/// The domain of the first zone, as its `$ORIGIN` has it.
pub(super) fn first_domain(text: &str) -> String {
    let origin = text.lines().find_map(|line| line.strip_prefix("$ORIGIN "));
    origin.unwrap_or_default().trim().trim_end_matches('.').to_owned()
}
