//! Installs the requirements of a task before it starts. They are kept in the user's cache for all checkouts; only npm
//! modules are in the checkout, where Node searches for them.

mod modules;
mod packages;
mod tools;

use std::time::Instant;

use anyhow::Result;
use areyouj_tests::claude::claude;
use areyouj_tests::installed::Installed;
use areyouj_tests::neovim::neovim;
use areyouj_tests::pygls::pygls;

pub(crate) use modules::{Modules, code_server_directory};
pub(crate) use packages::Package;
pub(crate) use tools::{Tool, search_path};

/// A requirement of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The pinned Claude CLI.
    Claude,
    /// The pinned Neovim.
    Neovim,
    /// The pinned language client of pygls.
    Pygls,
    /// The pinned VS Code for browsers.
    CodeServer,
    /// A program from a Debian package.
    Package(Package),
    /// A pinned program from crates.io.
    Tool(Tool),
    /// The npm modules in a lock file of the checkout.
    Modules(Modules),
}

impl Need {
    /// The packages that are necessary to install or use it.
    fn packages(self) -> &'static [Package] {
        match self {
            Need::Claude | Need::Modules(_) => &[Package::Node, Package::Npm],
            Need::Neovim => &[Package::Pip],
            Need::Pygls => &[Package::Pip, Package::Python],
            Need::CodeServer => &[Package::Node, Package::Npm, Package::Cxx, Package::Make, Package::Python],
            Need::Tool(Tool::Fuzz) => &[Package::Cxx],
            Need::Package(_) | Need::Tool(_) => &[],
        }
    }

    /// The installation step, unless a package manager installs it.
    fn step(self) -> Result<Option<Step>> {
        Ok(Some(match self {
            Need::Claude => Step::Program(claude()?),
            Need::Neovim => Step::Program(neovim()?),
            Need::Pygls => Step::Program(pygls()?),
            Need::CodeServer => Step::Program(modules::code_server()?),
            Need::Tool(tool) if tool.is_on_path() => return Ok(None),
            Need::Tool(tool) => Step::Program(tool.installed()),
            Need::Modules(modules) => Step::Modules(modules),
            Need::Package(_) => return Ok(None),
        }))
    }
}

/// One installation.
enum Step {
    Program(Installed),
    Modules(Modules),
}

impl Step {
    fn is_done(&self) -> Result<bool> {
        match self {
            Step::Program(program) => program.is_installed(),
            Step::Modules(modules) => Ok(modules.are_installed()),
        }
    }

    fn name(&self) -> String {
        match self {
            Step::Program(program) => program.name.clone(),
            Step::Modules(modules) => modules.name(),
        }
    }

    fn install(&self) -> Result<()> {
        match self {
            Step::Program(program) => program.find().map(|_| ()),
            Step::Modules(modules) => modules.install(),
        }
    }
}

/// Installs the missing requirements, and prints them.
///
/// # Errors
/// If something cannot be installed. Packages that need root are installed first.
pub(crate) fn install_missing(needs: &[Need]) -> Result<()> {
    let begun = Instant::now();
    let missing_packages = packages::missing(needs);
    let mut steps = Vec::new();
    for need in needs {
        if let Some(step) = need.step()?
            && !step.is_done()?
        {
            steps.push(step);
        }
    }
    if !missing_packages.is_empty() || !steps.is_empty() {
        let names = missing_packages.iter().map(|package| package.name().to_owned());
        let all: Vec<String> = names.chain(steps.iter().map(Step::name)).collect();
        eprintln!("==> set-up: this machine lacks {}", all.join(", "));
        packages::install(&missing_packages)?;
        for step in &steps {
            step.install()?;
        }
        tools::clean_up()?;
        eprintln!("==> set-up: done in {} s", begun.elapsed().as_secs());
    }
    packages::check_node(needs)
}
