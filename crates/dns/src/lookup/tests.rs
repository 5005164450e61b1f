//! Look-ups against scripted answers.
