//! The words by which steps name hosts, links and names in the DNS.

use std::ops::Range;

use mxdrill_dns::RecordType;

use super::{
    Read,
    mistake::Mistake,
    value::{Value, clip},
};
use crate::scenario::{DnsName, Place, PlaceError, Scenario};

/// A host, by label, full name or place.
pub(super) fn place(value: Value<'_>, scenario: &Scenario) -> Read<Place> {
    let text = value.text("a host")?;
    place_of(text, scenario).map_err(|err| unknown(value.span(), text, &err, scenario))
}

fn unknown(span: Range<usize>, text: &str, err: &PlaceError, scenario: &Scenario) -> Mistake {
    let labels = scenario.hosts.iter().map(|host| host.label.as_str());
    let places = ["primary", "backup", "backup2", "sender"];
    match err {
        PlaceError::Unknown(_) => Mistake::new(span, format!("unknown host `{}`", clip(text)))
            .label("not a host of this scenario")
            .suggest(text, labels.chain(places)),
        PlaceError::NoPlace { .. } => Mistake::new(span, err.to_string())
            .label("no such place")
            .help("places follow from the MX records of the zone; only hosts under [host] have one"),
    }
}

pub(super) fn place_of(text: &str, scenario: &Scenario) -> Result<Place, PlaceError> {
    let place = Place::from(text);
    let label = scenario.place(&place)?.to_owned();
    // A full name is kept as the label, so that one host has one word.
    Ok(if matches!(place, Place::Host(_)) { Place::Host(label) } else { place })
}

/// `"mx2>mx1"`, or `"mx2<>mx1"` for both directions.
pub(super) fn link(value: Value<'_>, scenario: &Scenario) -> Read<(Place, Place, bool)> {
    let expected = "a link such as \"mx2>mx1\", or \"mx2<>mx1\" for both ways";
    let text = value.text(expected)?;
    let (from, to) = text.split_once('>').ok_or_else(|| {
        value.mistake(format!("`{}` is no link", clip(text))).label(format!("expected {expected}"))
    })?;
    let (from, both) = match from.strip_suffix('<') {
        Some(from) => (from, true),
        None => (from, false),
    };
    let end = |text: &str| {
        place_of(text.trim(), scenario).map_err(|err| unknown(value.span(), text.trim(), &err, scenario))
    };
    let (from, to) = (end(from)?, end(to)?);
    if scenario.place(&from) == scenario.place(&to) {
        return Err(value
            .mistake("a link goes from one host to another")
            .label("both ends are the same host"));
    }
    Ok((from, to, both))
}

/// `"example.test MX"`, `"@ MX"`, `"primary A"`, or a name alone for every type.
pub(super) fn name_and_type(value: Value<'_>, scenario: &Scenario) -> Read<(DnsName, Option<RecordType>)> {
    let text = value.text("a name in the DNS and a type, such as \"example.test MX\"")?;
    let mut words = text.split_ascii_whitespace();
    let (name, kind, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    if more.is_some() {
        return Err(value
            .mistake(format!("`{}` is more than a name and a type", clip(text)))
            .label("expected \"example.test MX\""));
    }
    let kind: Option<RecordType> = kind
        .map(|kind| {
            kind.parse().map_err(|err| value.mistake(format!("{err}")).label("expected a record type"))
        })
        .transpose()?;
    let wrong = |err: &dyn std::fmt::Display| value.mistake(err.to_string()).label("expected a name");
    let name = match (name, Place::from(name)) {
        ("@", _) => DnsName::Own,
        (_, Place::Host(_)) if scenario.host(name).is_some() => {
            DnsName::Host(place_of(name, scenario).map_err(|err| wrong(&err))?)
        }
        (_, Place::Host(_)) if !name.contains('.') => {
            return Err(unknown(value.span(), name, &PlaceError::Unknown(name.into()), scenario));
        }
        (_, Place::Host(_)) => {
            DnsName::Name(name.parse().map_err(|err: mxdrill_net::NameError| wrong(&err))?)
        }
        (_, place) => {
            scenario.place(&place).map_err(|err| unknown(value.span(), name, &err, scenario))?;
            DnsName::Host(place)
        }
    };
    Ok((name, kind))
}
