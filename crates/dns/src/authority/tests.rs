//! Questions to an authority, answers as people read them.
