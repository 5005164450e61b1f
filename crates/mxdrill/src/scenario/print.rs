//! A scenario as TOML that reads back to the same.

mod action;
mod host;

use std::{collections::BTreeMap, fmt, time::Duration};

use bytes::Bytes;
use mxdrill_ledger::Span;

use super::{
    Action, Content, Scenario, Send,
    toml_text::{Node, Table, key, lines, multi_line, pairs, put, quoted, step},
};

/// A scenario on its way to text: what a builder adds to, and what a scenario becomes before it is printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    /// Keys above the first table.
    pub(crate) head: Table,
    /// `[unchecked]`
    pub(crate) unchecked: Table,
    /// The zone's text.
    pub(crate) zone: String,
    /// Whether its answers are authentic.
    pub(crate) secure: bool,
    /// `[host.NAME]`
    pub(crate) hosts: Vec<(String, Table)>,
    /// `[[step]]`: time, action and its value.
    pub(crate) steps: Vec<(Duration, &'static str, Node)>,
    /// What is in the files that it names.
    pub(crate) files: BTreeMap<String, Bytes>,
}

impl Scenario {
    /// The scenario as a TOML file. Reading it gives the same scenario, but for its name, which is the file's;
    /// messages that it takes from files must be beside it.
    pub fn to_toml(&self) -> String {
        Document::from(self).to_string()
    }
}

impl From<&Scenario> for Document {
    fn from(scenario: &Scenario) -> Document {
        let mut before = None;
        let steps = scenario.steps.iter().map(|step| {
            let (word, node) = action::node(&step.action, scenario, before);
            if let Action::Send(send) = &step.action {
                before = Some(send);
            }
            (step.at, word, node)
        });
        let steps = steps.collect();
        Document {
            head: head(scenario),
            unchecked: scenario
                .unchecked
                .iter()
                .map(|off| (off.check.clone(), Node::text(&off.reason)))
                .collect(),
            zone: scenario.zone.text.clone(),
            secure: scenario.zone.secure,
            hosts: scenario.hosts.iter().map(|host| (host.label.clone(), host::table(host))).collect(),
            steps,
            files: files(scenario),
        }
    }
}

fn files(scenario: &Scenario) -> BTreeMap<String, Bytes> {
    let sends = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Send(Send { content: Content::File { path, bytes }, .. }) => {
            Some((path.clone(), bytes.clone()))
        }
        _ => None,
    });
    sends.collect()
}

fn head(scenario: &Scenario) -> Table {
    let mut head = vec![("title".to_owned(), Node::text(&scenario.title))];
    put(&mut head, "why", scenario.why.as_ref().map(Node::text));
    put(&mut head, "seed", Some(Node::plain(scenario.seed)));
    if let Some(restriction) = &scenario.worlds {
        put(&mut head, "worlds", Some(Node::texts(&restriction.only)));
        put(&mut head, "worlds-why", Some(Node::text(&restriction.reason)));
    }
    put(&mut head, "site", (!scenario.site).then(|| Node::plain(false)));
    put(&mut head, "end", scenario.end.map(duration));
    head
}

/// A duration.
pub(crate) fn duration(duration: Duration) -> Node {
    Node::text(Span(duration).to_string())
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&lines(&pairs(&self.head)))?;
        if !self.unchecked.is_empty() {
            write!(f, "\n[unchecked]\n{}", lines(&pairs(&self.unchecked)))?;
        }
        writeln!(f, "\n[zone]")?;
        if self.secure {
            writeln!(f, "secure = true")?;
        }
        writeln!(f, "text = {}", multi_line(&self.zone))?;
        for (index, (name, table)) in self.hosts.iter().enumerate() {
            let gap = if index == 0 { "\n" } else { "" };
            write!(f, "{gap}[host.{}]\n{}", key(name), lines(&pairs(table)))?;
        }
        for (index, (at, word, node)) in self.steps.iter().enumerate() {
            let gap = if index == 0 { "\n" } else { "" };
            write!(f, "{gap}{}", step(&quoted(&Span(*at).to_string()), word, node))?;
        }
        Ok(())
    }
}
