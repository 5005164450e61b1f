//! Reports: each is a pure reading of outcomes.

mod json;
mod junit;
mod text;

pub use json::json;
pub use junit::junit;
pub use text::text;

#[cfg(test)]
mod tests;
