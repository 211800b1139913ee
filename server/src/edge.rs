//! Edges: each translates one dialect, spoken by the client that starts it, to the daemon's contract.

pub mod lsp;
