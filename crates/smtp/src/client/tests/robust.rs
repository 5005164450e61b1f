//! Cut anywhere, fed anything; and against our own server.

use super::*;
use proptest::prelude::*;

const REPLIES: &str = "220-mx\r\n220 hello\r\n250-mx\r\n250-PIPELINING\r\n250 SIZE\r\n250 ok\r\n250-a\r\n250 b\r\n\
    550 5.1.1 no\r\n354 go\r\n250 2.0.0 kept\r\n";

/// The words of a session with one letter, without where the replies were cut.
fn words(pieces: &[&[u8]]) -> String {
    let mut bench = Bench::new(config());
    let mut sent = false;
    for piece in pieces {
        bench.bytes(piece);
        if !sent && bench.client.is_ready() {
            bench.send(paper("u v"));
            sent = true;
        }
    }
    bench.story
}

#[test]
fn replies_are_the_same_cut_at_any_place() {
    // What comes before the letter is sent must not be more than the server would say by then.
    let split = REPLIES.find("250 ok").expect("it is there");
    let (hello, rest) = REPLIES.as_bytes().split_at(split);
    let whole = words(&[hello, rest]);
    assert!(whole.ends_with("done: u acknowledged (250 2.0.0 kept), v permanent at rcpt 550\n"), "{whole}");
    for at in 1..hello.len() {
        assert_eq!(words(&[&hello[..at], &hello[at..], rest]), whole, "cut at {at}");
    }
    for at in 1..rest.len() {
        assert_eq!(words(&[hello, &rest[..at], &rest[at..]]), whole, "cut at {}", split + at);
    }
    let octets: Vec<&[u8]> = REPLIES.as_bytes().chunks(1).collect();
    assert_eq!(words(&octets), whole);
}

#[derive(Clone, Debug)]
enum Move {
    Bytes(Vec<u8>),
    Send,
    Quit,
    Pass(u64),
    Drained,
    Closed(bool),
}

fn moves() -> impl Strategy<Value = Move> {
    let replies = prop::sample::select(vec![
        "220 mx\r\n",
        "250 ok\r\n",
        "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
        "354 go\r\n",
        "550 no\r\n",
        "451 no\r\n",
        "421 down\r\n",
        "221 bye\r\n",
        "250-",
        "\r\n",
        "2",
    ]);
    prop_oneof![
        8 => replies.prop_map(|text| Move::Bytes(text.as_bytes().to_vec())),
        1 => prop::collection::vec(any::<u8>(), 0..30).prop_map(Move::Bytes),
        4 => Just(Move::Send),
        1 => Just(Move::Quit),
        1 => (0_u64..700).prop_map(Move::Pass),
        1 => Just(Move::Drained),
        1 => any::<bool>().prop_map(Move::Closed),
    ]
}

proptest! {
    /// Whatever comes: no panic, every letter comes back once, nothing is sent after the end, and nobody is
    /// acknowledged without a final dot.
    #[test]
    fn nothing_breaks_it(moves in prop::collection::vec(moves(), 0..60), chunking in any::<bool>()) {
        let mut bench = Bench::new(ClientConfig { chunking, ..config() });
        let mut sent = 0;
        for one in moves {
            let over = bench.client.is_over();
            let before = bench.story.len();
            match one {
                Move::Bytes(bytes) => bench.bytes(&bytes),
                Move::Send if bench.client.is_ready() => {
                    bench.send(paper("u v"));
                    sent += 1;
                }
                Move::Send => {}
                Move::Quit => bench.client.quit(bench.now, &mut bench.out),
                Move::Pass(seconds) => bench.pass(Duration::from_secs(seconds)),
                Move::Drained => bench.drained(),
                Move::Closed(true) => bench.closed(Closed::Eof),
                Move::Closed(false) => bench.closed(Closed::Reset),
            }
            bench.tell();
            prop_assert!(!over || bench.story.len() == before, "spoke after the end: {}", bench.story);
        }
        if !bench.client.is_over() {
            bench.closed(Closed::Reset);
        }
        let count = |word: &str| bench.story.matches(word).count();
        prop_assert_eq!(count("u ") + count("one ahead"), sent, "{}", &bench.story);
        prop_assert!(count("u acknowledged") <= count("C: .\n") + count(" LAST\n"), "{}", &bench.story);
    }
}
