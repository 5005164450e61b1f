//! The live name server, asked over real sockets.
