//! The demo: runs AreYouJ through its command line, in a temporary sandbox.

mod board;
mod live;
mod neovim;
mod signals;
mod story;

use anyhow::Result;

use crate::setup::{self, Modules, Need};
use crate::{cargo, extension};

/// Runs three sessions with the real Claude CLI and a scripted API, and kills the daemon in the middle.
pub(crate) fn story() -> Result<()> {
    setup::install_missing(&[Need::Claude])?;
    story::run()
}

/// Runs one session with the user's own Claude.
pub(crate) fn live() -> Result<()> {
    live::run()
}

/// Opens a real VS Code in the user's browser, with two projects, the real Claude CLI and a scripted API.
pub(crate) fn vscode() -> Result<()> {
    setup::install_missing(&[
        Need::Claude,
        Need::CodeServer,
        Need::Modules(Modules::Extension),
        Need::Modules(Modules::Workbench),
    ])?;
    extension::open(&cargo::build_programs()?)
}

/// Opens a real Neovim in the user's terminal, with the same.
pub(crate) fn nvim() -> Result<()> {
    setup::install_missing(&[Need::Claude, Need::Neovim])?;
    neovim::run()
}
