//! Zones as people write them, and the mistakes they make.
