//! The books: each story's figures, and the equations over any history.

use mxdrill_mta::{Fact as Node, GiveUp};
use mxdrill_net::{Conn, Fact as Net};
use mxdrill_smtp::Stage;
use proptest::prelude::*;

use super::*;
use crate::{
    Deed, Measure, Taken,
    tale::{Tale, cast, id, reply},
};

/// Figures of a story, as text.
fn figures(tale: &Tale, names: &[&str]) -> String {
    names.iter().map(|name| format!("{name}={}", tale.figure(name))).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_outage_in_figures() {
    let mut tale = Tale::new();
    tale.send(10).routed("app").pass(1..=10, "app", "mx1");
    tale.at("5m").fault(true).at("6m").send(40).failed("app", "mx1").pass(11..=50, "app", "mx2").at("20m");
    let figure = figures(&tale, &["sent", "acknowledged", "queued.mx2", "delivered.mx1", "queued", "drain"]);
    assert_eq!(figure, "sent=50 acknowledged=50 queued.mx2=40 delivered.mx1=10 queued=40 drain=none");
    assert!(!tale.ledger.is_settled());
    tale.at("2h5m").fault(false).at("2h45m").routed("mx2").pass(11..=50, "mx2", "mx1");
    assert!(tale.ledger.is_settled());
    let figure = figures(&tale, &["queued", "delivered", "delay.p50", "delay.max", "failover.max", "drain"]);
    assert_eq!(
        figure,
        "queued=0 delivered=50 delay.p50=2h39m200ms delay.max=2h39m200ms failover.max=200ms drain=40m200ms"
    );
    let figure = figures(&tale, &["drain.p50", "drain.p95", "drain.max"]);
    assert_eq!(figure, "drain.p50=40m200ms drain.p95=40m200ms drain.max=40m200ms");
    let figure = figures(&tale, &["queue-max.mx2", "queue-oldest.mx2", "attempts.app", "connections.mx2"]);
    assert_eq!(figure, "queue-max.mx2=40 queue-oldest.mx2=2h39m attempts.app=50 connections.mx2=0");
}

#[test]
fn drain_is_of_what_was_held_at_the_repair() {
    let mut tale = Tale::new();
    tale.at("5m").fault(true).at("6m").send(40).failed("app", "mx1").pass(1..=40, "app", "mx2");
    tale.at("2h").fault(false).at("2h10m").routed("mx2").pass(1..=30, "mx2", "mx1");
    // mail that comes after the repair is not what is drained, and ten of the forty never come
    tale.send(1).routed("app").pass(41..=41, "app", "mx2").pass(41..=41, "mx2", "mx1");
    assert_eq!(
        figures(&tale, &["drain", "drain.p50", "drain.max"]),
        "drain=none drain.p50=10m200ms drain.max=10m200ms"
    );
    let outcome = tale.end();
    assert_eq!((outcome.held_at_repair, outcome.drained.n), (40, 30));
}

#[test]
fn what_passes_in_one_instant_never_lay_in_the_queue() {
    let mut tale = Tale::new();
    tale.send(5).routed("app").pass(1..=5, "app", "mx1").at("1m");
    assert_eq!(figures(&tale, &["queue-max.mx1", "accepted.mx1"]), "queue-max.mx1=0 accepted.mx1=5");
    assert_eq!(tale.end().hosts[1].bytes_max, 0);
}

#[test]
fn bytes_in_the_queue() {
    let mut tale = Tale::new();
    tale.send_from("alice@sender.test", false, &["a@example.test", "b@example.test"], 2).routed("app");
    let size = tale.message(1).size();
    tale.pass(1..=1, "app", "mx1").at("1h").pass(2..=2, "app", "mx1").at("2h");
    assert_eq!(tale.end().hosts[0].bytes_max, 2 * size);
}

#[test]
fn recipients_of_one_message_go_their_own_ways() {
    let mut tale = Tale::new();
    tale.send_from("alice@sender.test", false, &["a@example.test", "b@example.test"], 1);
    let message = tale.message(1);
    tale.see(id("mx1"), Node::Delivered { message, recipient: 1 }).at("1h");
    assert_eq!(
        figures(&tale, &["messages", "sent", "delivered", "queued"]),
        "messages=1 sent=2 delivered=1 queued=1"
    );
    let outcome = tale.end();
    assert_eq!(outcome.violations[0].recipients.to_string(), "1.1");
}

#[test]
fn a_rejected_recipient_is_not_owed() {
    let mut tale = Tale::new();
    let number = tale.offer("alice@sender.test", false, &["user@example.test"], 1);
    tale.answered("app", number, 0, Taken::Rejected(reply("451 4.3.0 later")));
    assert_eq!(
        figures(&tale, &["sent", "acknowledged", "rejected.app"]),
        "sent=1 acknowledged=0 rejected.app=1"
    );
    assert!(tale.ledger.is_settled());
    assert!(tale.end().is_pass());
}

#[test]
fn copies_of_in_doubt_recipients_stay_in_doubt() {
    let mut tale = Tale::new();
    let number = tale.offer("alice@sender.test", false, &["user@example.test"], 1);
    let message = tale.message(number);
    tale.accepted("mx1", &message).delivered("mx1", number).answered("mx1", number, 0, Taken::InDoubt);
    tale.accepted("mx1", &message).delivered("mx1", number);
    let figure = figures(&tale, &["sent", "in-doubt", "delivered", "duplicated"]);
    assert_eq!(figure, "sent=1 in-doubt=1 delivered=0 duplicated=0");
}

#[test]
fn a_transaction_under_way_at_the_end_is_in_doubt() {
    let mut tale = Tale::new();
    tale.offer("alice@sender.test", false, &["user@example.test"], 1);
    assert!(!tale.ledger.is_settled());
    assert_eq!(tale.end().counts.in_doubt, 1);
}

#[test]
fn delivered_before_the_first_hosts_word() {
    let mut tale = Tale::new();
    let number = tale.offer("alice@sender.test", false, &["user@example.test"], 1);
    let message = tale.message(number);
    tale.accepted("app", &message).routed("app").pass(1..=1, "app", "mx1");
    tale.answered("app", number, 0, Taken::Acknowledged);
    assert_eq!(figures(&tale, &["acknowledged", "delivered", "lost"]), "acknowledged=1 delivered=1 lost=0");
}

#[test]
fn dsns_and_warnings_are_counted_apart() {
    let mut tale = Tale::new();
    tale.send(1);
    let (message, dsn) = (tale.message(1), tale.dsn(1));
    tale.at("4h").see(id("app"), Node::Warned { message, dsn });
    assert!(!tale.ledger.is_settled());
    tale.dsns_delivered("app", "sender").given_up("app", 1, 0, GiveUp::Expired, "refused");
    assert!(!tale.ledger.is_settled());
    let figure =
        figures(&tale, &["bounced", "warnings", "warnings.sender", "dsns", "unexpected", "delivered"]);
    assert_eq!(figure, "bounced=1 warnings=1 warnings.sender=1 dsns=0 unexpected=0 delivered=0");
}

#[test]
fn sessions_at_one_time() {
    let mut tale = Tale::new();
    let from = "192.0.2.10:40000".parse().expect("an address");
    for conn in 1..=3 {
        tale.see(id("mx1"), Net::Incoming { conn: Conn(conn), from });
    }
    tale.see(id("mx1"), Net::Gone { conn: Conn(1), how: None });
    tale.see(id("mx1"), Net::Incoming { conn: Conn(4), from });
    assert_eq!(
        figures(&tale, &["sessions-max.mx1", "connections.mx1"]),
        "sessions-max.mx1=3 connections.mx1=4"
    );
    tale.see(id("mx1"), Net::Crashed).see(id("mx1"), Net::Gone { conn: Conn(2), how: None });
    tale.see(id("mx1"), Net::Incoming { conn: Conn(5), from });
    assert_eq!(figures(&tale, &["sessions-max.mx1"]), "sessions-max.mx1=3");
}

#[test]
fn who_is_turned_away_at_the_door_has_no_session() {
    let mut tale = Tale::new();
    let from = "192.0.2.10:40000".parse().expect("an address");
    tale.see(id("mx1"), Net::Incoming { conn: Conn(1), from });
    for conn in 2..=3 {
        tale.see(id("mx1"), Net::Incoming { conn: Conn(conn), from });
        let turned_away = Node::TurnedAway {
            peer: from.ip(),
            stage: Stage::Greeting,
            reply: reply("421 4.3.2 too many"),
            recipient: None,
            key: None,
        };
        tale.after("1s").see(id("mx1"), turned_away);
    }
    let gone = Net::Gone { conn: Conn(2), how: None };
    tale.see(id("mx1"), gone).see(id("mx1"), Net::Incoming { conn: Conn(4), from });
    assert_eq!(
        figures(&tale, &["sessions-max.mx1", "connections.mx1"]),
        "sessions-max.mx1=2 connections.mx1=4"
    );
}

#[test]
fn a_foreign_relay_holds_what_it_took_until_it_is_seen_elsewhere() {
    let mut setup = cast();
    setup.hosts[2].foreign = true;
    let mut tale = Tale::of(setup);
    tale.send(2).routed("app").failed("app", "mx1");
    tale.relayed("app", "mx2", 1).relayed("app", "mx2", 2);
    assert_eq!(figures(&tale, &["queued.mx2", "lost"]), "queued.mx2=2 lost=0");
    let message = tale.message(1);
    tale.at("1h").accepted("mx1", &message).delivered("mx1", 1);
    assert_eq!(figures(&tale, &["queued.mx2", "delivered"]), "queued.mx2=1 delivered=1");
    tale.looked("mx2", &[]);
    assert_eq!(figures(&tale, &["queued.mx2", "lost.mx2"]), "queued.mx2=0 lost.mx2=1");
}

#[test]
fn an_unknown_host_or_number_changes_nothing() {
    let mut tale = Tale::new();
    tale.send(1);
    let stray = tale.message(1);
    tale.see(crate::DRILL, Node::Accepted { message: stray, conn: Conn(9), peer: [192, 0, 2, 1].into() });
    tale.answered("app", 99, 0, Taken::Acknowledged).answered("app", 1, 9, Taken::Acknowledged);
    assert_eq!(figures(&tale, &["sent", "queued", "queued.nobody"]), "sent=1 queued=1 queued.nobody=none");
}

/// One step of a random history. Numbers beyond what was sent are taken modulo.
#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    Offer(u8),
    Pass(u8, u8, u8),
    Doubt(u8, u8),
    Reject(u8, bool),
    GiveUp(u8, u8),
    Deliver(u8),
    Crash(u8, u8),
    Look(u8, u8),
    Repair,
    Dsns(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<u8>;
    prop_oneof![
        (1..4u8).prop_map(Step::Send),
        any().prop_map(Step::Offer),
        (any(), 0..4u8, 0..4u8).prop_map(|(n, from, to)| Step::Pass(n, from, to)),
        (any(), 0..4u8).prop_map(|(n, to)| Step::Doubt(n, to)),
        (any(), prop::bool::ANY).prop_map(|(n, hard)| Step::Reject(n, hard)),
        (any(), 0..4u8).prop_map(|(n, by)| Step::GiveUp(n, by)),
        any().prop_map(Step::Deliver),
        (0..4u8, any()).prop_map(|(host, kept)| Step::Crash(host, kept)),
        (0..4u8, any()).prop_map(|(host, kept)| Step::Look(host, kept)),
        Just(Step::Repair),
        (0..4u8).prop_map(Step::Dsns),
    ]
}

const CAST: [&str; 4] = ["app", "mx1", "mx2", "mx3"];

fn play(tale: &mut Tale, sent: &mut u32, step: &Step) {
    let host = |at: u8| CAST[usize::from(at)];
    let number = |n: u8| u32::from(n) % (*sent).max(1) + 1;
    if *sent == 0 && !matches!(step, Step::Send(_) | Step::Offer(_)) {
        return;
    }
    match *step {
        Step::Send(count) => {
            tale.send(u32::from(count));
            *sent += u32::from(count);
        }
        Step::Offer(taken) => {
            let number = tale.offer("alice@sender.test", false, &["a@example.test", "b@example.test"], 1);
            *sent += 1;
            let taken =
                [Taken::InDoubt, Taken::Unreached, Taken::Acknowledged][usize::from(taken % 3)].clone();
            tale.answered("app", number, u16::from(sent.is_multiple_of(2)), taken);
        }
        Step::Pass(n, from, to) => {
            tale.routed(host(from)).pass(number(n)..=number(n), host(from), host(to));
        }
        Step::Doubt(n, to) => {
            let message = tale.message(number(n));
            tale.accepted(host(to), &message).in_doubt("app", host(to), number(n));
        }
        Step::Reject(n, hard) => {
            let reply = if hard { "550 5.1.1 no such user" } else { "451 4.3.0 later" };
            tale.rejected(number(n)..=number(n), "app", "mx1", reply);
        }
        Step::GiveUp(n, by) => _ = tale.given_up(host(by), number(n), 0, GiveUp::Expired, "refused"),
        Step::Deliver(n) => _ = tale.delivered("mx1", number(n)),
        Step::Crash(at, kept) => {
            let kept: Vec<u32> = (1..=*sent).filter(|n| n % 3 == u32::from(kept % 3)).collect();
            tale.crash(host(at), &kept);
        }
        Step::Look(at, kept) => {
            let kept: Vec<u32> = (1..=*sent).filter(|n| n % 3 == u32::from(kept % 3)).collect();
            tale.looked(host(at), &kept);
        }
        Step::Repair => _ = tale.fault(false),
        Step::Dsns(from) => _ = tale.dsns_delivered(host(from), "sender"),
    }
}

/// The figure as a number.
fn number(tale: &Tale, measure: &str) -> u64 {
    tale.figure(measure).parse().expect("a number")
}

/// Counts again, from nothing, what the books count fact by fact.
fn audit(tale: &Tale) -> Result<(), TestCaseError> {
    let n = |measure| number(tale, measure);
    prop_assert_eq!(n("sent"), n("acknowledged") + n("rejected") + n("in-doubt"));
    let columns = ["delivered", "queued", "bounced", "discarded", "lost"];
    prop_assert_eq!(n("acknowledged"), columns.iter().map(|column| n(column)).sum::<u64>());
    let books = tale.ledger.books();
    let class = |(_, id)| books.mail.state(id).class();
    let count =
        |wanted: Class| books.sent_recipients().filter(|found| class(*found) == wanted).count() as u64;
    for (name, wanted) in [("delivered", Class::Delivered), ("queued", Class::Queued), ("lost", Class::Lost)]
    {
        prop_assert_eq!(n(name), count(wanted), "{}", name);
    }
    for site in books.sites() {
        let held = |(_, id): &(MessageId, RecipientId)| books.mail.held(*id, site).is_some();
        let queued = books.sent_recipients().filter(held).count() as u64;
        prop_assert_eq!(
            books.sheet(site).map(|sheet| sheet.queued),
            Some(queued),
            "{}",
            books.host_name(site)
        );
    }
    let held = |id| {
        books
            .sites()
            .filter_map(|site| books.mail.held(id, site))
            .map(|hold| u64::from(hold.copies))
            .sum::<u64>()
    };
    let all: u64 = books.mail.messages().flat_map(|(id, _)| books.mail.of(id)).map(held).sum();
    prop_assert_eq!(books.held, all);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_equations_hold_over_any_history(steps in prop::collection::vec(step(), 1..30)) {
        let mut tale = Tale::new();
        let mut sent = 0;
        for step in &steps {
            play(&mut tale, &mut sent, step);
            audit(&tale)?;
        }
        let recipients = tale.ledger.books().sent_recipients().count() as u64;
        let again = tale.ledger.figure(mxdrill_net::Time::MAX, &crate::Figure::all(Measure::Sent));
        prop_assert!(matches!(again, crate::Quantity::Count(sent) if sent <= recipients));
        let counts = tale.end().counts;
        prop_assert_eq!(counts.sent, recipients, "in the end every recipient is answered for");
    }
}

#[test]
fn looks_and_ends_are_no_mail() {
    let mut tale = Tale::new();
    tale.see(id("app"), Deed::Looked).see(crate::DRILL, Deed::Ended { wall: std::time::Duration::ZERO });
    assert!(tale.ledger.is_settled());
    assert_eq!(figures(&tale, &["messages", "sent"]), "messages=0 sent=0");
}
