//! The pure core that owns all state.
//!
//! [`State::step`] takes one event and the time, and returns what is to be done. Nothing in this module touches a
//! file, a process, a socket, a clock, a source of randomness or a channel, so every rule about sessions, queues,
//! permissions, retries and limits is tested without a process.

mod check;
mod command;
mod create;
mod effect;
mod event;
mod fact;
mod facts;
mod ids;
mod in_effect;
#[cfg(test)]
mod interleavings;
mod lifecycle;
mod lookup;
mod messages;
mod model;
mod permission;
mod problem;
mod queue;
mod retry;
mod saying;
mod send;
mod session;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod tool_input;

pub use effect::*;
pub use event::*;
pub use fact::*;
pub use ids::*;
pub use model::*;
pub use retry::Settings;
pub use saying::Said;
pub use state::State;
pub use tool_input::{ToolInput, rules};
