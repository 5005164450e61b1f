//! A fast 64-bit hash of octets: the same on every run and computer. Not for use against a foe.

/// Odd constants without pattern (the fractional digits of pi), one for each lane.
const LANES: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1, 0x082e_fa98_ec4e_6c89];

/// Multiplies to 128 bits and folds the halves: every bit of input reaches all of the output.
fn fold(value: u64, by: u64) -> u64 {
    let wide = u128::from(value) * u128::from(by);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// The hash of `bytes`, continued from `seed`: four lanes side by side, as the multiplier's latency is what
/// bounds one lane.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let (blocks, tail) = bytes.as_chunks::<32>();
    let mut state = (seed ^ LANES[3]).wrapping_add((bytes.len() as u64).wrapping_mul(LANES[0]));
    if !blocks.is_empty() {
        state = hash_blocks(state, blocks);
    }
    for word in tail.chunks(8) {
        let mut last = [0; 8];
        last[..word.len()].copy_from_slice(word);
        state = fold(state ^ u64::from_le_bytes(last), LANES[3]).wrapping_add(LANES[1]);
    }
    fold(state ^ LANES[1], LANES[0])
}

fn hash_blocks(mut state: u64, blocks: &[[u8; 32]]) -> u64 {
    let mut lanes = LANES;
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = fold(*lane ^ u64::from_le_bytes(*word), LANES[0]).wrapping_add(LANES[1]);
        }
    }
    for lane in lanes {
        state = fold(state.rotate_left(29) ^ lane, LANES[2]);
    }
    state
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::hash;

    #[test]
    fn never_changes_between_versions() {
        assert_eq!(hash(0, b"<1@sender.test>"), 0x695e_9a61_d83b_62af);
        assert_eq!(hash(0, &[b'x'; 1000]), 0x816c_4476_4ad9_054c);
    }

    #[test]
    fn neighbours_differ() {
        let inputs = (0u32..50_000).map(|n| format!("<{n}.mxdrill@sender.test>"));
        assert_eq!(inputs.map(|text| hash(0, text.as_bytes())).collect::<BTreeSet<_>>().len(), 50_000);
    }

    #[test]
    fn every_length_and_every_place_counts() {
        let mut seen = BTreeSet::new();
        for len in 0..100 {
            let mut bytes = vec![0; len];
            assert!(seen.insert(hash(0, &bytes)), "length {len}");
            for place in 0..len {
                bytes[place] = 1;
                assert!(seen.insert(hash(0, &bytes)), "length {len}, place {place}");
                bytes[place] = 0;
            }
        }
    }
}
