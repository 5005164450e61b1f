//! Zones as people write them, and the mistakes they make.

use std::{collections::BTreeMap, net::IpAddr};

use hickory_proto::{rr::RecordType as Wire, serialize::txt::Parser};
use insta::assert_snapshot;
use mxdrill_net::DomainName;
use proptest::prelude::*;

use super::Zones;
use crate::{Record, RecordData, RecordType, Soa, Tlsa, wire};

const EXAMPLE: &str = "\
$ORIGIN example.test.
$TTL 300
@    MX 10 mx1
@    MX 20 mx2
mx1  A  192.0.2.10
mx2  A  192.0.2.20
";

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// What a text means, as we write it.
fn read(text: &str) -> String {
    Zones::parse(text).unwrap_or_else(|error| panic!("{error}")).to_string()
}

/// A mistake as a reader sees it: the place underlined, the message, the hint.
fn mistake(text: &str) -> String {
    let error = Zones::parse(text).expect_err("there is a mistake in this text");
    let start = text[..error.span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let marks = "^".repeat(error.span.len().max(1));
    let place = format!("{line}\n{:1$}{marks}", "", error.span.start - start);
    let help = error.problem.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("{place}\n{error}{help}")
}

fn answers(zones: &Zones, owner: &str, kind: RecordType) -> Vec<String> {
    let single = |record: &Record| {
        let line = Zones::default().with(record.clone()).to_string();
        line.lines().last().unwrap_or_default().to_owned()
    };
    zones.records(&name(owner), kind).map(single).collect()
}

#[test]
fn the_example_of_the_scenario_page() {
    assert_snapshot!(read(EXAMPLE), @"
    $ORIGIN example.test.
    @ 300 MX 10 mx1
    @ 300 MX 20 mx2
    mx1 300 A 192.0.2.10
    mx2 300 A 192.0.2.20
    ");
}

#[test]
fn an_operator_s_zone_with_all_its_habits() {
    let text = r#"
$ORIGIN example.test.
$TTL 1h                      ; RFC 2308 4
@       IN SOA ns1 first\.last.example.test. (
                2026112401   ; serial
                2h 15m 2w 5m )
        IN NS  ns1.example.test.
        MX     10 mx1
        60 IN MX 20 mx.backup.test.
        TXT    "v=spf1 mx -all"
mail    CNAME  mx1
MX1     IN 120 A 192.0.2.10
        AAAA   2001:db8::10
_25._tcp.mx1 TLSA 3 1 1 ( 0123456789abcdef
                          0123456789ABCDEF )
dkim._domainkey TXT ( "v=DKIM1; k=rsa; "
                      "p=MIIB\"\\\200" )
*.wild  A      192.0.2.77
"#;
    assert_snapshot!(read(text), @r#"
    $ORIGIN example.test.
    @ 3600 SOA ns1.example.test. first\.last.example.test. 2026112401 7200 900 1209600 300
    @ 3600 NS ns1
    @ 3600 MX 10 mx1
    @ 60 MX 20 mx.backup.test.
    @ 3600 TXT "v=spf1 mx -all"
    *.wild 3600 A 192.0.2.77
    _25._tcp.mx1 3600 TLSA 3 1 1 0123456789abcdef0123456789abcdef
    dkim._domainkey 3600 TXT "v=DKIM1; k=rsa; " "p=MIIB\"\\\200"
    mail 3600 CNAME mx1
    mx1 120 A 192.0.2.10
    mx1 3600 AAAA 2001:db8::10
    "#);
}

#[test]
fn several_zones_in_one_text() {
    let text = "
$ORIGIN sub.example.test.
@ MX 10 mx.backup.test.
$ORIGIN example.test.
@ MX 10 sub
$ORIGIN backup.test.
mx A 192.0.2.20
deep.er A 192.0.2.21
other.test. MX 0 .
";
    assert_snapshot!(read(text), @"
    $ORIGIN example.test.
    @ 300 MX 10 sub
    sub 300 MX 10 mx.backup.test.

    $ORIGIN backup.test.
    deep.er 300 A 192.0.2.21
    mx 300 A 192.0.2.20

    $ORIGIN other.test.
    @ 300 MX 0 .
    ");
}

#[test]
fn a_dump_with_the_root_as_origin() {
    let text =
        "$ORIGIN .\nexample.test 300 IN SOA a b 1 2 3 4 5\n NS a\n$ORIGIN example.test.\nmx1 A 192.0.2.1\n";
    assert_snapshot!(read(text), @"
    $ORIGIN example.test.
    @ 300 SOA a. b. 1 2 3 4 5
    @ 300 NS a.
    mx1 300 A 192.0.2.1
    ");
}

#[test]
fn the_time_to_live_is_the_last_one_said_unless_there_is_a_default() {
    assert_snapshot!(read("$ORIGIN x.test.\na A 192.0.2.1\nb 60 A 192.0.2.2\nc A 192.0.2.3\n$TTL 1d\nd A 192.0.2.4"), @"
    $ORIGIN x.test.
    a 300 A 192.0.2.1
    b 60 A 192.0.2.2
    c 60 A 192.0.2.3
    d 86400 A 192.0.2.4
    ");
}

#[test]
fn internationalised_names_take_their_ascii_form() {
    let zones = Zones::parse("$ORIGIN bücher.test.\n@ MX 10 größe").unwrap();
    assert_eq!(zones.first(), Some(&name("xn--bcher-kva.test")));
    assert_eq!(zones.mx(&name("BÜCHER.test")), [(10, Some(name("xn--gre-6ka8i.xn--bcher-kva.test")))]);
}

#[test]
fn what_a_zone_leaves_out_is_made() {
    let zones = Zones::parse(EXAMPLE).unwrap();
    assert_eq!(answers(&zones, "10.2.0.192.in-addr.arpa", RecordType::Ptr), ["@ 300 PTR mx1.example.test."]);
    assert_eq!(answers(&zones, "example.test", RecordType::Ns), ["@ 300 NS ns"]);
    assert_eq!(
        answers(&zones, "example.test", RecordType::Soa),
        ["@ 300 SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 300"]
    );
    assert_eq!(zones.soa(&name("mx1.example.test")).unwrap().minimum, 300);
}

#[test]
fn what_a_zone_gives_stands_instead_of_what_is_made() {
    let text = "$ORIGIN example.test.\n@ SOA a b 7 1h 1h 1h 60\nmx1 A 192.0.2.10\n10.2.0.192.in-addr.arpa. PTR mail\n";
    let zones = Zones::parse(text).unwrap();
    assert_eq!(zones.soa(&name("example.test")).unwrap().minimum, 60);
    assert_eq!(answers(&zones, "10.2.0.192.in-addr.arpa", RecordType::Ptr), ["@ 300 PTR mail.example.test."]);
    // the NS was not given, so it is still made
    assert_eq!(answers(&zones, "example.test", RecordType::Ns), ["@ 300 NS ns"]);
}

#[test]
fn removing_an_address_removes_its_pointer() {
    let mut zones = Zones::parse(EXAMPLE).unwrap();
    assert!(zones.remove(&name("mx1.example.test"), Some(RecordType::A)));
    assert!(!zones.remove(&name("mx1.example.test"), None));
    assert_eq!(answers(&zones, "10.2.0.192.in-addr.arpa", RecordType::Ptr), [""; 0]);
    assert_eq!(answers(&zones, "20.2.0.192.in-addr.arpa", RecordType::Ptr).len(), 1);
}

#[test]
fn built_and_written_zones_are_the_same() {
    let (domain, mx1, mx2) = (name("example.test"), name("mx1.example.test"), name("mx2.example.test"));
    let built = Zones::default()
        .with_address(&mx1, [192, 0, 2, 10].into())
        .with_mx(&domain, 10, &mx1)
        .with_mx(&domain, 20, &mx2)
        .with_mx(&domain, 20, &mx2)
        .with_address(&mx2, [192, 0, 2, 20].into());
    assert_eq!(built, Zones::parse(EXAMPLE).unwrap());
    assert_eq!(built.addresses(&mx2), [IpAddr::from([192, 0, 2, 20])]);
}

#[test]
fn the_best_exchanger_comes_first_and_the_null_one_is_none() {
    let zones = Zones::parse("$ORIGIN x.test.\n@ MX 20 b\n@ MX 10 a\nnull MX 0 .").unwrap();
    assert_eq!(zones.mx(&name("x.test")), [(10, Some(name("a.x.test"))), (20, Some(name("b.x.test")))]);
    assert_eq!(zones.mx(&name("null.x.test")), [(0, None)]);
}

#[test]
fn mistakes_point_at_the_text() {
    assert_snapshot!(mistake("$ORIGIN x.test.\n@ MX 10 mx1\nmx1 A 192.0.2.300\n"), @"
    mx1 A 192.0.2.300
          ^^^^^^^^^^^
    line 3: expected an IPv4 address, found `192.0.2.300`
    help: such as `mx1 A 192.0.2.10`
    ");
    assert_snapshot!(mistake("$ORIGIN x.test.\n@ MX mx1 ; no preference\n"), @"
    @ MX mx1 ; no preference
         ^^^
    line 2: expected a preference from 0 to 65535, found `mx1`
    help: such as `@ MX 10 mx1`
    ");
    assert_snapshot!(mistake("$ORIGIN x.test.\n@ MX 10\nmx1 A 192.0.2.1"), @"
    @ MX 10
           ^
    line 2: the line ends where a host name is expected
    ");
    assert_snapshot!(mistake("$ORIGIN x.test.\n@ AAA 2001:db8::1"), @"
    @ AAA 2001:db8::1
      ^^^
    line 2: expected a record type, found `AAA`
    help: did you mean AAAA?
    ");
    assert_snapshot!(mistake("$ORIGIN x.test.\n@ SRV 1 2 3 mx1"), @"
    @ SRV 1 2 3 mx1
      ^^^
    line 2: expected a record type, found `SRV`
    help: the lab serves MX, A, AAAA, CNAME, TXT, TLSA, PTR, NS and SOA
    ");
    assert_snapshot!(mistake("$ORIGIN x.test.\nmx1 A 192.0.2.1\n  @ MX 10 mx1"), @"
      @ MX 10 mx1
      ^
    line 3: expected a record type, found `@`
    help: a line that begins with a blank has no owner field: remove the blank or the `@`
    ");
    assert_snapshot!(mistake("mx1 A 192.0.2.1"), @"
    mx1 A 192.0.2.1
    ^^^
    line 1: `mx1` is relative, and no $ORIGIN says to what
    help: begin with `$ORIGIN example.test.`, or end the name in a dot
    ");
    assert_snapshot!(mistake("$INCLUDE other.zone\n"), @"
    $INCLUDE other.zone
    ^^^^^^^^
    line 1: the directive `$INCLUDE` is not served: only $ORIGIN and $TTL
    help: name both files in `files` instead
    ");
    assert_snapshot!(mistake("$ORIGIN x.test.\nmx1 A 192.0.2.1 192.0.2.2"), @"
    mx1 A 192.0.2.1 192.0.2.2
                    ^^^^^^^^^
    line 2: `192.0.2.2` is one field too many for an A record
    ");
}

#[test]
fn mistakes_of_structure_too() {
    let check =
        |text: &str, expected: &str| assert_eq!(mistake(text).lines().nth(2), Some(expected), "{text}");
    check("x.test. SOA ns hostmaster 1 1 1 1 1", "line 1: `ns` is relative, and no $ORIGIN says to what");
    check("$ORIGIN x.test.\n@ TXT \"open\nand on", "line 2: `\"` is not closed");
    check("$ORIGIN x.test.\n@ SOA a b ( 1 2\n3 4", "line 2: `(` is not closed");
    check("$ORIGIN x.test.\n@ MX 10 mx1 )", "line 2: `)` closes nothing");
    check(
        "$ORIGIN x.test.\n@ TXT \\999",
        "line 2: a backslash is followed by a character, or by three digits up to 255",
    );
    check(
        " A 192.0.2.1",
        "line 1: a line that begins with a blank goes on with the owner of the line before, and there is none",
    );
    check("$ORIGIN x.test.\n@ CH TXT x", "line 2: the class `CH` is not served: only IN");
    check(
        "$ORIGIN x.test.\n$TTL 99999999999\n",
        "line 2: `99999999999` is no time to live: seconds, or such as 1h30m, at most 2147483647 s",
    );
    check(
        "$ORIGIN x.test.\nm A 192.0.2.1\nm CNAME n",
        "line 3: `m.x.test` is an alias (CNAME): it can have no other record beside it",
    );
    check(
        "$ORIGIN x.test.\n@ SOA a b 1 1 1 1 1\n@ SOA a b 2 1 1 1 1",
        "line 3: `x.test` has two different SOA records",
    );
    check(
        "$ORIGIN x.test.\na..b A 192.0.2.1",
        "line 2: `a..b` is no domain name: the label `` is not 1 to 63 octets long",
    );
    check(
        "$ORIGIN x.test.\n@ TLSA 3 1 1 abc",
        "line 2: expected hexadecimal digits, two an octet, found `abc`",
    );
}

#[test]
fn files_take_their_origin_from_their_name_until_they_say_one() {
    let folder = std::env::temp_dir().join(format!("mxdrill-zone-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let paths = [
        write("example.test.zone", "@ MX 10 mx.backup.test."),
        write("b.zone", "$ORIGIN backup.test.\nmx A 192.0.2.20"),
    ];
    let zones = Zones::read(paths).unwrap();
    let broken = Zones::read([write("db.broken.test", "@ MX ten mx1")]).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(zones.apexes(), [name("example.test"), name("backup.test")]);
    assert!(
        broken.ends_with("db.broken.test: line 1: expected a preference from 0 to 65535, found `ten`"),
        "{broken}"
    );
}

/// Labels short and few, so that names meet.
fn names() -> impl Strategy<Value = DomainName> {
    prop::collection::vec("[a-c]|mx-?[0-9]|_25", 1..4)
        .prop_map(|labels| name(&format!("{}.test", labels.join("."))))
}

fn data() -> impl Strategy<Value = RecordData> {
    let strings = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..3);
    prop_oneof![
        any::<[u8; 4]>().prop_map(|a| RecordData::A(a.into())),
        any::<[u8; 16]>().prop_map(|a| RecordData::Aaaa(a.into())),
        (any::<u16>(), prop::option::of(names()))
            .prop_map(|(preference, exchange)| RecordData::Mx { preference, exchange }),
        names().prop_map(RecordData::Ns),
        names().prop_map(RecordData::Ptr),
        strings.prop_map(|s| RecordData::Txt(s.into_iter().map(Into::into).collect())),
        (any::<[u8; 3]>(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(
            |([usage, selector, matching], data)| {
                RecordData::Tlsa(Tlsa { usage, selector, matching, data: data.into() }.into())
            }
        ),
        (names(), any::<u32>(), 0..=i32::MAX as u32).prop_map(|(contact, serial, minimum)| {
            let soa = Soa { contact: wire::name(&contact).unwrap(), serial, minimum, ..Soa::made(None) };
            RecordData::Soa(soa.into())
        }),
    ]
}

/// Zones with any records but aliases, at most one SOA a name.
fn zones() -> impl Strategy<Value = Zones> {
    let record = (names(), 0..=i32::MAX as u32, data());
    prop::collection::vec(record, 0..20).prop_map(|records| {
        let mut zones = Zones::default();
        for (name, ttl, data) in records {
            let second_soa = data.kind() == RecordType::Soa
                && zones.iter().any(|r| r.name == name && r.kind() == RecordType::Soa);
            if !second_soa {
                zones.insert(Record { name, ttl, data });
            }
        }
        zones
    })
}

/// hickory-proto's reading of a text of one zone: how many records of each type.
fn by_hickory(text: &str) -> BTreeMap<Wire, usize> {
    let (_, sets) = Parser::new(text, None, None).parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut counts = BTreeMap::new();
    for set in sets.values() {
        *counts.entry(set.record_type()).or_default() += set.records_without_rrsigs().count();
    }
    counts
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same(zones in zones()) {
        let text = zones.to_string();
        let again = Zones::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(&again, &zones, "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place_in_it(text in "(\\$ORIGIN a\\.test\\.\n)?[ -~\n\t\"\\\\();@é]{0,80}") {
        if let Err(error) = Zones::parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{error:?}");
            prop_assert_eq!(error.line, 1 + text[..error.span.start].matches('\n').count());
        }
    }

    /// hickory-proto reads `\DDD` in another base, so octets that need an escape stay out.
    #[test]
    fn hickory_proto_reads_the_same_records(zones in zones()) {
        for apex in zones.apexes() {
            let ours = zones.iter().filter(|r| r.name.is_within(apex) && r.kind() != RecordType::Txt);
            let one = ours.cloned().fold(Zones::default().with_zone(apex), Zones::with);
            let mut counts = BTreeMap::new();
            one.iter().for_each(|r| *counts.entry(wire::kind(r.kind())).or_default() += 1);
            prop_assert_eq!(by_hickory(&one.to_string()), counts);
        }
    }
}
