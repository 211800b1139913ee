//! Pinned programs from crates.io, built once for all checkouts.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use areyouj_tests::installed::{Installation, Installed, cache_directory};

/// The build directory, relative to the cache.
const BUILDS: &str = "tools-build";

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Runs the tests of the workspace.
    Nextest,
    /// Checks dependencies.
    Deny,
    /// Builds the fuzz targets.
    Fuzz,
    /// Checks the types of the Neovim plugin.
    EmmyluaCheck,
}

impl Tool {
    const ALL: [Tool; 4] = [Tool::Nextest, Tool::Deny, Tool::Fuzz, Tool::EmmyluaCheck];

    /// The crate and its version.
    fn pin(self) -> (&'static str, &'static str) {
        match self {
            Tool::Nextest => ("cargo-nextest", "0.9.143"),
            Tool::Deny => ("cargo-deny", "0.20.2"),
            Tool::Fuzz => ("cargo-fuzz", "0.13.1"),
            Tool::EmmyluaCheck => ("emmylua_check", "0.25.1"),
        }
    }

    /// The path of the program, relative to its directory.
    fn program(self) -> &'static str {
        match self {
            Tool::Nextest => "bin/cargo-nextest",
            Tool::Deny => "bin/cargo-deny",
            Tool::Fuzz => "bin/cargo-fuzz",
            Tool::EmmyluaCheck => "bin/emmylua_check",
        }
    }

    /// The program in the cache.
    pub(super) fn installed(self) -> Installed {
        let (name, version) = self.pin();
        Installed {
            name: format!("{name}-{version}"),
            lock: format!("{name}@{version}\n"),
            program: self.program(),
            install: Box::new(move |directory| install(name, version, directory)),
        }
    }

    /// Whether the same version is already on the search path.
    pub(super) fn is_on_path(self) -> bool {
        let (name, version) = self.pin();
        let mut command = Command::new(name);
        // A cargo subcommand receives its name as the first argument, as from cargo.
        command.args(name.strip_prefix("cargo-")).arg("--version");
        let output = command.output();
        output.is_ok_and(|output| {
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            printed.lines().next().is_some_and(|line| line.split(' ').any(|word| word == version))
        })
    }
}

fn install(name: &str, version: &str, directory: &Path) -> Result<()> {
    // Use the toolchain of the workspace, but not its configuration.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["install", "--quiet", "--locked", "--force", "--root"]).arg(directory);
    cargo.arg(format!("{name}@{version}")).env("CARGO_TARGET_DIR", cache_directory()?.join(BUILDS));
    let status = cargo.current_dir(directory).status().context("cargo cannot be started")?;
    ensure!(status.success(), "`cargo install {name}@{version}` failed");
    Ok(())
}

/// Removes the build files.
pub(super) fn clean_up() -> Result<()> {
    let builds = cache_directory()?.join(BUILDS);
    if builds.exists() {
        let _installation = Installation::begin()?;
        fs::remove_dir_all(&builds).with_context(|| format!("cannot remove {}", builds.display()))?;
    }
    Ok(())
}

/// The search path, with these programs before others of the same name.
pub(crate) fn search_path() -> Result<OsString> {
    let cache = cache_directory()?;
    let own = Tool::ALL.map(|tool| {
        let (name, version) = tool.pin();
        cache.join(format!("{name}-{version}/bin"))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)))
        .context("PATH cannot be extended")
}
