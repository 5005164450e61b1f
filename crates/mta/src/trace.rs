//! Trace fields (RFC 5321 4.4): Received at every hop, Return-Path at final delivery; and the dates in them.

use std::{fmt::Write, net::IpAddr, ops::Range, sync::Arc, time::Duration};

use bytes::BytesMut;
use jiff::fmt::rfc2822::DateTimePrinter;
use mxdrill_net::{DomainName, Epoch, Time};
use mxdrill_smtp::{Protocol, Received, ReversePath};

use crate::QueueId;

/// Prints times as RFC 5322 3.3 writes them, in UTC. Remembers the second that it printed last, as mail comes
/// many to a second.
#[derive(Debug)]
pub(crate) struct Dates {
    epoch: Epoch,
    /// The times for which `text` is right.
    second: Range<Time>,
    text: String,
}

impl Dates {
    pub(crate) fn new(epoch: Epoch) -> Dates {
        Dates { epoch, second: Time::MAX..Time::ZERO, text: String::new() }
    }

    /// The date and time of `at`, such as `Tue, 1 Jan 2030 00:05:00 +0000`.
    pub(crate) fn print(&mut self, at: Time) -> &str {
        if !self.second.contains(&at) {
            self.format(at);
        }
        &self.text
    }

    fn format(&mut self, at: Time) {
        let wall = self.epoch.wall(at);
        let into = wall.as_nanosecond().rem_euclid(1_000_000_000) as u64;
        let start = Time::from_nanos(at.as_nanos().saturating_sub(into));
        self.second = start..at + Duration::from_nanos(1_000_000_000 - into);
        self.text.clear();
        // Years beyond 9999 have no form; no drill reaches them.
        let _ = DateTimePrinter::new().print_timestamp(&wall, &mut self.text);
        // jiff writes -0000, which would mean that the zone is not known (RFC 5322 3.3).
        self.text.truncate(self.text.len().saturating_sub(5));
        self.text.push_str("+0000");
    }
}

/// An upper bound of what a [`Stamp`] and [`push_return_path`] write beside the names in them.
pub(crate) const TRACE_LEN_MAX: usize = 256;

/// Writes the Received field of a hop. Remembers what it wrote for the last session, as messages come many to
/// a session.
#[derive(Debug, Default)]
pub(crate) struct Stamp {
    session: Option<(Arc<str>, IpAddr, Protocol)>,
    /// The field as far as it is the same for all messages of the session.
    text: BytesMut,
}

impl Stamp {
    /// Writes the field. `for` is left out: it would tell one recipient of another (RFC 5321 7.2).
    pub(crate) fn push(
        &mut self,
        text: &mut BytesMut,
        came: &Received,
        by: &DomainName,
        id: QueueId,
        date: &str,
    ) {
        let is_known = |(helo, peer, protocol): &(Arc<str>, IpAddr, Protocol)| {
            *helo == came.helo && *peer == came.peer && *protocol == came.protocol
        };
        if !self.session.as_ref().is_some_and(is_known) {
            self.begin(came, by);
        }
        text.extend_from_slice(&self.text);
        push_hex(text, id.0);
        text.extend_from_slice(b";\r\n\t");
        text.extend_from_slice(date.as_bytes());
        text.extend_from_slice(b"\r\n");
    }

    fn begin(&mut self, came: &Received, by: &DomainName) {
        self.session = Some((came.helo.clone(), came.peer, came.protocol));
        self.text.clear();
        self.text.extend_from_slice(b"Received: from ");
        self.text.extend_from_slice(came.helo.as_bytes());
        self.text.extend_from_slice(b" ([");
        push_address(&mut self.text, came.peer);
        self.text.extend_from_slice(b"])\r\n\tby ");
        self.text.extend_from_slice(by.as_str().as_bytes());
        self.text.extend_from_slice(b" with ");
        self.text.extend_from_slice(came.protocol.word().as_bytes());
        self.text.extend_from_slice(b" id ");
    }
}

/// Writes the Return-Path field, which final delivery adds on top.
pub(crate) fn push_return_path(text: &mut BytesMut, path: &ReversePath) {
    text.extend_from_slice(b"Return-Path: <");
    if let Some(address) = &path.0 {
        text.extend_from_slice(address.local().as_bytes());
        text.extend_from_slice(b"@");
        text.extend_from_slice(address.domain().as_str().as_bytes());
    }
    text.extend_from_slice(b">\r\n");
}

/// Writes what stands between the brackets of an address literal (RFC 5321 4.1.3).
fn push_address(text: &mut BytesMut, address: IpAddr) {
    // Writing to memory does not fail.
    let _ = match address {
        IpAddr::V4(v4) => write!(text, "{v4}"),
        IpAddr::V6(v6) => write!(text, "IPv6:{v6}"),
    };
}

/// Writes a number as [`QueueId`] displays it.
fn push_hex(text: &mut BytesMut, number: u64) {
    let digits: [u8; 16] =
        std::array::from_fn(|i| b"0123456789ABCDEF"[(number >> (60 - 4 * i)) as usize & 15]);
    let skip = (number.leading_zeros() as usize / 4).min(15);
    text.extend_from_slice(&digits[skip..]);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::BytesMut;
    use mxdrill_net::{Epoch, Time};
    use proptest::prelude::*;

    use super::{Dates, push_address, push_hex};
    use crate::QueueId;

    fn text(write: impl FnOnce(&mut BytesMut)) -> String {
        let mut buffer = BytesMut::new();
        write(&mut buffer);
        String::from_utf8(buffer.to_vec()).unwrap()
    }

    #[test]
    fn dates_are_utc() {
        let mut dates = Dates::new(Epoch::default());
        assert_eq!(dates.print(Time::ZERO), "Tue, 1 Jan 2030 00:00:00 +0000");
        assert_eq!(dates.print(Time::ZERO + Duration::from_millis(999)), "Tue, 1 Jan 2030 00:00:00 +0000");
        assert_eq!(dates.print(Time::from_secs(5 * 86_400 + 61)), "Sun, 6 Jan 2030 00:01:01 +0000");
        assert_eq!(dates.print(Time::ZERO), "Tue, 1 Jan 2030 00:00:00 +0000");
    }

    #[test]
    fn an_epoch_need_not_be_a_whole_second() {
        let mut dates = Dates::new(Epoch(jiff::Timestamp::new(1_893_456_000, 600_000_000).unwrap()));
        assert_eq!(dates.print(Time::ZERO), "Tue, 1 Jan 2030 00:00:00 +0000");
        assert_eq!(dates.print(Time::ZERO + Duration::from_millis(399)), "Tue, 1 Jan 2030 00:00:00 +0000");
        assert_eq!(dates.print(Time::ZERO + Duration::from_millis(400)), "Tue, 1 Jan 2030 00:00:01 +0000");
        assert_eq!(dates.print(Time::ZERO + Duration::from_millis(1399)), "Tue, 1 Jan 2030 00:00:01 +0000");
        assert_eq!(dates.print(Time::ZERO + Duration::from_millis(1400)), "Tue, 1 Jan 2030 00:00:02 +0000");
        assert_eq!(dates.print(Time::ZERO), "Tue, 1 Jan 2030 00:00:00 +0000");
    }

    #[test]
    fn a_date_that_has_no_form_is_no_panic() {
        assert!(Dates::new(Epoch(jiff::Timestamp::MAX)).print(Time::MAX).ends_with("+0000"));
        assert!(Dates::new(Epoch(jiff::Timestamp::MIN)).print(Time::ZERO).ends_with("+0000"));
    }

    proptest! {
        #[test]
        fn numbers_print_as_the_standard_library_prints_them(number: u64, v4: [u8; 4], v6: [u8; 16]) {
            prop_assert_eq!(text(|t| push_hex(t, number)), QueueId(number).to_string());
            prop_assert_eq!(text(|t| push_hex(t, number & 15)), format!("{:X}", number & 15));
            let v4 = std::net::Ipv4Addr::from(v4);
            prop_assert_eq!(text(|t| push_address(t, v4.into())), v4.to_string());
            let v6 = std::net::Ipv6Addr::from(v6);
            prop_assert_eq!(text(|t| push_address(t, v6.into())), format!("IPv6:{v6}"));
        }
    }
}
