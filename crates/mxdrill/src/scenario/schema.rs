//! The JSON Schema (draft-07) by which editors complete and check scenario files.

mod step;

use mxdrill_mta::{StsMode, profile};
use serde_json::{Map, Value, json};

use super::{
    Program, WorldKind, checks,
    parse::{EXTENSIONS, FILTERS, UNVERIFIED},
};

/// The schema of scenario files, as `mxdrill schema` prints it and `scenarios/schema.json` holds it.
pub fn schema() -> Value {
    let mut schema = table(
        "A drill for backup MX",
        &["title", "zone"],
        [
            ("title", text("One line that says what happens")),
            ("why", text("Which clause or which incident the scenario is about")),
            (
                "seed",
                json!({ "type": "integer", "minimum": 0, "default": 1, "description": "The seed of every draw" }),
            ),
            (
                "worlds",
                described(
                    list(words(WorldKind::ALL.map(WorldKind::word))),
                    "The only worlds in which it makes sense",
                ),
            ),
            ("worlds-why", text("Why it makes sense in no other world")),
            (
                "site",
                json!({ "type": "boolean", "default": true, "description": "false where its point is a mistake in its own tables: it is left out on an operator's site" }),
            ),
            ("end", described(duration(), "When the drill ends; otherwise when every recipient is final")),
            ("unchecked", unchecked()),
            ("zone", zone()),
            (
                "host",
                json!({ "type": "object", "description": "The hosts, by label of the first zone or by full name", "additionalProperties": reference("host") }),
            ),
            ("step", described(list(reference("step")), "What happens, in order of time")),
        ],
    );
    let Value::Object(whole) = &mut schema else { return schema };
    whole.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    whole.insert("definitions".into(), definitions());
    schema
}

fn definitions() -> Value {
    let mut all = Map::new();
    all.insert(
        "duration".into(),
        json!({
            "type": "string",
            "description": "A duration such as 1d, 3h30m or 500ms; units w d h m s ms",
            "pattern": r"^\s*(\d+(\.\d+)?\s*(w|d|h|ms|m|s)\s*)+$",
        }),
    );
    all.insert("size".into(), json!({
        "description": "Octets, or a size such as 10 GB (decimal) or 1 KiB (binary)",
        "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": r"^\d+ *([kKmMgGtT][iI]?)?[bB]$" }],
    }));
    all.insert(
        "rate".into(),
        json!({
            "type": "string",
            "description": "So many in a time, such as 3000/h or 10/min",
            "pattern": r"^\d+/(s|min|h|d|(\d+(\.\d+)?(w|d|h|ms|m|s))+)$",
        }),
    );
    all.insert("speed".into(), json!({
        "description": "Octets a second, or such as 64 kB/s",
        "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": r"^\d+ *([kKmMgGtT][iI]?)?[bB]/s$" }],
    }));
    all.insert("odds".into(), json!({
        "description": "A chance such as 0.05 or 5%, keyed by the seed",
        "anyOf": [{ "type": "number", "minimum": 0, "maximum": 1 }, { "type": "string", "pattern": r"^\d+(\.\d+)?%?$" }],
    }));
    all.insert("place".into(), json!({
        "description": "A host: primary, backup, backup2, sender, or its label",
        "anyOf": [{ "enum": ["primary", "backup", "backup2", "sender"] }, { "type": "string", "minLength": 1 }],
    }));
    all.insert("dns".into(), json!({
        "type": "string",
        "description": "A name and a type, such as `example.test MX`; `@` is the drill's own domain, `primary` that host",
    }));
    all.insert("host".into(), host());
    all.extend(step::definitions());
    Value::Object(all)
}

fn unchecked() -> Value {
    let checks = checks().map(|check| (check, text("Why this check does not hold here")));
    described(table("Checks", &[], checks), "Checks that are switched off, each with a reason")
}

fn zone() -> Value {
    let mut zone = table(
        "The DNS of the world",
        &[],
        [
            ("text", text("RFC 1035 master-file text; hosts are labels of the first $ORIGIN")),
            ("files", described(list(json!({ "type": "string" })), "Master files beside the scenario")),
            ("secure", json!({ "type": "boolean", "default": false, "description": "The resolver sets AD" })),
        ],
    );
    zone["oneOf"] = json!([{ "required": ["text"] }, { "required": ["files"] }]);
    zone
}

fn host() -> Value {
    let time = |what| described(duration(), what);
    let number = |what: &str| json!({ "type": "integer", "minimum": 1, "description": what });
    let names = |what| described(list(json!({ "type": "string" })), what);
    let profiles: Vec<&str> = profile::all().iter().map(|(name, _)| *name).collect();
    table(
        "A host",
        &[],
        [
            ("delivers", names("Domains whose final destination it is")),
            ("relays", names("Domains it holds mail for until a better MX takes it")),
            ("like", described(words(profiles), "The profile it behaves like")),
            (
                "run",
                described(
                    words(Program::ALL.map(Program::word)),
                    "The program that it is, where programs run",
                ),
            ),
            ("spool", described(reference("size"), "Bytes that fit into its spool")),
            ("sessions", number("Sessions it takes at once")),
            ("size", described(reference("size"), "The largest message it takes")),
            ("lacks", described(list(words(EXTENSIONS)), "Extensions it does not offer")),
            (
                "route",
                json!({ "type": "object", "description": "Static next hops by domain: \"[mx1]\"", "additionalProperties": { "type": "string", "pattern": r"^\[.+\]$" } }),
            ),
            ("recipients", names("The mailboxes it knows; otherwise any")),
            ("addresses", names("The addresses it has, where they are not those of the zone")),
            ("nat", names("Addresses by which a NAT leads to it, and which it does not know for its own")),
            ("known-as", names("Further names and addresses by which it knows itself")),
            ("tls", tls()),
            ("sts", sts()),
            ("retry", retry()),
            ("lifetime", time("How long a message stays queued")),
            ("bounce-lifetime", time("How long a bounce stays queued")),
            (
                "warn-after",
                described(one_or_more(duration()), "Ages at which the sender is warned of a delay"),
            ),
            ("attempts-max", number("Failed attempts after which a recipient is given up")),
            ("hosts-max", number("MX hosts it tries in one attempt")),
            ("addresses-max", number("Addresses it tries in one attempt")),
            ("attempt-sessions-max", number("Sessions past EHLO in one attempt")),
            ("concurrency", number("Deliveries to one destination at once")),
            ("memory", time("How long it passes over an address that failed")),
            ("hops-max", number("More Received fields than this make a loop")),
            ("dane", flag("Whether it keeps to TLSA records (RFC 7672)")),
            ("mta-sts", flag("Whether it keeps to MTA-STS policies (RFC 8461)")),
            ("timeout", timeouts()),
        ]
        .into_iter()
        .chain(policies()),
    )
}

/// Whom and what a host takes.
fn policies() -> [(&'static str, Value); 6] {
    [
        (
            "greylist",
            described(
                duration(),
                "Each client, sender and recipient is first told 451, for so long (RFC 6647)",
            ),
        ),
        ("rate", described(reference("rate"), "Mails that it takes from each client; beyond it says 450")),
        (
            "accept-from",
            json!({ "type": "object", "description": "The only hosts from which it takes mail of a domain, as SPF has it", "additionalProperties": { "type": "array", "items": { "type": "string" } } }),
        ),
        (
            "filter",
            described(
                words(FILTERS.map(|(_, word)| word)),
                "What becomes of the test strings of filters (EICAR, GTUBE)",
            ),
        ),
        ("verify", described(words(["primary"]), "A better MX is asked about each recipient")),
        (
            "verify-down",
            described(
                words(UNVERIFIED.map(|(_, word)| word)),
                "What is said where it cannot be asked: defer is 450",
            ),
        ),
    ]
}

fn tls() -> Value {
    let certificate = table(
        "What its certificate is like",
        &[],
        [
            (
                "names",
                described(
                    list(json!({ "type": "string" })),
                    "The names that it is for; otherwise the host's own",
                ),
            ),
            ("expires", described(duration(), "When it expires, from the beginning of the drill")),
            (
                "trusted",
                json!({ "type": "boolean", "default": true, "description": "false: nobody trusts its issuer" }),
            ),
            (
                "tlsa",
                json!({ "type": "boolean", "default": false, "description": "The zone has a TLSA record for it" }),
            ),
        ],
    );
    json!({ "description": "It offers STARTTLS", "anyOf": [{ "const": true }, certificate] })
}

fn sts() -> Value {
    table(
        "The MTA-STS policy that the host `mta-sts` of a domain serves (RFC 8461)",
        &[],
        [
            (
                "mode",
                described(
                    words(StsMode::ALL.map(StsMode::word)),
                    "What senders make of it; otherwise enforce",
                ),
            ),
            (
                "mx",
                described(
                    list(json!({ "type": "string" })),
                    "The MX that it names; the first label may be *",
                ),
            ),
            ("max-age", described(duration(), "How long it may be remembered; otherwise 1d")),
        ],
    )
}

fn flag(what: &str) -> Value {
    json!({ "type": "boolean", "description": what })
}

fn retry() -> Value {
    let times = |keys: &[&'static str]| -> Vec<(&'static str, Value)> {
        keys.iter().map(|key| (*key, duration())).collect()
    };
    let mut power = times(&["unit"]);
    power.push(("exponent", json!({ "type": "integer", "minimum": 1, "maximum": 8 })));
    let mut geometric = times(&["first", "max"]);
    geometric.push(("factor", json!({ "type": "number", "minimum": 1 })));
    let mut retry = table(
        "A retry schedule, or a part of the profile's own kind",
        &[],
        [
            ("list", described(list(duration()), "Waits between attempts, the last one repeated")),
            (
                "age",
                table(
                    "The age of the message clamped to min..max, seen every scan (Postfix)",
                    &[],
                    times(&["min", "max", "scan"]),
                ),
            ),
            ("rules", text("Exim's rules: F,2h,15m; G,16h,1h,1.5")),
            ("power", table("Attempt k at unit * k^exponent", &[], power)),
            ("geometric", table("Each wait a factor of the last", &[], geometric)),
        ],
    );
    retry["maxProperties"] = json!(1);
    retry["minProperties"] = json!(1);
    retry
}

fn timeouts() -> Value {
    let stages = ["connect", "greeting", "ehlo", "starttls", "mail", "rcpt", "data", "block", "dot", "quit"];
    table("Client timeouts (RFC 5321 4.5.3.2)", &[], stages.map(|stage| (stage, duration())))
}

/// A table of these keys and no others.
fn table<'k>(what: &str, required: &[&str], keys: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let properties: Map<String, Value> =
        keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut table = json!({ "type": "object", "description": what, "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn text(what: &str) -> Value {
    json!({ "type": "string", "description": what })
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Value {
    json!({ "enum": words.into_iter().collect::<Vec<_>>() })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn one_or_more(item: Value) -> Value {
    json!({ "anyOf": [item.clone(), { "type": "array", "items": item }] })
}

fn reference(name: &str) -> Value {
    // In draft-07 whatever stands beside `$ref` is ignored, so it stands in a list of its own.
    json!({ "allOf": [{ "$ref": format!("#/definitions/{name}") }] })
}

fn duration() -> Value {
    reference("duration")
}

fn described(mut value: Value, what: &str) -> Value {
    value["description"] = json!(what);
    value
}
