//! What a scenario expects to happen is no violation: an expectation that gives the number is a licence.

use mxdrill_net::Time;

use crate::{
    Expectation, Measure, Subject,
    books::{Books, Site},
};

/// Whether an expectation that holds at the end licenses what a measure counts at a host.
pub(super) fn is_licensed(at: Time, books: &Books, measure: Measure, site: Site) -> bool {
    let mut licences = books.setup.licences.iter().filter(|licence| licence.figure.measure == measure);
    licences.any(|licence| covers(licence, at, books, site))
}

/// Whether an expectation is about a host, or all of them, and holds.
pub(super) fn covers(licence: &Expectation, at: Time, books: &Books, site: Site) -> bool {
    let concerns = match &licence.figure.of {
        Subject::Host(host) => **host == *books.host_name(site),
        _ => true,
    };
    concerns && licence.holds(books.figure(at, &licence.figure))
}

/// The words for a licence that was given and does not hold: the number is another one.
pub(super) fn broken(at: Time, books: &Books, measure: Measure) -> Option<String> {
    let licence = books.setup.licences.iter().find(|licence| licence.figure.measure == measure)?;
    let found = books.figure(at, &licence.figure);
    (!licence.holds(found)).then(|| format!("{licence} expected, {found} found"))
}
