//! Tables of the reply grammar.
