//! The small words of the floor: time, seed, domain name, index.

use std::time::Duration;

use proptest::prelude::*;

use crate::{DomainName, Epoch, Index, NameError, Seed, Time, seed::scale};

#[test]
fn a_time_reads_as_on_a_time_line() {
    let check = |millis: u64, expected: &str| {
        assert_eq!((Time::ZERO + Duration::from_millis(millis)).to_string(), expected);
    };
    check(0, "0:00");
    check(300_000, "0:05");
    check(7_500_000, "2:05");
    check(7_501_000, "2:05:01");
    check(59_999, "0:00:59.999");
    check(1, "0:00:00.001");
    check(100 * 3_600_000, "100:00");
}

#[test]
fn time_saturates_at_both_ends() {
    assert_eq!(Time::MAX + Duration::from_secs(1), Time::MAX);
    assert_eq!(Time::ZERO + Duration::MAX, Time::MAX);
    assert_eq!(Time::ZERO - Time::MAX, Duration::ZERO);
    assert_eq!(Time::from_secs(3).since(Time::from_secs(1)), Duration::from_secs(2));
    assert_eq!(Time::from(Duration::from_millis(1500)).as_secs_f64(), 1.5);
}

#[test]
fn an_epoch_turns_virtual_time_into_wall_time() {
    let wall = Epoch::default().wall(Time::from_secs(90));
    assert_eq!(wall.to_string(), "2030-01-01T00:01:30Z");
    assert!(Epoch::default().wall(Time::MAX) > wall);
}

#[test]
fn a_domain_name_is_normalised() {
    let check = |text: &str, expected: &str| {
        assert_eq!(text.parse::<DomainName>().expect(text).as_str(), expected);
    };
    check("Example.TEST.", "example.test");
    check("mx1.example.test", "mx1.example.test");
    check("_dmarc.example.test", "_dmarc.example.test");
    check("*.example.test", "*.example.test");
    check("BÜCHER.example", "bücher.example");
    check(&format!("{}.test", "a".repeat(63)), &format!("{}.test", "a".repeat(63)));
}

#[test]
fn what_is_no_domain_name_says_why() {
    let check = |text: &str, expected: NameError| assert_eq!(text.parse::<DomainName>(), Err(expected));
    check("", NameError::Empty);
    check(".", NameError::Empty);
    check("example..test", NameError::Label(String::new()));
    check(".example.test", NameError::Label(String::new()));
    check(&"a".repeat(64), NameError::Label("a".repeat(64)));
    check(&"a.".repeat(128), NameError::TooLong(255));
    check("exa mple.test", NameError::Character(' '));
    check(&"\u{130}".repeat(31), NameError::Label("i\u{307}".repeat(31)));
    check("mail.*.test", NameError::Character('*'));
    check("user@example.test", NameError::Character('@'));
    check("example.test\r\n", NameError::Character('\r'));
}

#[test]
fn names_know_their_family() {
    let name = |text: &str| text.parse::<DomainName>().expect(text);
    assert!(name("mx1.example.test").is_within(&name("example.test")));
    assert!(name("example.test").is_within(&name("example.test")));
    assert!(!name("badexample.test").is_within(&name("example.test")));
    assert_eq!(name("mx1.example.test").first_label(), "mx1");
    assert_eq!(name("mx1.example.test").parent(), Some(name("example.test")));
    assert_eq!(name("test").parent(), None);
    assert_eq!(name("example.test").child("mx2"), Ok(name("mx2.example.test")));
    assert_eq!(name("example.test").child("a b"), Err(NameError::Character(' ')));
}

#[test]
fn a_draw_depends_on_seed_purpose_and_key_alone() {
    let first = |seed: u64, purpose: &str, key: &[u64]| Seed(seed).draw(purpose, key).next_u64();
    let same = first(1, "retry", &[2, 3]);
    assert_eq!(first(1, "retry", &[2, 3]), same);
    for other in [
        first(2, "retry", &[2, 3]),
        first(1, "greylist", &[2, 3]),
        first(1, "retry", &[3, 2]),
        first(1, "retry", &[2]),
        first(1, "retry", &[2, 3, 0]),
    ] {
        assert_ne!(other, same);
    }
}

#[test]
fn draws_are_the_same_on_every_computer() {
    assert_eq!(Seed(1).pick("retry", &[2, 3]), 277_461_572_664_066_785);
    let mut draw = Seed(1).draw("retry", &[2, 3]);
    assert_eq!([draw.below(1000), draw.below(1000), draw.below(1000)], [871, 879, 481]);
    let mut order = [1, 2, 3, 4, 5];
    draw.shuffle(&mut order);
    assert_eq!(order, [3, 5, 2, 1, 4]);
}

#[test]
fn a_chance_comes_true_as_often_as_it_says() {
    let hits = |ppm| (0..10_000).filter(|key| Seed(5).draw("odds", &[*key]).chance_ppm(ppm)).count();
    assert_eq!((hits(0), hits(1_000_000)), (0, 10_000));
    assert!((2_300..2_700).contains(&hits(250_000)));
}

proptest! {
    #[test]
    fn draws_stay_below_their_bound(seed: u64, number: u64, bound in 1u64..) {
        prop_assert!(Seed(seed).draw("bound", &[]).below(bound) < bound);
        prop_assert!(scale(number, bound) < bound);
    }

    #[test]
    fn a_shuffle_loses_nothing(seed: u64, mut items in proptest::collection::vec(0u8..9, 0..40)) {
        let mut shuffled = items.clone();
        Seed(seed).draw("shuffle", &[]).shuffle(&mut shuffled);
        shuffled.sort_unstable();
        items.sort_unstable();
        prop_assert_eq!(shuffled, items);
    }

    #[test]
    fn a_domain_name_reads_what_it_writes(text in "\\PC{0,40}") {
        if let Ok(name) = text.parse::<DomainName>() {
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn an_index_is_a_map(steps in proptest::collection::vec((0u64..20, 0u8..4), 0..200)) {
        let mut index: Index<u64, usize> = Index::default();
        let mut plain = std::collections::BTreeMap::new();
        for (value, (key, what)) in steps.into_iter().enumerate() {
            match what {
                0 => prop_assert_eq!(index.insert(key, value), plain.insert(key, value)),
                1 => prop_assert_eq!(index.remove(&key), plain.remove(&key)),
                2 => prop_assert_eq!(index.get_or_insert_with(key, || value), plain.entry(key).or_insert(value)),
                _ => prop_assert_eq!(index.get(&key), plain.get(&key)),
            }
            prop_assert_eq!((index.len(), index.is_empty()), (plain.len(), plain.is_empty()));
        }
    }
}
