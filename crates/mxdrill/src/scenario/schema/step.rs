//! Steps in the schema.

use mxdrill_ledger::Measure;
use mxdrill_smtp::Stage;
use serde_json::{Map, Value, json};

use super::{described, duration, list, one_or_more, reference, table, text, words};
use crate::scenario::{Answer, Body, Connect, Moment, TlsFault};

const ACTIONS: [&str; 6] = ["send", "fault", "clear", "flush", "set", "expect"];

pub(super) fn definitions() -> Map<String, Value> {
    let all = [
        ("step", step()),
        ("send", send()),
        ("fault", fault()),
        ("clear", clear()),
        ("set", set()),
        ("expect", expect()),
        ("figure", figure()),
        (
            "flush",
            described(reference("place"), "A host that tries its whole queue at once (ETRN, postqueue -f)"),
        ),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn step() -> Value {
    let at = [("at", described(duration(), "When, counted from the beginning"))];
    let actions = ACTIONS.map(|action| (action, reference(action)));
    let times =
        json!({ "type": "integer", "minimum": 2, "maximum": 1000, "description": "How often in all" });
    let repeat = table("Again and again", &["every", "times"], [("every", duration()), ("times", times)]);
    let keys = at.into_iter().chain(actions).chain([("repeat", repeat)]);
    let mut step = table("A step: a time and one action", &["at"], keys);
    step["oneOf"] = ACTIONS.map(|action| json!({ "required": [action] })).into();
    step
}

fn send() -> Value {
    let notify = words(["never", "success", "failure", "delay"]);
    table(
        "Mail; what it omits is taken from the send before",
        &[],
        [
            ("by", described(reference("place"), "The host that originates it")),
            ("from", text("The envelope sender; <> is null")),
            (
                "to",
                described(
                    one_or_more(json!({ "type": "string" })),
                    "An address, a list of them (one message), or u{1..500}@example.test",
                ),
            ),
            ("count", json!({ "type": "integer", "minimum": 1, "description": "How many messages" })),
            ("over", described(duration(), "Spread evenly over this time")),
            ("rate", reference("rate")),
            ("for", described(duration(), "For how long, with rate")),
            ("size", described(reference("size"), "Octets of the body")),
            ("body", described(words(Body::ALL.iter().map(|body| body.word())), "What kind of body")),
            ("message", text("A message in a file beside the scenario")),
            (
                "forged",
                json!({ "type": "boolean", "description": "The sender never sent it: a bounce to it is backscatter" }),
            ),
            ("notify", described(one_or_more(notify), "What the sender wants to hear (RFC 3461)")),
        ],
    )
}

fn fault() -> Value {
    let common = [
        ("name", text("A name to clear it by")),
        ("host", described(reference("place"), "The host")),
        ("link", text("A way such as mx2>mx1, or mx2<>mx1 for both ways")),
        ("dns", reference("dns")),
        ("for", described(duration(), "How long; otherwise until it is cleared")),
        ("may-miss", json!({ "type": "boolean", "description": "It may stay without effect" })),
        ("may-bounce", json!({ "type": "boolean", "description": "Mail may be given up because of it" })),
        ("answer", described(words(Answer::ALL.iter().map(|word| word.word())), "A wrong answer of the DNS")),
    ];
    let keys = common.into_iter().chain(of_a_host()).chain(of_the_dialogue()).chain(of_a_link());
    let mut fault = table("Something wrong, from this time on", &[], keys);
    fault["oneOf"] = json!([{ "required": ["host"] }, { "required": ["link"] }, { "required": ["dns"] }]);
    fault
}

fn truth(what: &str) -> Value {
    json!({ "const": true, "description": what })
}

fn moments() -> Value {
    words(Moment::ALL.iter().map(|moment| moment.word()))
}

fn of_a_host() -> Vec<(&'static str, Value)> {
    let max = json!({ "type": "integer", "minimum": 0, "description": "Further clients are told 421" });
    let crash = json!({ "anyOf": [{ "const": true }, moments()] });
    vec![
        ("connect", described(words(Connect::ALL.iter().map(|word| word.word())), "How it meets connects")),
        ("crash", described(crash, "Loses power; comes back when the fault ends")),
        ("restart", truth("Loses power and comes back at once")),
        ("disk", described(words(["full"]), "Nothing more can be stored")),
        ("max-connections", max),
        ("greylist", described(duration(), "Each client, sender and recipient waits so long")),
        ("size", described(reference("size"), "Larger messages are refused")),
        ("tls", described(words(TlsFault::ALL.iter().map(|word| word.word())), "What is wrong with its TLS")),
    ]
}

fn of_the_dialogue() -> Vec<(&'static str, Value)> {
    let number = |what: &str| json!({ "type": "integer", "minimum": 1, "description": what });
    let stages = words(Stage::ALL[1..].iter().map(|stage| stage.word()));
    let matching = [
        ("client", reference("place")),
        ("sender", text("The envelope sender; <> is null")),
        ("recipient", text("An address, or @example.test")),
    ];
    vec![
        ("stage", described(stages, "At which stage of the dialogue")),
        ("reply", text("What it says instead: 451 4.3.0 later")),
        ("drop", described(moments(), "Drops the connection at this moment of the stage")),
        ("delay", described(duration(), "Waits before replying, or answering")),
        ("tarpit", described(reference("speed"), "Sends the reply at so many octets a second")),
        ("first", number("Only the first so many times")),
        ("every", number("Only every so many times")),
        ("odds", reference("odds")),
        ("per", described(reference("rate"), "Only what exceeds this rate, for each client")),
        ("match", table("In which sessions", &[], matching)),
    ]
}

fn of_a_link() -> Vec<(&'static str, Value)> {
    vec![
        ("partition", truth("Nothing passes")),
        ("latency", described(duration(), "One-way delay")),
        ("loss", described(reference("odds"), "The chance of losing a packet")),
        ("bandwidth", reference("speed")),
        ("cut-after", described(reference("size"), "Each connection is reset after so many octets")),
    ]
}

fn clear() -> Value {
    let by_name = text("A host and so all its faults, a fault's name, a link, or a name in the DNS");
    let dns = table("A name in the DNS that is also a host", &["dns"], [("dns", reference("dns"))]);
    json!({ "anyOf": [by_name, dns] })
}

fn set() -> Value {
    let to = one_or_more(json!({ "type": "string" }));
    table(
        "Replaces a record set",
        &["dns", "to"],
        [
            ("dns", reference("dns")),
            ("to", described(to, "The data of each record, such as 10 mx1; none deletes")),
            ("ttl", duration()),
        ],
    )
}

fn expect() -> Value {
    let eventually =
        ("eventually", described(duration(), "At some moment within this time, rather than now"));
    let figures = Measure::ALL.iter().map(|(_, word)| (*word, reference("figure")));
    let mut expect = table("Figures that must hold at this time", &[], figures.chain([eventually]));
    expect["minProperties"] = json!(1);
    expect
}

/// `queued.mx2 = 40`: by host, place, `all` or statistic.
fn figure() -> Value {
    let one = json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] });
    let mut figure = json!({ "type": "object", "description": "Of a host, all, or a statistic: 40, \"<= 40\", \"<= 3h30m\"" });
    figure["additionalProperties"] = json!({ "anyOf": [one.clone(), list(one)] });
    figure
}
