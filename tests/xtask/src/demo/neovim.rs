//! A real Neovim with the plugin, to try manually: two projects, the real Claude CLI and a scripted API.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use areyouj_tests::claude::claude_program;
use areyouj_tests::messages_api::MessagesApi;
use areyouj_tests::neovim::neovim_program;
use areyouj_tests::sandbox::Sandbox;

use super::signals;
use crate::{cargo, plugin};

/// Projects with a file each, so that there is something to send.
const PROJECTS: [(&str, &str); 2] = [
    ("bakery", "# Bakery\n\nBread, rolls and cakes.\n"),
    ("library", "# Library\n\nBooks, journals and maps.\n"),
];

/// The welcome page, with prompts in the language of the scripted API.
const WELCOME: &str = "# AreYouJ in Neovim

Claude is the real one, its API is scripted: nothing leaves this machine.

    :AreYouJ new ~/projects/bakery      starts a session
    :AreYouJ                            shows all sessions; g? there lists the keys
    :help areyouj

Messages to try:

    run: touch a-file                   asks for permission
    ask: Which? | This | That           asks a question
    plan: Paint the door                presents a plan
    slow: 200 that was long             prints many words
    think: about it                     thinks first
    error: 529                          fails

:qa exits and removes everything.
";

pub(super) fn run() -> Result<()> {
    let (claude, neovim) = (claude_program()?, neovim_program()?);
    let programs = cargo::build_programs()?;
    let signals = signals::block()?;
    let api = MessagesApi::start()?;
    let sandbox = Arc::new(Sandbox::isolated(api.url(), &claude, &programs)?);
    signals.close(&sandbox)?;
    let shown = show(&sandbox, Command::new(neovim));
    let closed = sandbox.close();
    shown.and(closed)
}

fn show(sandbox: &Sandbox, mut neovim: Command) -> Result<()> {
    for (name, text) in PROJECTS {
        fs::write(sandbox.project(name)?.join("README.md"), text)?;
    }
    let welcome = sandbox.cli.directory.join("WELCOME.md");
    fs::write(&welcome, WELCOME)?;
    let terminal = ["TERM", "COLORTERM"].map(|name| Some((name, std::env::var_os(name)?)));
    let status = neovim
        // The user's files are neither read nor written.
        .args(["--clean", "-n", "--cmd"])
        .arg(format!("set runtimepath^={}", plugin::directory().display()))
        .arg(&welcome)
        .env_clear()
        .envs(&sandbox.cli.environment)
        .envs(terminal.into_iter().flatten())
        .current_dir(sandbox.project(PROJECTS[0].0)?)
        .status()
        .context("Neovim cannot be started")?;
    ensure!(status.success(), "Neovim exited with {status}");
    Ok(())
}
