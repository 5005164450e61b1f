//! Processes on real sockets.
