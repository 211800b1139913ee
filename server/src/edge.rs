//! Edges: each translates the protocol of the client that starts it to the daemon's contract.

pub mod lsp;
