//! Cargo, as the tasks use it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;

use crate::setup::search_path;

/// Cargo with these arguments, in the workspace.
pub(crate) fn command(arguments: &[&str]) -> Result<Command> {
    // The one that runs this task, if it is one.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Its subcommands are found on the search path.
    command.args(arguments).current_dir(checkout()).env("PATH", search_path()?);
    Ok(command)
}

/// Runs it; it must succeed.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let status = command(arguments)?.status().context("cargo cannot be started")?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

/// The target directory that this program was built in, and where everything else is built.
pub(crate) fn target() -> Result<PathBuf> {
    let here = std::env::current_exe().context("where is this program?")?;
    Ok(here.ancestors().nth(2).context("a program outside of a target directory")?.to_owned())
}

/// Generates what is made of the protocol's types, or checks that it is up to date.
pub(crate) fn codegen(check: bool) -> Result<()> {
    let mut arguments =
        vec!["run", "--quiet", "-p", "areyouj-protocol", "--features", "schema", "--bin", "codegen"];
    if check {
        arguments.extend(["--", "--check"]);
    }
    run(&arguments)
}

/// Builds every program and returns the directory that they are in.
pub(crate) fn build_programs() -> Result<PathBuf> {
    run(&["build", "--quiet", "--workspace", "--bins"])?;
    directory()
}

/// Builds every program in the release profile and returns the directory that they are in.
pub(crate) fn build_release_programs() -> Result<PathBuf> {
    run(&["build", "--quiet", "--release", "--workspace", "--bins", "--exclude", "xtask"])?;
    let here = directory()?;
    let target = here.parent().context("a program without a target directory")?;
    Ok(target.join("release"))
}

/// Where this program is, and the others of its profile.
fn directory() -> Result<PathBuf> {
    let here = std::env::current_exe().context("where is this program?")?;
    Ok(here.parent().context("a program without a directory")?.to_owned())
}

/// The platform that programs are built for here.
pub(crate) fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("rustc cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it builds for")
}
