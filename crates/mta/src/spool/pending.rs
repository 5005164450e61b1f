//! Which recipients of a message are still to be served.

/// A set of recipients, counted from 0, of which most messages have few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending(Bits);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Bits {
    /// Up to 64 recipients.
    Few(u64),
    Many(Box<[u64]>),
}

impl Pending {
    /// All of so many recipients.
    pub fn all(recipients: usize) -> Pending {
        match recipients {
            0 => Pending::none(),
            1..=64 => Pending(Bits::Few(u64::MAX >> (64 - recipients))),
            _ => {
                let mut words = vec![u64::MAX; recipients.div_ceil(64)];
                if let Some(last) = words.last_mut() {
                    *last >>= (64 - recipients % 64) % 64;
                }
                Pending(Bits::Many(words.into()))
            }
        }
    }

    /// Nobody.
    pub fn none() -> Pending {
        Pending(Bits::Few(0))
    }

    fn words(&self) -> &[u64] {
        match &self.0 {
            Bits::Few(word) => std::slice::from_ref(word),
            Bits::Many(words) => words,
        }
    }

    /// Whether this recipient is to be served.
    pub fn contains(&self, recipient: u16) -> bool {
        let word = self.words().get(usize::from(recipient / 64)).copied().unwrap_or(0);
        word >> (recipient % 64) & 1 == 1
    }

    /// Takes a recipient out, and says whether it was in.
    pub fn remove(&mut self, recipient: u16) -> bool {
        let was = self.contains(recipient);
        if was {
            let words = match &mut self.0 {
                Bits::Few(word) => std::slice::from_mut(word),
                Bits::Many(words) => words,
            };
            words[usize::from(recipient / 64)] &= !(1 << (recipient % 64));
        }
        was
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.words().iter().all(|word| *word == 0)
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.words().iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those that are left, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..64 * self.words().len()).filter_map(|n| u16::try_from(n).ok()).filter(|n| self.contains(*n))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Pending;

    #[test]
    fn a_set_for_most_messages_is_two_words() {
        assert_eq!(size_of::<Pending>(), 16);
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(count in 0usize..300, gone in prop::collection::vec(0u16..320, 0..400)) {
            let mut pending = Pending::all(count);
            let mut model: BTreeSet<u16> = (0..count as u16).collect();
            for recipient in gone {
                prop_assert_eq!(pending.remove(recipient), model.remove(&recipient));
                prop_assert_eq!(pending.len(), model.len());
                prop_assert_eq!(pending.is_empty(), model.is_empty());
            }
            prop_assert_eq!(pending.iter().collect::<BTreeSet<_>>(), model);
        }
    }
}
