//! Steps as tables. A send says only what differs from the send before.

use mxdrill_ledger::Comparison;
use mxdrill_smtp::{Notify, Reply, ReversePath};

use super::{duration, host::octets};
use crate::scenario::{
    Action, Body, Clear, Content, Crash, Dialogue, DnsFault, DnsName, Expect, Fault, FaultKind, HostFault,
    LinkFault, Matching, Moment, Place, RecipientPattern, Record, Scenario, Send, Spacing, To, Trigger, When,
    toml_text::{Node, Table, put},
    units::print_odds,
};

/// The word of an action, and its value.
pub(super) fn node(action: &Action, scenario: &Scenario, before: Option<&Send>) -> (&'static str, Node) {
    match action {
        Action::Send(send) => ("send", Node::Table(self::send(send, scenario, before))),
        Action::Fault(fault) => ("fault", Node::Table(self::fault(fault))),
        Action::Clear(clear) => ("clear", self::clear(clear)),
        Action::Flush(place) => ("flush", Node::text(place.to_string())),
        Action::Set(record) => ("set", Node::Table(set(record))),
        Action::Expect(expect) => ("expect", Node::Table(self::expect(expect))),
    }
}

fn send(send: &Send, scenario: &Scenario, before: Option<&Send>) -> Table {
    let mut table = Table::new();
    let base = before.cloned().or_else(|| scenario.default_recipient().map(Send::new));
    let to = base.as_ref().is_none_or(|base| base.to != send.to);
    let base = base.unwrap_or_else(|| Send::new(send.to.clone()));
    put(&mut table, "by", (send.by != base.by).then(|| Node::text(send.by.to_string())));
    put(&mut table, "from", (send.from != base.from).then(|| reverse_path(&send.from)));
    put(&mut table, "to", to.then(|| self::to(&send.to)));
    spacing(&mut table, send.spacing, base.spacing);
    content(&mut table, &send.content, &base.content);
    put(&mut table, "forged", (send.forged != base.forged).then(|| Node::plain(send.forged)));
    put(&mut table, "notify", (send.notify != base.notify).then(|| notify(send.notify)));
    table
}

fn reverse_path(path: &ReversePath) -> Node {
    Node::text(path.0.as_ref().map_or_else(|| "<>".into(), ToString::to_string))
}

fn to(to: &To) -> Node {
    match to {
        To::One(address) => Node::text(address.to_string()),
        To::Several(addresses) => Node::texts(addresses),
        To::Numbered { before, first, last, after } => {
            Node::text(format!("{before}{{{first}..{last}}}{after}"))
        }
    }
}

fn spacing(table: &mut Table, spacing: Spacing, base: Spacing) {
    match (spacing, base) {
        (Spacing::Over { count, over }, base) => {
            let (known, base_count, base_over) = match base {
                Spacing::Over { count, over } => (true, count, over),
                Spacing::Rate { .. } => (false, 1, std::time::Duration::ZERO),
            };
            put(table, "count", (!known || count != base_count).then(|| Node::plain(count)));
            put(table, "over", (over != base_over).then(|| duration(over)));
        }
        (Spacing::Rate { rate, lasting }, base) => {
            let (base_rate, base_lasting) = match base {
                Spacing::Rate { rate, lasting } => (Some(rate), Some(lasting)),
                Spacing::Over { .. } => (None, None),
            };
            put(table, "rate", (Some(rate) != base_rate).then(|| Node::text(rate.to_string())));
            put(table, "for", (Some(lasting) != base_lasting).then(|| duration(lasting)));
        }
    }
}

fn content(table: &mut Table, content: &Content, base: &Content) {
    match (content, base) {
        (content, base) if content == base => {}
        (Content::File { path, .. }, _) => put(table, "message", Some(Node::text(path))),
        (Content::Made { body, size }, base) => {
            let (known, base_body, base_size) = match base {
                Content::Made { body, size } => (true, *body, *size),
                Content::File { .. } => (false, Body::SevenBit, 1024),
            };
            put(table, "body", (!known || *body != base_body).then(|| Node::text(body.word())));
            put(table, "size", (*size != base_size).then(|| octets(*size)));
        }
    }
}

fn notify(notify: Notify) -> Node {
    let words = [
        (notify.never, "never"),
        (notify.success, "success"),
        (notify.failure, "failure"),
        (notify.delay, "delay"),
    ];
    let words: Vec<&str> = words.into_iter().filter_map(|(set, word)| set.then_some(word)).collect();
    match words[..] {
        [word] => Node::text(word),
        _ => Node::texts(words),
    }
}

fn fault(fault: &Fault) -> Table {
    let mut table = Table::new();
    put(&mut table, "name", fault.name.as_ref().map(Node::text));
    match &fault.kind {
        FaultKind::Host(place, fault) => {
            put(&mut table, "host", Some(Node::text(place.to_string())));
            host_fault(&mut table, fault);
        }
        FaultKind::Link { from, to, both, fault } => {
            put(&mut table, "link", Some(Node::text(link(from, to, *both))));
            link_fault(&mut table, fault);
        }
        FaultKind::Dns { name, kind, fault } => {
            put(&mut table, "dns", Some(Node::text(name_and_type(name, *kind))));
            match fault {
                DnsFault::Answer(answer) => put(&mut table, "answer", Some(Node::text(answer.word()))),
                DnsFault::Delay(delay) => put(&mut table, "delay", Some(duration(*delay))),
            }
        }
    }
    put(&mut table, "for", fault.lasting.map(duration));
    put(&mut table, "may-miss", fault.may_miss.then(|| Node::plain(true)));
    put(&mut table, "may-bounce", fault.may_bounce.then(|| Node::plain(true)));
    table
}

fn host_fault(table: &mut Table, fault: &HostFault) {
    let (word, node) = match fault {
        HostFault::Connect(connect) => ("connect", Node::text(connect.word())),
        HostFault::Dialogue(it) => return dialogue(table, it),
        HostFault::Crash(None) => ("crash", Node::plain(true)),
        HostFault::Crash(Some(at)) => return crash(table, at),
        HostFault::Restart => ("restart", Node::plain(true)),
        HostFault::DiskFull => ("disk", Node::text("full")),
        HostFault::MaxConnections(max) => ("max-connections", Node::plain(max)),
        HostFault::Greylist(time) => ("greylist", duration(*time)),
        HostFault::Size(size) => ("size", octets(*size)),
        HostFault::Tls(tls) => ("tls", Node::text(tls.word())),
    };
    put(table, word, Some(node));
}

fn dialogue(table: &mut Table, it: &Dialogue) {
    put(table, "stage", Some(Node::text(it.stage.word())));
    put(table, "reply", it.reply.as_ref().map(|reply| Node::text(reply_text(reply))));
    put(table, "drop", it.drop.map(|moment| Node::text(moment.word())));
    put(table, "delay", it.delay.map(duration));
    put(table, "tarpit", it.tarpit.map(Node::plain));
    trigger(table, &it.trigger);
    matching(table, &it.matching);
}

fn crash(table: &mut Table, at: &Crash) {
    put(table, "stage", Some(Node::text(at.stage.word())));
    let moment = match at.moment {
        Moment::AtOnce => Node::plain(true),
        moment => Node::text(moment.word()),
    };
    put(table, "crash", Some(moment));
    trigger(table, &at.trigger);
    matching(table, &at.matching);
}

fn reply_text(reply: &Reply) -> String {
    let mut text = reply.code.number().to_string();
    if let Some(enhanced) = reply.enhanced {
        text += &format!(" {enhanced}");
    }
    if !reply.text.is_empty() {
        text += &format!(" {}", reply.text);
    }
    text
}

fn trigger(table: &mut Table, trigger: &Trigger) {
    put(table, "first", trigger.first.map(Node::plain));
    put(table, "every", trigger.every.map(Node::plain));
    put(table, "odds", trigger.odds_ppm.map(|ppm| Node::plain(print_odds(ppm))));
    put(table, "per", trigger.per.map(|rate| Node::text(rate.to_string())));
}

fn matching(table: &mut Table, matching: &Matching) {
    let mut inner = Table::new();
    put(&mut inner, "client", matching.client.as_ref().map(|place| Node::text(place.to_string())));
    put(&mut inner, "sender", matching.sender.as_ref().map(reverse_path));
    put(
        &mut inner,
        "recipient",
        matching.recipient.as_ref().map(|recipient| match recipient {
            RecipientPattern::Address(address) => Node::text(address.to_string()),
            RecipientPattern::Domain(domain) => Node::text(format!("@{domain}")),
        }),
    );
    put(table, "match", (!inner.is_empty()).then_some(Node::Table(inner)));
}

fn link(from: &Place, to: &Place, both: bool) -> String {
    format!("{from}{}{to}", if both { "<>" } else { ">" })
}

fn link_fault(table: &mut Table, fault: &LinkFault) {
    let rate = |bytes: u64| Node::text(format!("{}/s", super::super::Octets(bytes)));
    put(table, "partition", fault.partition.then(|| Node::plain(true)));
    put(table, "latency", fault.latency.map(duration));
    put(table, "loss", fault.loss_ppm.map(|ppm| Node::plain(print_odds(ppm))));
    put(table, "bandwidth", fault.bandwidth.map(rate));
    put(table, "cut-after", fault.cut_after.map(octets));
}

fn name_and_type(name: &DnsName, kind: Option<mxdrill_dns::RecordType>) -> String {
    kind.map_or_else(|| name.to_string(), |kind| format!("{name} {kind}"))
}

fn clear(clear: &Clear) -> Node {
    match clear {
        Clear::Host(place) => Node::text(place.to_string()),
        Clear::Fault(name) => Node::text(name),
        Clear::Link { from, to, both } => Node::text(link(from, to, *both)),
        // As a string it would be the host.
        Clear::Dns { name: name @ DnsName::Host(_), kind: None } => {
            Node::Table(vec![("dns".into(), Node::text(name.to_string()))])
        }
        Clear::Dns { name, kind } => Node::text(name_and_type(name, *kind)),
    }
}

fn set(record: &Record) -> Table {
    let mut table = Table::new();
    put(&mut table, "dns", Some(Node::text(name_and_type(&record.name, Some(record.kind)))));
    put(&mut table, "to", Some(Node::texts(&record.to)));
    put(&mut table, "ttl", record.ttl.map(duration));
    table
}

/// Expectations of one measure stand in one table, several of one figure in an array.
fn expect(expect: &Expect) -> Table {
    let mut table = Table::new();
    if let When::Within(time) = expect.when {
        put(&mut table, "eventually", Some(duration(time)));
    }
    for expectation in &expect.expectations {
        let value = match (expectation.comparison, expectation.value()) {
            (Comparison::Equal, value) if value.bytes().all(|b| b.is_ascii_digit()) => Node::plain(value),
            (_, value) => Node::text(value),
        };
        let figures = entry(&mut table, expectation.figure.measure.word(), || Node::Table(Table::new()));
        let Node::Table(figures) = figures else { continue };
        match entry(figures, &expectation.figure.of.to_string(), || Node::Array(Vec::new())) {
            Node::Array(values) => values.push(value),
            other => *other = value,
        }
    }
    flatten(&mut table);
    table
}

/// The value of a key, put in where it is not there yet.
fn entry<'t>(table: &'t mut Table, key: &str, new: impl FnOnce() -> Node) -> &'t mut Node {
    let index = table.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
        table.push((key.to_owned(), new()));
        table.len() - 1
    });
    &mut table[index].1
}

/// An array of one is that one.
fn flatten(table: &mut Table) {
    for (_, node) in table {
        match node {
            Node::Table(inner) => flatten(inner),
            Node::Array(values) if values.len() == 1 => *node = values.remove(0),
            _ => {}
        }
    }
}
