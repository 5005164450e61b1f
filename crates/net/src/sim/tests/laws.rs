//! Laws: what holds whatever the seed and whatever is sent.

use proptest::prelude::*;

use super::*;

/// A link as scenarios make them, without partition and cut.
fn link() -> impl Strategy<Value = Link> {
    let bandwidth = proptest::option::of(10_000u64..10_000_000);
    (0u64..80, 0u64..50, 0u32..300_000, bandwidth).prop_map(|(latency, jitter, loss_ppm, bandwidth)| Link {
        latency: millis(latency),
        jitter: millis(jitter),
        loss_ppm,
        bandwidth,
        ..Link::default()
    })
}

/// Sends each write in turn, half of them shared, over a link, and returns all facts and what arrived.
fn play(
    seed: u64,
    chop: bool,
    rule: Option<Link>,
    writes: &[Vec<u8>],
) -> (Vec<(Time, HostId, Line)>, Vec<u8>) {
    let listener =
        Puppet { listen: Some(b()), closes: true, answer: Some(b"250 ok\r\n"), ..Puppet::default() };
    let mut world = World::with(Seed(seed), chop, listener);
    if let Some(link) = rule {
        world.rule(A, B, link);
    }
    world.connect().run(1_000_000);
    for (number, write) in writes.iter().cloned().enumerate() {
        world.tell(A, move |puppet, out| match number % 2 {
            0 => out.send(latest(puppet), &write),
            _ => out.send_shared(latest(puppet), Bytes::from(write)),
        });
        world.run(1_000_000 + number as u64 / 3);
    }
    world.run_until(Time::MAX);
    let got = world.sim.process(B).expect("up").got.clone();
    (world.lines, got)
}

fn writes() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4000), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_stream_arrives_complete_and_in_order(
        seed: u64,
        chop: bool,
        rule in proptest::option::of(link()),
        writes in writes(),
    ) {
        let (_, got) = play(seed, chop, rule, &writes);
        prop_assert_eq!(got, writes.concat());
    }

    #[test]
    fn the_same_seed_gives_the_same_facts(seed: u64, rule in proptest::option::of(link()), writes in writes()) {
        let (first, second) = (play(seed, true, rule.clone(), &writes), play(seed, true, rule, &writes));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn a_cut_link_carries_exactly_what_it_may(seed: u64, chop: bool, limit in 0u64..9000, writes in writes()) {
        let sent = writes.concat();
        let (lines, got) = play(seed, chop, Some(Link { cut_after: Some(limit), ..Link::default() }), &writes);
        prop_assert_eq!(&got[..], &sent[..sent.len().min(limit as usize)]);
        let is_cut = lines.iter().any(|(_, _, line)| *line == Line::Net(Fact::Bit(Tag(7))));
        prop_assert_eq!(is_cut, sent.len() as u64 >= limit && !sent.is_empty());
    }
}

/// The sizes of the pieces in which ten thousand bytes arrive.
fn pieces(seed: u64) -> Vec<String> {
    let saw = |(_, host, line): (Time, HostId, Line)| match line {
        Line::Saw(what) if host == B => Some(what),
        _ => None,
    };
    play(seed, true, None, &[vec![0; 5000], vec![0; 5000]]).0.into_iter().filter_map(saw).collect()
}

#[test]
fn another_seed_splits_elsewhere() {
    assert_ne!(pieces(1), pieces(2));
    assert!(pieces(1).len() > 2, "{:?}", pieces(1));
}

#[test]
fn another_seed_jitters_otherwise() {
    let link = Link { jitter: millis(50), ..Link::default() };
    let times = |seed| -> Vec<Time> {
        let (lines, _) = play(seed, false, Some(link.clone()), &[vec![0; 10], vec![0; 10]]);
        lines.into_iter().map(|(at, ..)| at).collect()
    };
    assert_ne!(times(1), times(2));
}

#[test]
fn a_chopped_dialogue_meets_half_lines_and_joined_writes() {
    let listener = |reads| Puppet { listen: Some(b()), reads, ..Puppet::default() };
    let (mut halves, mut joined) = (0, 0);
    for seed in 0..20 {
        let mut world = World::with(Seed(seed), true, listener(true));
        world.connect().run(10);
        world.story();
        world
            .say(A, "MAIL FROM:<alice@sender.test>\r\n")
            .send(A, b"RCPT TO:<user@example.test>\r\n".to_vec());
        world.run(20);
        let story = world.lines.iter().map(|(_, _, line)| line);
        let texts = story.filter_map(|line| match line {
            Line::Saw(text) => Some(text.as_str()),
            Line::Net(_) => None,
        });
        let texts = texts.collect::<Vec<_>>();
        halves += usize::from(texts.iter().any(|text| !text.ends_with("\r\n")));
        joined += usize::from(texts.iter().any(|text| text.contains("\r\nRCPT")));
        assert_eq!(texts.concat(), "MAIL FROM:<alice@sender.test>\r\nRCPT TO:<user@example.test>\r\n");
    }
    assert!(halves > 3 && joined > 3, "{halves} of 20 with half a line, {joined} with joined writes");
}
