//! Places for things that come and go, numbered, and checked against use after they went.

/// Names a thing in a [`Slab`]; outlives it harmlessly, for the place has a new generation then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    index: u32,
    generation: u32,
}

/// A slab whose places keep their value when freed, so that its buffers are used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    /// Odd while in use.
    generation: u32,
    value: T,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }
}

impl<T: Default> Slab<T> {
    /// Takes a place, whose value is as the last user left it.
    pub(super) fn take(&mut self) -> (Key, &mut T) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, value: T::default() });
            self.places.len() as u32 - 1
        });
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        (Key { index, generation: place.generation }, &mut place.value)
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let place = &self.places[key.index as usize];
        (place.generation == key.generation).then_some(&place.value)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = &mut self.places[key.index as usize];
        (place.generation == key.generation).then_some(&mut place.value)
    }

    /// Gives a place back, and its value to be emptied.
    pub(super) fn free(&mut self, key: Key) -> Option<&mut T> {
        let place = &mut self.places[key.index as usize];
        if place.generation != key.generation {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.index);
        Some(&mut place.value)
    }

    /// The keys in use, in the order of their places, which is the same in every run.
    pub(super) fn keys(&self) -> Vec<Key> {
        let used = self.places.iter().enumerate().filter(|(_, place)| place.generation % 2 == 1);
        used.map(|(index, place)| Key { index: index as u32, generation: place.generation }).collect()
    }
}
