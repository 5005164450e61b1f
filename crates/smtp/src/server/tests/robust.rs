//! Cut anywhere, fed anything.

use super::*;
use proptest::prelude::*;

const DIALOGUE: &str = "EHLO client.test\r\nMAIL FROM:<a@b.test> SIZE=9\r\nRCPT TO:<\"x y\"@d.test>\r\nDATA\r\n\
    Subject: x\r\n\r\n..\r\n.x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<unknown@d.test>\r\nRCPT TO:<c@d.test>\r\n\
    BDAT 6\r\n\r\n.\r\nxBDAT 3 LAST\r\ny\r\nNOO\nNOOP\r\nQUIT\r\n";

/// The words of a session, without where they were cut.
fn words(pieces: &[&[u8]]) -> Vec<String> {
    let mut bench = Bench::new(config(), false, Pass);
    for piece in pieces {
        bench.bytes(piece);
    }
    let mut words: Vec<String> = bench.story.lines().map(str::to_owned).collect();
    // Notes of the policy come before the replies of one piece: compare each kind in its own order.
    words.sort_by_key(|line| line.starts_with("S:"));
    words
}

#[test]
fn a_dialogue_is_the_same_cut_at_any_place() {
    let dialogue = DIALOGUE.as_bytes();
    let whole = words(&[dialogue]);
    assert!(whole.iter().any(|line| line.starts_with("S: 221")), "{whole:#?}");
    for at in 1..dialogue.len() {
        let (one, two) = dialogue.split_at(at);
        assert_eq!(words(&[one, two]), whole, "cut at {at}");
    }
    let octets: Vec<&[u8]> = dialogue.chunks(1).collect();
    assert_eq!(words(&octets), whole);
}

proptest! {
    #[test]
    fn any_cuts(mut cuts in prop::collection::vec(0..DIALOGUE.len(), 0..12)) {
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts {
            pieces.push(&DIALOGUE.as_bytes()[start..cut]);
            start = cut;
        }
        pieces.push(&DIALOGUE.as_bytes()[start..]);
        prop_assert_eq!(words(&pieces), words(&[DIALOGUE.as_bytes()]));
    }

    /// Any octets, any verdicts, any time: no panic, bounded memory, and no word after the end.
    #[test]
    fn nothing_breaks_it(steps in prop::collection::vec(step(), 0..40), later in any::<bool>()) {
        let mut bench = Bench::new(ServerConfig { held_max: 4096, ..config() }, later, Pass);
        for step in steps {
            let over = bench.server.is_over();
            bench.story.clear();
            match step {
                Step::Bytes(bytes) => bench.bytes(&bytes),
                Step::Verdict => bench.verdict("250 2.0.0 Yes"),
                Step::Pass(seconds) => bench.pass(Duration::from_secs(seconds)),
            }
            prop_assert!(!over || bench.story.is_empty(), "spoke after the end: {}", bench.story);
            prop_assert!(bench.server.held.len() <= 4096);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Verdict,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let pieces = prop::sample::select(vec![
        "EHLO a.test\r\n",
        "MAIL FROM:<later@b.test>\r\n",
        "MAIL FROM:<a@b.test>\r\n",
        "RCPT TO:<c@d.test>\r\n",
        "DATA\r\n",
        "x\r\n",
        ".\r\n",
        "\r\n.\r\n",
        "BDAT 5\r\n",
        "BDAT 2 LAST\r\n",
        "BDAT 99999999999999999999\r\n",
        "RSET\r\n",
        "QUIT\r\n",
        "\n",
        "\r",
        "MAIL FROM:<",
        "\"\\",
        "@",
        ">",
    ]);
    prop_oneof![
        6 => pieces.prop_map(|text| Step::Bytes(text.as_bytes().to_vec())),
        2 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        1 => Just(Step::Verdict),
        1 => (0_u64..400).prop_map(Step::Pass),
    ]
}
