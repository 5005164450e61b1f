//! Tables of the command grammar.
