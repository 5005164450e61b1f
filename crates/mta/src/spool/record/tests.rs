//! The law of the records: what was written is read, and nothing else is.

use bytes::{Bytes, BytesMut};
use mxdrill_smtp::{Address, Notify, Recipient};
use proptest::prelude::*;

use super::{Record, put_begin, put_done, put_gone, put_stored, take};
use crate::{
    Message, Origin, QueueId,
    fixture::{intake, received},
    spool::Pending,
};

fn address() -> impl Strategy<Value = Address> {
    ("[a-z0-9.]{1,20}|\"[a-z @]{0,20}\"|[à-ý]{1,8}", "[a-z]{1,20}\\.test")
        .prop_filter_map("an address", |(local, domain)| format!("{local}@{domain}").parse().ok())
}

fn recipient() -> impl Strategy<Value = Recipient> {
    let notify = any::<[bool; 4]>().prop_map(|[never, success, failure, delay]| Notify {
        never,
        success,
        failure,
        delay,
    });
    let orcpt = prop::option::of("rfc822;[!-~]{0,30}".prop_map(Box::from));
    (address(), notify, orcpt).prop_map(|(address, notify, orcpt)| Recipient { address, notify, orcpt })
}

prop_compose! {
    fn message()(
        reverse_path in prop::option::of(address()),
        recipients in prop::collection::vec(recipient(), 0..100),
        content in "([A-Z]: [a-z]{0,9}\r\n){0,3}\r\n[a-z\r\n]{0,99}",
        envid in prop::option::of("[!-~]{0,30}".prop_map(Box::from)),
        flags: [bool; 3],
        origin in prop::sample::select(vec![Origin::Peer, Origin::Bounce, Origin::Warning]),
        at: u64,
        received_fields: u16,
    ) -> Message {
        let made = intake().receive(mxdrill_net::Time::from_nanos(at), received(content));
        Message {
            reverse_path: mxdrill_smtp::ReversePath(reverse_path),
            recipients: recipients.into(),
            envid,
            eight_bit: flags[0],
            utf8: flags[1],
            ret_full: flags[2],
            origin,
            received: received_fields,
            ..made
        }
    }
}

/// A message as it lies in the log.
fn stored(message: &Message, pending: &Pending, is_copy: bool) -> Vec<u8> {
    let mut text = BytesMut::new();
    put_stored(&mut text, message, pending, is_copy);
    [&text[..], &message.header, &message.body].concat()
}

proptest! {
    #[test]
    fn a_message_is_read_as_it_was_written(message in message(), done: Vec<u16>, is_copy: bool, after: Vec<u8>) {
        let mut pending = Pending::all(message.recipients.len());
        for recipient in done {
            pending.remove(recipient % 128);
        }
        let mut text = Bytes::from([stored(&message, &pending, is_copy), after.clone()].concat());
        let Some(Record::Stored(found)) = take(&mut text) else { panic!("a stored message") };
        prop_assert_eq!((found.id, found.is_copy, &found.pending), (message.id, is_copy, &pending));
        prop_assert_eq!(found.message(), Some(message));
        prop_assert_eq!(&text[..], &after[..]);
    }

    #[test]
    fn marks_are_read_as_they_were_written(id: u64, recipient: u16, delivered: u64) {
        let mut text = BytesMut::new();
        put_begin(&mut text, delivered);
        put_done(&mut text, QueueId(id), recipient);
        put_gone(&mut text, QueueId(id));
        let mut text = text.freeze();
        prop_assert_eq!(take(&mut text), Some(Record::Begin { delivered }));
        prop_assert_eq!(take(&mut text), Some(Record::Done(QueueId(id), recipient)));
        prop_assert_eq!(take(&mut text), Some(Record::Gone(QueueId(id))));
        prop_assert_eq!(take(&mut text), None);
    }

    #[test]
    fn a_torn_or_damaged_message_is_none(message in message(), place: prop::sample::Index, bit in 0u8..8) {
        let whole = stored(&message, &Pending::all(message.recipients.len()), false);
        let place = place.index(whole.len());
        let mut torn = Bytes::copy_from_slice(&whole[..place]);
        prop_assert_eq!(take(&mut torn), None);
        prop_assert_eq!(torn.len(), place, "nothing is taken");
        let mut damaged = whole;
        damaged[place] ^= 1 << bit;
        prop_assert_eq!(take(&mut damaged.into()), None);
    }

    #[test]
    fn any_octets_are_no_panic(octets: Vec<u8>, kind in 0u8..8) {
        take(&mut octets.clone().into());
        // The same behind a check that is right.
        let mut text = BytesMut::new();
        super::put(&mut text, kind, &[], 0, |text| text.extend_from_slice(&octets));
        if let Some(Record::Stored(found)) = take(&mut text.freeze()) {
            found.message();
        }
    }
}
