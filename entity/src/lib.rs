//! Table shapes.
