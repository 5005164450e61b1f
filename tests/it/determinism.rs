//! The test of determinism itself: without it no other simulation means anything, so it runs first.

use mxdrill_net::Seed;

#[test]
fn the_same_key_draws_the_same_numbers() {
    let draw = |seed| Seed(seed).draw("determinism", &[1, 2]).next_u64();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
