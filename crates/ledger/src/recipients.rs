//! Sets of recipients as violations name them: `17`, `17.2`, in ranges where they are many.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One recipient by its name: the number of the message, and which of its recipients where it has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecipientName {
    /// The number of the message.
    pub number: u32,
    /// Which of its recipients, counted from 1; `None` when there is one only.
    pub part: Option<u16>,
}

impl fmt::Display for RecipientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            None => write!(f, "{}", self.number),
            Some(part) => write!(f, "{}.{part}", self.number),
        }
    }
}

/// A set of recipients in the order in which they were added, neighbours kept as ranges: a million in a row cost
/// as much as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    runs: Vec<(RecipientName, RecipientName)>,
    count: u64,
}

impl Recipients {
    /// Adds one. Adding the last one again does nothing.
    pub fn add(&mut self, name: RecipientName) {
        if let Some((_, last)) = self.runs.last_mut() {
            if *last == name {
                return;
            }
            if follows(*last, name) {
                *last = name;
                self.count += 1;
                return;
            }
        }
        self.runs.push((name, name));
        self.count += 1;
    }

    /// Puts them in order, each once.
    pub fn tidy(&mut self) {
        let mut runs = std::mem::take(&mut self.runs);
        runs.sort_unstable();
        self.count = 0;
        for (first, last) in runs {
            match self.runs.last_mut() {
                Some((_, end)) if is_beside(*end, first) => *end = last.max(*end),
                _ => self.runs.push((first, last)),
            }
        }
        self.count = self.runs.iter().map(|(first, last)| expand(*first, *last).count() as u64).sum();
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All names, ranges written out.
    pub fn iter(&self) -> impl Iterator<Item = RecipientName> + '_ {
        self.runs.iter().flat_map(|(first, last)| expand(*first, *last))
    }
}

fn follows(last: RecipientName, next: RecipientName) -> bool {
    match (last.part, next.part) {
        (None, None) => next.number == last.number + 1,
        (Some(a), Some(b)) => next.number == last.number && b == a + 1,
        _ => false,
    }
}

/// Whether a run that begins so overlaps or continues one that ends so. Runs are in order.
fn is_beside(end: RecipientName, first: RecipientName) -> bool {
    let same_kind = match (end.part, first.part) {
        (None, None) => true,
        (Some(_), Some(_)) => end.number == first.number,
        _ => false,
    };
    same_kind && (first <= end || follows(end, first))
}

fn expand(first: RecipientName, last: RecipientName) -> impl Iterator<Item = RecipientName> {
    let parts = first.part.zip(last.part).map(|(a, b)| a..=b);
    let numbers = if parts.is_some() { None } else { Some(first.number..=last.number) };
    let of_parts = parts.into_iter().flatten().map(move |part| RecipientName { part: Some(part), ..first });
    let of_numbers = numbers.into_iter().flatten().map(|number| RecipientName { number, part: None });
    of_parts.chain(of_numbers)
}

impl FromIterator<RecipientName> for Recipients {
    fn from_iter<I: IntoIterator<Item = RecipientName>>(names: I) -> Self {
        let mut set = Recipients::default();
        names.into_iter().for_each(|name| set.add(name));
        set
    }
}

/// Ranges shown before the rest is only counted.
const SHOWN: usize = 8;

impl fmt::Display for Recipients {
    /// `11..50`, `3, 17.2`, and beyond eight ranges `and 12 more`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = 0;
        for (index, (first, last)) in self.runs.iter().take(SHOWN).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let dots = if follows(*first, *last) { ", " } else { ".." };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}{dots}{last}")?;
            }
            shown += expand(*first, *last).count() as u64;
        }
        if shown < self.count { write!(f, " and {} more", self.count - shown) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[(u32, u16)], shown: &str) {
        let name = |(number, part): &(u32, u16)| RecipientName {
            number: *number,
            part: (*part > 0).then_some(*part),
        };
        let set: Recipients = names.iter().map(name).collect();
        assert_eq!(set.to_string(), shown);
        assert_eq!(set.iter().collect::<Vec<_>>(), names.iter().map(name).collect::<Vec<_>>());
    }

    #[test]
    fn neighbours_are_shown_as_ranges() {
        check(&[], "");
        check(&[(17, 0)], "17");
        check(&[(17, 0), (18, 0)], "17, 18");
        check(&[(11, 0), (12, 0), (13, 0), (50, 0)], "11..13, 50");
        check(&[(17, 2), (17, 3), (17, 4), (18, 1)], "17.2..17.4, 18.1");
    }

    #[test]
    fn tidied_they_are_in_order_and_each_once() {
        let name = |(number, part): &(u32, u16)| RecipientName {
            number: *number,
            part: (*part > 0).then_some(*part),
        };
        let mut set: Recipients =
            [(14, 0), (15, 0), (3, 2), (11, 0), (12, 0), (13, 0), (14, 0), (3, 1)].iter().map(name).collect();
        set.tidy();
        assert_eq!(set.to_string(), "3.1, 3.2, 11..15");
        assert_eq!(set.len(), 7);
    }

    #[test]
    fn long_lists_end_in_a_count() {
        let every_other: Vec<_> = (0..20).map(|n| (2 * n, 0)).collect();
        check(&every_other, "0, 2, 4, 6, 8, 10, 12, 14 and 12 more");
    }
}
