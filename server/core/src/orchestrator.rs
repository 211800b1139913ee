//! The pure core that owns all state.
//!
//! [`State::step`] applies one event at a time and returns the effects to carry out. Nothing in this module touches a
//! file, a process, a socket, a clock, a source of randomness or a channel, so every rule about sessions, queues,
//! permissions, retries and limits is tested without a process. The time and the randomness of a step come with it.
//!
//! A client's command is a [`Query`], which reads, or an [`Operation`], which changes something and is authorized,
//! audited and remembered. A session is a composition of parts, each with its own file below `session/`.

mod answer;
mod audit;
mod audited;
mod authorize;
mod check;
mod context;
mod create;
mod displayed;
mod effect;
mod event;
mod fact;
mod host_key;
mod ids;
#[cfg(test)]
mod interleavings;
mod lookup;
mod model;
mod operate;
mod operation;
mod pause;
mod principal;
mod problem;
mod problems;
mod query;
mod read;
mod requests;
mod retry;
mod send;
mod session;
mod slots;
mod state;
mod step;
mod subject;
#[cfg(test)]
mod tests;
mod tool_input;

pub use areyouj_protocol::{ErrorCode, Remedy};
pub use audited::{Actor, ActorKind, AuditRow};
pub use authorize::Need;
pub use displayed::Displayed;
pub use effect::*;
pub use event::*;
pub use fact::*;
pub use host_key::{HOST_KEY_BYTES, HostKey, StepSecret};
pub use ids::*;
pub use model::*;
pub use operation::*;
pub use pause::{Pause, PauseReason};
pub use principal::{Grants, Insider, Principal, Process, Role};
pub use problem::Problem;
pub use query::Query;
pub use retry::{DigestOf, Settings};
pub use state::State;
pub use tool_input::{ToolInput, rules};
