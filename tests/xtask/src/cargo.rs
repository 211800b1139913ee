//! Runs Cargo for the tasks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;

use crate::setup::search_path;

/// A Cargo command with these arguments, in the workspace.
pub(crate) fn command(arguments: &[&str]) -> Result<Command> {
    // The Cargo that runs this task, if any.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo finds its subcommands on the search path.
    command.args(arguments).current_dir(checkout()).env("PATH", search_path()?);
    Ok(command)
}

/// Runs Cargo, which must succeed.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let status = command(arguments)?.status().context("cargo cannot be started")?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

/// The target directory in which this program was built; everything else is built there, too.
pub(crate) fn target() -> Result<PathBuf> {
    let here = std::env::current_exe().context("the path of this program is unknown")?;
    Ok(here.ancestors().nth(2).context("this program is not in a target directory")?.to_owned())
}

/// Generates the files derived from the protocol's types, or checks that they are up to date.
pub(crate) fn codegen(check: bool) -> Result<()> {
    let mut arguments =
        vec!["run", "--quiet", "-p", "areyouj-protocol", "--features", "schema", "--bin", "codegen"];
    if check {
        arguments.extend(["--", "--check"]);
    }
    run(&arguments)
}

/// Builds all programs and returns their directory.
pub(crate) fn build_programs() -> Result<PathBuf> {
    run(&["build", "--quiet", "--workspace", "--bins"])?;
    directory()
}

/// Builds all programs with the release profile and returns their directory.
pub(crate) fn build_release_programs() -> Result<PathBuf> {
    run(&["build", "--quiet", "--release", "--workspace", "--bins", "--exclude", "xtask"])?;
    let here = directory()?;
    let target = here.parent().context("this program has no target directory")?;
    Ok(target.join("release"))
}

/// The directory of this program and of the others with its profile.
fn directory() -> Result<PathBuf> {
    let here = std::env::current_exe().context("the path of this program is unknown")?;
    Ok(here.parent().context("this program has no parent directory")?.to_owned())
}

/// The platform for which programs are built.
pub(crate) fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("rustc cannot be started")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it builds for")
}
