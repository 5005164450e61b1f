//! The content of a message.
