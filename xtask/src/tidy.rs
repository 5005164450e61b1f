//! House rules as a test, each with its remedy in the message.

mod architecture;
mod source;
mod walls;

use std::path::Path;

/// One rule: looks at the tree and says what breaks it.
type Rule = fn(&Path) -> Vec<String>;

const RULES: &[Rule] = &[walls::breaches, architecture::gaps, source::faults];

/// Checks every rule; all that breaks one is in the error.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let faults: Vec<String> = RULES.iter().flat_map(|rule| rule(root)).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        if let Err(faults) = super::run(&crate::root()) {
            panic!("{faults}");
        }
    }
}
