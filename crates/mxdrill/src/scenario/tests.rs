//! Scenarios as people write them: read, printed, moved to a site, built, and broken.

mod build;
mod laws;
mod mistakes;
mod places;
mod schema;

use super::{NoFiles, Scenario, catalogue};

/// Reads a text, or shows its mistakes and fails.
fn read(text: &str) -> Scenario {
    Scenario::parse("story.toml", text, &NoFiles)
        .unwrap_or_else(|mistakes| panic!("{:?}", miette::Report::new(mistakes)))
}

#[test]
fn the_catalogue_reads_and_prints_back() {
    for entry in catalogue::all() {
        let scenario = read(entry.text);
        let printed = scenario.to_toml();
        assert_eq!(read(&printed), scenario, "{}:\n{printed}", entry.path);
    }
}
