//! What AreYouJ decides, without any I/O.
//!
//! [`orchestrator`] owns the state of all sessions and turns events into effects. [`driver`] translates between the
//! orchestrator's terms and Claude's: orders into bytes, bytes into facts.

pub mod driver;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod json;
pub mod orchestrator;
pub mod text;
#[cfg(test)]
mod texts;
