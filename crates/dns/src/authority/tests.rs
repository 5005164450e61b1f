//! Questions to an authority, and its answers as people read them.

use std::{net::IpAddr, time::Duration};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{Name, RecordType as Wire},
};
use insta::assert_snapshot;
use mxdrill_net::{DomainName, Tag, Time};
use proptest::prelude::*;

use super::{Authority, DnsFault, How, Response, Transport};
use crate::{RecordData, RecordType, Zones};

const ZONES: &str = "
$ORIGIN example.test.
$TTL 300
@        SOA   ns hostmaster 1 2h 15m 2w 60
@        MX    10 mx1
@        MX    20 mx2
mx1      A     192.0.2.10
mx1      AAAA  2001:db8::10
mx2      A     192.0.2.20
alias    CNAME mx1
chain    CNAME alias
dangling CNAME nowhere
away     CNAME mx.backup.test.
loop     CNAME pool
pool     CNAME loop
*.wild   A     192.0.2.77
wild     TXT   \"here\"
deep.er  A     192.0.2.30
$ORIGIN backup.test.
mx       A     192.0.2.40
";

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn authority() -> Authority {
    Authority::new(Zones::parse(ZONES).unwrap())
}

fn query(owner: &str, kind: Wire) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(owner).unwrap(), kind));
    message
}

fn ask(authority: &mut Authority, query: &Message, via: Transport) -> Response {
    authority.answer(Time::ZERO, &query.to_vec().unwrap(), via, CLIENT)
}

/// The answer as dig shows it, in short: code and flags, then the sections that hold something.
fn show(response: &Response) -> String {
    let Some(bytes) = &response.bytes else { return "silence".into() };
    let message = Message::from_vec(bytes).unwrap();
    let mut text = format!("{:?} {}", message.metadata.response_code, message.metadata.flags());
    message.answers.iter().for_each(|record| text.push_str(&format!("\n{record}")));
    message.authorities.iter().for_each(|record| text.push_str(&format!("\n; {record}")));
    text
}

fn dig(owner: &str, kind: Wire) -> String {
    show(&ask(&mut authority(), &query(owner, kind), Transport::Udp))
}

#[test]
fn what_is_there() {
    assert_snapshot!(dig("example.test.", Wire::MX), @"
    NoError RD,AA,RA
    example.test. 300 IN MX 10 mx1.example.test.
    example.test. 300 IN MX 20 mx2.example.test.
    ");
    assert_snapshot!(dig("MX1.Example.TEST.", Wire::A), @"
    NoError RD,AA,RA
    MX1.Example.TEST. 300 IN A 192.0.2.10
    ");
    assert_snapshot!(dig("10.2.0.192.in-addr.arpa.", Wire::PTR), @"
    NoError RD,AA,RA
    10.2.0.192.in-addr.arpa. 300 IN PTR mx1.example.test.
    ");
    assert_snapshot!(dig("backup.test.", Wire::NS), @"
    NoError RD,AA,RA
    backup.test. 300 IN NS ns.backup.test.
    ");
    assert_snapshot!(dig("mx1.example.test.", Wire::ANY), @"
    NoError RD,AA,RA
    mx1.example.test. 300 IN A 192.0.2.10
    mx1.example.test. 300 IN AAAA 2001:db8::10
    ");
}

#[test]
fn what_is_not_there() {
    // the name exists, the type does not
    assert_snapshot!(dig("mx2.example.test.", Wire::AAAA), @"
    NoError RD,AA,RA
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    // neither does
    assert_snapshot!(dig("mx3.example.test.", Wire::A), @"
    NXDomain RD,AA,RA
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    // an empty non-terminal exists (RFC 4592 2.2.2)
    assert_snapshot!(dig("er.example.test.", Wire::A), @"
    NoError RD,AA,RA
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    // outside of all zones the world ends
    assert_snapshot!(dig("elsewhere.org.", Wire::MX), @"
    NXDomain RD,AA,RA
    ; . 300 IN SOA ns. hostmaster. 1 7200 900 1209600 300
    ");
    // but there is a way down to the zones
    assert_snapshot!(dig("test.", Wire::NS), @"
    NoError RD,AA,RA
    ; . 300 IN SOA ns. hostmaster. 1 7200 900 1209600 300
    ");
    assert_snapshot!(dig(".", Wire::A), @"
    NoError RD,AA,RA
    ; . 300 IN SOA ns. hostmaster. 1 7200 900 1209600 300
    ");
    assert_snapshot!(dig(".", Wire::NS), @"
    NoError RD,AA,RA
    . 300 IN NS ns.
    ");
}

#[test]
fn aliases_are_followed() {
    assert_snapshot!(dig("chain.example.test.", Wire::A), @"
    NoError RD,AA,RA
    chain.example.test. 300 IN CNAME alias.example.test.
    alias.example.test. 300 IN CNAME mx1.example.test.
    mx1.example.test. 300 IN A 192.0.2.10
    ");
    assert_snapshot!(dig("away.example.test.", Wire::A), @"
    NoError RD,AA,RA
    away.example.test. 300 IN CNAME mx.backup.test.
    mx.backup.test. 300 IN A 192.0.2.40
    ");
    assert_snapshot!(dig("alias.example.test.", Wire::CNAME), @"
    NoError RD,AA,RA
    alias.example.test. 300 IN CNAME mx1.example.test.
    ");
    // RFC 6604: the code is that of the last name
    assert_snapshot!(dig("dangling.example.test.", Wire::A), @"
    NXDomain RD,AA,RA
    dangling.example.test. 300 IN CNAME nowhere.example.test.
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    assert_snapshot!(dig("alias.example.test.", Wire::MX), @"
    NoError RD,AA,RA
    alias.example.test. 300 IN CNAME mx1.example.test.
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    assert_snapshot!(dig("loop.example.test.", Wire::A), @"ServFail RD,RA");
}

#[test]
fn wildcards_stand_for_what_does_not_exist() {
    assert_snapshot!(dig("any.wild.example.test.", Wire::A), @"
    NoError RD,AA,RA
    any.wild.example.test. 300 IN A 192.0.2.77
    ");
    assert_snapshot!(dig("a.b.wild.example.test.", Wire::MX), @"
    NoError RD,AA,RA
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    assert_snapshot!(dig("wild.example.test.", Wire::A), @"
    NoError RD,AA,RA
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    // labels that no mail domain has
    let mut asked = query("x.wild.example.test.", Wire::A);
    asked.queries[0].name = Name::from_labels([&b"a b.c"[..], b"wild", b"example", b"test"]).unwrap();
    assert_snapshot!(show(&ask(&mut authority(), &asked, Transport::Udp)), @r#"
    NoError RD,AA,RA
    a\040b\.c.wild.example.test. 300 IN A 192.0.2.77
    "#);
}

#[test]
fn edns_is_answered_with_edns() {
    let mut asked = query("example.test.", Wire::MX);
    let edns_of = |asked: &Message| {
        let response = ask(&mut authority(), asked, Transport::Udp);
        Message::from_vec(&response.bytes.unwrap()).unwrap().edns
    };
    assert_eq!(edns_of(&asked), None);
    let mut edns = Edns::new();
    edns.set_dnssec_ok(true);
    asked.set_edns(edns.clone());
    assert!(edns_of(&asked).is_some_and(|edns| edns.flags().dnssec_ok && edns.max_payload() == 4096));
    edns.set_version(1);
    asked.set_edns(edns);
    assert_snapshot!(show(&ask(&mut authority(), &asked, Transport::Udp)), @"BADSIG RD,RA");
}

/// An authority with an answer of more than 512 and less than 1232 octets.
fn wordy() -> Authority {
    let mut authority = authority();
    let hosts = (0..30).map(|n| name(&format!("mx{n}.some-provider-of-mail.test")));
    let records = hosts.map(|host| RecordData::Mx { preference: 10, exchange: Some(host) });
    authority.set(&name("example.test"), RecordType::Mx, 300, records);
    authority
}

#[test]
fn what_does_not_fit_is_cut_and_comes_whole_over_tcp() {
    let mut authority = wordy();
    let mut asked = query("example.test.", Wire::MX);
    assert_snapshot!(show(&ask(&mut authority, &asked, Transport::Udp)), @"NoError RD,TC,AA,RA");
    let lines = |response: Response| show(&response).lines().count();
    assert_eq!(lines(ask(&mut authority, &asked, Transport::Tcp)), 31);
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    asked.set_edns(edns);
    assert_eq!(lines(ask(&mut authority, &asked, Transport::Udp)), 31);
}

#[test]
fn a_secure_zone_says_so_to_those_who_understand() {
    let mut secure = authority().secure(true);
    let mut asked = query("example.test.", Wire::MX);
    assert!(!show(&ask(&mut secure, &asked, Transport::Udp)).contains("AD"));
    asked.metadata.authentic_data = true;
    assert!(show(&ask(&mut secure, &asked, Transport::Udp)).contains("AD"));
    assert!(!show(&ask(&mut authority(), &asked, Transport::Udp)).contains("AD"));
}

#[test]
fn what_is_no_question_is_refused_or_ignored() {
    let check = |bytes: &[u8], expected: &str| {
        let response = authority().answer(Time::ZERO, bytes, Transport::Udp, CLIENT);
        assert_eq!(show(&response), expected);
    };
    let with = |change: &dyn Fn(&mut Message)| {
        let mut message = query("example.test.", Wire::MX);
        change(&mut message);
        message.to_vec().unwrap()
    };
    check(b"", "silence");
    check(&[0; 11], "silence");
    check(&with(&|m| m.metadata.message_type = MessageType::Response), "silence");
    check(&with(&|m| m.queries.clear()), "FormErr RD");
    check(&with(&|m| m.metadata.op_code = OpCode::Update), "NotImp RD,RA");
    check(&with(&|m| m.queries[0].query_type = Wire::AXFR), "Refused RD,RA");
    check(&with(&|m| m.queries[0].query_class = hickory_proto::rr::DNSClass::CH), "Refused RD,RA");
    let whole = with(&|_| {});
    check(&whole[..whole.len() - 1], "FormErr RD");
    assert_eq!(
        authority().answer(Time::ZERO, &whole[..20], Transport::Tcp, CLIENT).bytes.unwrap()[..2],
        whole[..2]
    );
}

const TAG: Tag = Tag(7);

/// The answer to `MX example.test` while `how` is wrong with it.
fn faulty(how: How, via: Transport) -> Response {
    let mut authority = authority();
    authority.fault(TAG, DnsFault { name: name("example.test"), kind: Some(RecordType::Mx), how });
    ask(&mut authority, &query("example.test.", Wire::MX), via)
}

#[test]
fn faults_bite_and_say_so() {
    let check = |how, via, expected: &str| {
        let response = faulty(how, via);
        assert_eq!(show(&response).lines().next(), Some(expected), "{how:?}");
        assert_eq!(response.bit, [TAG], "{how:?}");
    };
    check(How::ServFail, Transport::Udp, "ServFail RD,RA");
    check(How::Refused, Transport::Tcp, "Refused RD,RA");
    check(How::NxDomain, Transport::Udp, "NXDomain RD,AA,RA");
    check(How::NoData, Transport::Udp, "NoError RD,AA,RA");
    check(How::Timeout, Transport::Udp, "silence");
    check(How::Truncate, Transport::Udp, "NoError RD,TC,AA,RA");
    check(How::Delay(Duration::from_secs(3)), Transport::Udp, "NoError RD,AA,RA");
    assert_eq!(faulty(How::Delay(Duration::from_secs(3)), Transport::Tcp).delay, Duration::from_secs(3));
}

#[test]
fn faults_that_change_nothing_do_not_bite() {
    assert_eq!(faulty(How::Truncate, Transport::Tcp).bit, []);
    assert_eq!(faulty(How::Stale, Transport::Udp).bit, []);
}

#[test]
fn faults_concern_their_name_and_type_alone() {
    let mut authority = authority();
    authority.fault(
        TAG,
        DnsFault { name: name("mx1.example.test"), kind: Some(RecordType::A), how: How::ServFail },
    );
    let mut code =
        |owner, kind| show(&ask(&mut authority, &query(owner, kind), Transport::Udp))[..7].to_owned();
    assert_eq!(code("mx1.example.test.", Wire::AAAA), "NoError");
    assert_eq!(code("mx2.example.test.", Wire::A), "NoError");
    assert_eq!(code("MX1.example.test.", Wire::A), "ServFai");
    // an alias leads to it
    assert_eq!(code("chain.example.test.", Wire::A), "ServFai");
}

#[test]
fn a_fault_on_every_type_concerns_every_type() {
    let mut authority = authority();
    let fault = DnsFault { name: name("mx1.example.test"), kind: None, how: How::NxDomain };
    authority.fault(TAG, fault);
    for kind in [Wire::A, Wire::AAAA, Wire::TXT, Wire::SRV, Wire::ANY] {
        assert!(
            show(&ask(&mut authority, &query("mx1.example.test.", kind), Transport::Udp)).starts_with("NX")
        );
    }
    assert!(authority.clear(TAG));
    assert!(!authority.clear(TAG));
    assert!(
        show(&ask(&mut authority, &query("mx1.example.test.", Wire::A), Transport::Udp))
            .starts_with("NoError")
    );
    assert_eq!(authority.take_bitten().into_iter().collect::<Vec<_>>(), [TAG]);
    assert!(authority.take_bitten().is_empty());
}

#[test]
fn faults_compose() {
    let mut authority = authority();
    let fault = |how| DnsFault { name: name("example.test"), kind: None, how };
    authority.fault(Tag(1), fault(How::Delay(Duration::from_secs(1))));
    authority.fault(Tag(2), fault(How::Refused));
    authority.fault(Tag(3), fault(How::ServFail));
    let response = ask(&mut authority, &query("example.test.", Wire::MX), Transport::Udp);
    assert_eq!((show(&response).as_str(), response.delay), ("Refused RD,RA", Duration::from_secs(1)));
    assert_eq!(response.bit, [Tag(1), Tag(2)]);
}

#[test]
fn stale_answers_are_those_from_when_the_fault_began() {
    let mut authority = authority();
    let (host, moved) = (name("mx1.example.test"), RecordData::A([198, 51, 100, 1].into()));
    authority.fault(TAG, DnsFault { name: host.clone(), kind: None, how: How::Stale });
    authority.set(&host, RecordType::A, 60, [moved]);
    let asked = query("mx1.example.test.", Wire::A);
    let stale = ask(&mut authority, &asked, Transport::Udp);
    assert_snapshot!(show(&stale), @"
    NoError RD,AA,RA
    mx1.example.test. 300 IN A 192.0.2.10
    ");
    assert_eq!(stale.bit, [TAG]);
    authority.clear(TAG);
    assert_snapshot!(show(&ask(&mut authority, &asked, Transport::Udp)), @"
    NoError RD,AA,RA
    mx1.example.test. 60 IN A 198.51.100.1
    ");
}

#[test]
fn records_change_while_serving() {
    let mut authority = authority();
    assert!(authority.delete(&name("example.test"), Some(RecordType::Mx)));
    assert!(!authority.delete(&name("example.test"), Some(RecordType::Mx)));
    authority.set(&name("new.test"), RecordType::A, 5, [RecordData::A([192, 0, 2, 99].into())]);
    assert_snapshot!(show(&ask(&mut authority, &query("example.test.", Wire::MX), Transport::Udp)), @"
    NoError RD,AA,RA
    ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60
    ");
    assert_snapshot!(show(&ask(&mut authority, &query("new.test.", Wire::A), Transport::Udp)), @"
    NoError RD,AA,RA
    new.test. 5 IN A 192.0.2.99
    ");
}

#[test]
fn queries_are_counted() {
    let mut authority = authority();
    for owner in ["example.test.", "Example.test.", "nowhere.test."] {
        ask(&mut authority, &query(owner, Wire::MX), Transport::Udp);
    }
    ask(&mut authority, &query("example.test.", Wire::SRV), Transport::Udp);
    let log = authority.queries();
    assert_eq!((log.of(&name("example.test"), RecordType::Mx), log.total()), (2, 4));
    assert_eq!(log.lines()[1].name, name("nowhere.test"));
    assert_eq!(log.lines()[0].from, CLIENT);
}

proptest! {
    #[test]
    fn any_bytes_are_answered_or_not(bytes in prop::collection::vec(any::<u8>(), 0..100), tcp: bool) {
        let via = if tcp { Transport::Tcp } else { Transport::Udp };
        let response = authority().answer(Time::ZERO, &bytes, via, CLIENT);
        if let Some(answer) = response.bytes {
            prop_assert_eq!(&answer[..2], &bytes[..2]);
        }
    }

    /// A real query with some octets changed, which gets further than noise.
    #[test]
    fn damaged_queries_are_answered_or_not(
        damage in prop::collection::vec((2..45_usize, any::<u8>()), 1..4),
        owner in "[a-z]{1,9}\\.(wild\\.)?example\\.test\\.",
    ) {
        let mut bytes = query(&owner, Wire::A).to_vec().unwrap();
        for (at, octet) in damage {
            let at = at % bytes.len();
            bytes[at] = octet;
        }
        let response = authority().answer(Time::ZERO, &bytes, Transport::Udp, CLIENT);
        prop_assert!(response.bytes.is_none_or(|answer| answer.len() <= 512 && Message::from_vec(&answer).is_ok()));
    }
}
