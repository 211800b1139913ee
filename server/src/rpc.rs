//! JSON-RPC 2.0 in the framing of the Language Server Protocol, for all who speak it: command line, sidecar and daemon.

pub mod envelope;
pub mod frame;
