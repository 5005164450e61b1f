//! Chance, keyed: every draw is a function of the seed and of what it is for, so adding one shifts no other.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The seed of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The draws for one purpose and key: (host, message or session, attempt ...). The same arguments give the
    /// same draws, on every computer.
    pub fn draw(self, purpose: &str, key: &[u64]) -> Draw {
        Draw(ChaCha8Rng::seed_from_u64(self.pick(purpose, key)))
    }

    /// A single draw, without a stream behind it: for what is drawn at every segment of a connection, where
    /// setting up a stream would cost more than the rest. Any 64-bit number.
    pub fn pick(self, purpose: &str, key: &[u64]) -> u64 {
        let mut state = mix(self.0 ^ 0x6d78_6472_696c_6c00);
        for chunk in purpose.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = mix(state ^ u64::from_le_bytes(word));
        }
        key.iter().fold(state, |state, part| mix(state.rotate_left(7) ^ part))
    }
}

/// Maps a drawn number onto `0..bound` by multiplication. Each is equally likely but for less than
/// `bound / 2^64`, which no network notices.
pub(crate) fn scale(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

/// The finaliser of splitmix64: spreads every bit of its input over all of its output.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A short stream of draws for one purpose.
#[derive(Clone, Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// Any 64-bit number.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, each equally likely (Lemire's multiply and reject). Zero when `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(bound);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// True with a chance of `ppm` parts per million.
    pub fn chance_ppm(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// Shuffles in place (Fisher and Yates), every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}
