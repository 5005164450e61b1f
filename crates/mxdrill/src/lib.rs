//! mxdrill
