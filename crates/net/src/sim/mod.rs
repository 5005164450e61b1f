//! Processes in virtual time: one event queue, one thread, one seed.
