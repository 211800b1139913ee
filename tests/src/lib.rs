//! The test infrastructure: isolated homes, the scripted Messages API, and the real Claude CLI.
//!
//! The end-to-end tests (`e2e/`) and the demo (`cargo xtask demo`) use the command line of `areyouj` as a person does.
//! The real Claude CLI connects to [`messages_api`] on loopback.

pub mod bystander;
pub mod chaos;
pub mod checkout;
pub mod claude;
pub mod cli;
pub mod disk;
pub mod environment;
pub mod home;
pub mod installed;
pub mod lsp;
pub mod messages_api;
pub mod neovim;
pub mod processes;
pub mod pygls;
pub mod sandbox;
pub mod tmux;
pub mod watch;
