//! The wire types of AreYouJ and the one table of its methods.
//!
//! JSON-RPC 2.0 in Language Server Protocol framing. This crate declares, once, everything that an editor, the command
//! line or a script exchanges with the daemon. Dispatch, the generated TypeScript and LuaCATS types, and PROTOCOL.md
//! are derived from it. So are the tables of hidden characters.
//!
//! Tolerance: unknown fields and unknown notifications are ignored, unknown requests fail with −32601. An optional
//! field is an `Option` and is omitted when it has no value. Times are milliseconds since the Unix epoch, costs are US
//! dollars, token counts are tokens.

mod audit;
mod connection;
mod directory;
mod display;
mod error;
mod hidden;
mod methods;
mod output;
mod permission;
mod queue;
mod remedy;
mod session;

pub use audit::*;
pub use connection::*;
pub use directory::*;
pub use display::*;
pub use error::*;
pub use hidden::*;
pub use methods::*;
pub use output::*;
pub use permission::*;
pub use queue::*;
pub use remedy::*;
pub use session::*;

/// The version of this contract. It is part of the daemon's socket name, so programs with different contracts never
/// connect to each other.
pub const PROTOCOL_VERSION: u32 = 1;

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;
