//! Faults of the network, brought about by the packet filter of the kernel: each rule counts what it met, so that a
//! fault that bit is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    net::IpAddr,
    process::{Command, Stdio},
};

use mxdrill_net::{Access, Tag};
use serde::Deserialize;

use crate::tool::{self, ToolError};

/// The packet filter of one network namespace.
#[derive(Debug)]
pub(crate) struct Firewall {
    rules: Rules,
    /// The process whose network namespace it is; this one's own if `None`.
    of: Option<u32>,
    bitten: BTreeSet<Tag>,
}

/// What the filter does now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rules {
    /// How connects to port 25 of an address are met.
    doors: BTreeMap<IpAddr, Access>,
    /// From where to where nothing passes.
    cuts: BTreeMap<(IpAddr, IpAddr), Tag>,
    /// Whether sessions that stand when a door is shut are reset.
    resets: bool,
}

impl Firewall {
    /// A filter that lets everything pass. `resets` says whether a door that is shut resets the sessions that stand:
    /// where time is hurried, clients still hold those that they would have given up long ago.
    pub(crate) fn new(of: Option<u32>, resets: bool) -> Firewall {
        let rules = Rules { resets, ..Rules::default() };
        Firewall { rules, of, bitten: BTreeSet::new() }
    }

    /// Connects to these addresses are met so from now on.
    pub(crate) fn meet(&mut self, addresses: &[IpAddr], access: Access) -> Result<(), ToolError> {
        let mut rules = self.rules.clone();
        for address in addresses {
            match access {
                Access::Open => rules.doors.remove(address),
                access => rules.doors.insert(*address, access),
            };
        }
        self.set(rules)
    }

    /// Nothing passes from here to there, or everything does again.
    pub(crate) fn cut(&mut self, from: &[IpAddr], to: &[IpAddr], tag: Option<Tag>) -> Result<(), ToolError> {
        let mut rules = self.rules.clone();
        for way in from.iter().flat_map(|from| to.iter().map(|to| (*from, *to))) {
            match tag {
                None => rules.cuts.remove(&way),
                Some(tag) => rules.cuts.insert(way, tag),
            };
        }
        self.set(rules)
    }

    fn set(&mut self, rules: Rules) -> Result<(), ToolError> {
        if rules == self.rules {
            return Ok(());
        }
        self.count()?; // the counters begin anew with the rules
        self.load(&rules.script())?;
        self.rules = rules;
        Ok(())
    }

    /// The faults that bit since this was last asked.
    pub(crate) fn bitten(&mut self) -> Result<BTreeSet<Tag>, ToolError> {
        self.count()?;
        Ok(std::mem::take(&mut self.bitten))
    }

    fn count(&mut self) -> Result<(), ToolError> {
        if self.rules.is_empty() {
            return Ok(());
        }
        let listed = tool::output(self.nft().args(["-j", "list", "counters", "table", "inet", "mxdrill"]))?;
        self.bitten.extend(counted(&listed));
        Ok(())
    }

    fn nft(&self) -> Command {
        match self.of {
            None => Command::new("nft"),
            Some(process) => {
                let mut command = Command::new("nsenter");
                command.args(["--target", &process.to_string(), "--net", "--", "nft"]);
                command
            }
        }
    }

    /// Puts a whole table in the place of the last, at once.
    fn load(&self, script: &str) -> Result<(), ToolError> {
        let mut command = self.nft();
        command.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = |source| ToolError::Start { command: "nft -f -".into(), source };
        let mut child = command.spawn().map_err(started)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes()).map_err(started)?;
        }
        let done = child.wait_with_output().map_err(started)?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(ToolError::Failed { command: "nft -f -".into(), said })
    }
}

impl Rules {
    fn is_empty(&self) -> bool {
        self.doors.is_empty() && self.cuts.is_empty()
    }

    fn script(&self) -> String {
        let mut text = String::from("table inet mxdrill\ndelete table inet mxdrill\ntable inet mxdrill {\n");
        let doors = self.doors.values().filter_map(tag);
        let tags: BTreeSet<Tag> = doors.chain(self.cuts.values().copied()).collect();
        for Tag(number) in tags {
            _ = writeln!(text, "  counter fault{number} {{ }}");
        }
        for hook in ["input", "forward", "output"] {
            _ = writeln!(text, "  chain {hook} {{\n    type filter hook {hook} priority 0; policy accept;");
            for ((from, to), Tag(number)) in &self.cuts {
                let (saddr, daddr) = (side("saddr", *from), side("daddr", *to));
                _ = writeln!(text, "    {saddr} {daddr} counter name fault{number} drop");
            }
            if hook == "input" {
                self.doors
                    .iter()
                    .for_each(|(address, access)| door(&mut text, *address, *access, self.resets));
            }
            text += "  }\n";
        }
        text + "}\n"
    }
}

/// A rule for the first packet of a connection, and one for what stands, if that is to be reset.
fn door(text: &mut String, address: IpAddr, access: Access, resets: bool) {
    let Some(Tag(number)) = tag(&access) else { return };
    let how = match access {
        Access::Open => return,
        Access::Refuse(_) => "reject with tcp reset",
        Access::Blackhole(_) => "drop",
        Access::Unreachable(_) => "reject with icmpx type host-unreachable",
    };
    let daddr = side("daddr", address);
    let first = "tcp dport 25 tcp flags & (fin|syn|rst|ack) == syn";
    _ = writeln!(text, "    {daddr} {first} counter name fault{number} {how}");
    if resets {
        _ = writeln!(text, "    {daddr} tcp dport 25 reject with tcp reset");
    }
}

fn side(side: &str, address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("ip {side} {address}"),
        IpAddr::V6(address) => format!("ip6 {side} {address}"),
    }
}

fn tag(access: &Access) -> Option<Tag> {
    match access {
        Access::Open => None,
        Access::Refuse(tag) | Access::Blackhole(tag) | Access::Unreachable(tag) => Some(*tag),
    }
}

/// What `nft -j list counters` prints (libnftables-json(5)).
#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    counter: Option<Counter>,
}

#[derive(Deserialize)]
struct Counter {
    name: String,
    packets: u64,
}

/// The faults whose counters met a packet.
fn counted(listed: &str) -> BTreeSet<Tag> {
    let Ok(listing) = serde_json::from_str::<Listing>(listed) else { return BTreeSet::new() };
    let counters = listing.nftables.into_iter().filter_map(|item| item.counter);
    let met = counters.filter(|counter| counter.packets > 0);
    met.filter_map(|counter| counter.name.strip_prefix("fault")?.parse().ok().map(Tag)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_say_what_is_dropped_and_what_is_refused() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut rules = Rules::default();
        rules.doors.insert(ip("192.0.2.10"), Access::Refuse(Tag(0)));
        rules.doors.insert(ip("2001:db8::10"), Access::Blackhole(Tag(1)));
        rules.doors.insert(ip("192.0.2.11"), Access::Unreachable(Tag(1)));
        rules.cuts.insert((ip("192.0.2.20"), ip("192.0.2.10")), Tag(2));
        insta::assert_snapshot!(rules.script(), @r"
        table inet mxdrill
        delete table inet mxdrill
        table inet mxdrill {
          counter fault0 { }
          counter fault1 { }
          counter fault2 { }
          chain input {
            type filter hook input priority 0; policy accept;
            ip saddr 192.0.2.20 ip daddr 192.0.2.10 counter name fault2 drop
            ip daddr 192.0.2.10 tcp dport 25 tcp flags & (fin|syn|rst|ack) == syn counter name fault0 reject with tcp reset
            ip daddr 192.0.2.11 tcp dport 25 tcp flags & (fin|syn|rst|ack) == syn counter name fault1 reject with icmpx type host-unreachable
            ip6 daddr 2001:db8::10 tcp dport 25 tcp flags & (fin|syn|rst|ack) == syn counter name fault1 drop
          }
          chain forward {
            type filter hook forward priority 0; policy accept;
            ip saddr 192.0.2.20 ip daddr 192.0.2.10 counter name fault2 drop
          }
          chain output {
            type filter hook output priority 0; policy accept;
            ip saddr 192.0.2.20 ip daddr 192.0.2.10 counter name fault2 drop
          }
        }
        ");
    }

    #[test]
    fn in_a_hurry_sessions_that_stand_are_reset() {
        let mut rules = Rules { resets: true, ..Rules::default() };
        rules.doors.insert("192.0.2.10".parse().unwrap(), Access::Refuse(Tag(0)));
        let script = rules.script();
        let about: Vec<&str> = script.lines().filter(|line| line.contains("192.0.2.10")).collect();
        assert_eq!(about.last(), Some(&"    ip daddr 192.0.2.10 tcp dport 25 reject with tcp reset"));
        assert_eq!(about.len(), 2);
    }

    #[test]
    fn only_what_met_a_packet_bit() {
        let listed = r#"{"nftables": [{"metainfo": {"json_schema_version": 1}},
            {"counter": {"name": "fault0", "table": "mxdrill", "packets": 3, "bytes": 180}},
            {"counter": {"name": "fault1", "table": "mxdrill", "packets": 0, "bytes": 0}}]}"#;
        assert_eq!(counted(listed), BTreeSet::from([Tag(0)]));
        assert_eq!(counted("nonsense"), BTreeSet::new());
    }
}
