//! The command line of mxdrill.
fn main() {}
