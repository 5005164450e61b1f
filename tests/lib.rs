//! Nothing lives here: the drills are in `it/`.
