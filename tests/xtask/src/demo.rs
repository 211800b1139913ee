//! The demo: AreYouJ at work, driven through its command line, in a place of its own that is gone afterwards.

mod board;
mod live;
mod neovim;
mod signals;
mod story;

use anyhow::Result;

use crate::setup::{self, Modules, Need};
use crate::{cargo, extension};

/// Three sessions with the real Claude CLI and a scripted API, and the daemon killed in the middle.
pub(crate) fn story() -> Result<()> {
    setup::bring(&[Need::Claude])?;
    story::run()
}

/// One session with the person's own Claude.
pub(crate) fn live() -> Result<()> {
    live::run()
}

/// A real VS Code in the person's browser, with two projects, the real Claude CLI and a scripted API.
pub(crate) fn vscode() -> Result<()> {
    setup::bring(&[
        Need::Claude,
        Need::CodeServer,
        Need::Modules(Modules::Extension),
        Need::Modules(Modules::Workbench),
    ])?;
    extension::open(&cargo::build_programs()?)
}

/// A real Neovim in the person's terminal, with the same.
pub(crate) fn nvim() -> Result<()> {
    setup::bring(&[Need::Claude, Need::Neovim])?;
    neovim::run()
}
