//! The mail of a host: what lies in its queue, and what it delivered.

use std::{collections::BTreeMap, fs};

use super::{Host, HostError};
use crate::{adapter, tool::ToolError};

/// A recipient that a queue still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The recipient.
    pub recipient: String,
    /// The header of the message, line ends as the program prints them.
    pub header: String,
}

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The whole message, with what the program put on top.
    pub content: Vec<u8>,
}

impl Host {
    /// Looks into the queue.
    ///
    /// # Errors
    /// When the program does not tell.
    pub fn queue(&self) -> Result<Vec<Queued>, HostError> {
        let listed = self.sh(&self.adapter.queue)?;
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        let mut queue = Vec::new();
        for (id, recipient) in entries(&listed) {
            if !headers.contains_key(id) {
                headers.insert(id, self.header(id)?);
            }
            queue.push(Queued { recipient: recipient.into(), header: headers[id].clone() });
        }
        Ok(queue)
    }

    /// The header of a queued message. One that left the queue since it was listed has none.
    fn header(&self, id: &str) -> Result<String, HostError> {
        let mut values = self.values();
        values.insert("id".into(), vec![id.into()]);
        let line = adapter::fill(&self.adapter.show, &values)?;
        match self.sh(line.trim_end()) {
            Ok(header) => Ok(header),
            Err(ToolError::Failed { .. }) => Ok(String::new()),
            Err(why) => Err(why.into()),
        }
    }

    /// Makes everything in the queue due now.
    ///
    /// # Errors
    /// When the program refuses.
    pub fn flush(&self) -> Result<(), ToolError> {
        self.sh(&self.adapter.flush).map(drop)
    }

    /// How often its queue has to be made due, because its schedule cannot be hurried.
    pub fn nudge(&self) -> Option<std::time::Duration> {
        self.adapter.nudge(self.station.tuned)
    }

    /// What it delivered since this was last asked.
    ///
    /// # Errors
    /// When the inbox cannot be read.
    pub fn arrived(&mut self) -> Result<Vec<Arrived>, HostError> {
        let folder = self.path(&self.adapter.inbox).join("new");
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !self.seen.contains(name));
        names.sort();
        let mut arrived = Vec::new();
        for name in names {
            let path = folder.join(&name);
            let file = |source| ToolError::File { path: path.display().to_string(), source };
            arrived.push(Arrived { content: fs::read(&path).map_err(file)? });
            self.seen.insert(name);
        }
        Ok(arrived)
    }

    /// The version of the program.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn version(&self) -> Result<String, ToolError> {
        self.sh(&self.adapter.version).map(|text| text.trim().to_owned())
    }

    /// What the program logged so far.
    pub fn log(&self) -> String {
        let text = |path: &str| fs::read(self.path(path)).unwrap_or_default();
        let mut log = text(&self.adapter.log);
        if self.adapter.log != "/var/log/out" {
            log.extend(text("/var/log/out"));
        }
        String::from_utf8_lossy(&log).into_owned()
    }
}

/// Lines with an id and a recipient.
fn entries(listed: &str) -> impl Iterator<Item = (&str, &str)> {
    listed.lines().filter_map(|line| line.trim().split_once(' ')).map(|(id, to)| (id, to.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_a_line_for_each_recipient() {
        let listed = "4C1 user@example.test\n4C1 b@example.test\n\nnonsense\n";
        let found: Vec<_> = entries(listed).collect();
        assert_eq!(found, [("4C1", "user@example.test"), ("4C1", "b@example.test")]);
    }
}
