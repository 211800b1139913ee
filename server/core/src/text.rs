//! Text of others, made fit to show: what Claude, its tools, people and files say can hold control sequences and
//! characters in which something hides.

pub mod always;
pub mod controls;
pub mod display;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
pub mod lookalike;
pub mod plain;
pub mod segments;
