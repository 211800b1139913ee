//! The wire types of AreYouJ and the one table of its methods.
//!
//! JSON-RPC 2.0 in Language Server Protocol framing. Everything an editor, the command line or a script exchanges
//! with the daemon is declared here, once; dispatch, the generated TypeScript and LuaCATS types and PROTOCOL.md are
//! made from it. So is the table of characters in which something can hide.
//!
//! Tolerance: unknown fields are ignored, unknown notifications are ignored, unknown requests are answered with
//! −32601. A field that may be missing is `Option` and is left out when it has no value. Times are milliseconds since
//! the Unix epoch, costs are US dollars, token counts are tokens.

mod connection;
mod directory;
mod error;
mod hidden;
mod methods;
mod output;
mod permission;
mod queue;
mod remedy;
mod session;

pub use connection::*;
pub use directory::*;
pub use error::*;
pub use hidden::*;
pub use methods::*;
pub use output::*;
pub use permission::*;
pub use queue::*;
pub use remedy::*;
pub use session::*;

/// The version of this contract. It is part of the daemon's socket name, so programs of different contracts never
/// talk past each other.
pub const PROTOCOL_VERSION: u32 = 1;

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;
