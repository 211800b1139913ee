//! JSON-RPC 2.0 in the framing of the Language Server Protocol, for the command line, the sidecar and the daemon.

pub mod envelope;
pub mod frame;
