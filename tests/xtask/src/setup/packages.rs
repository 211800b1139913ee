//! Programs from Debian packages. Only their installation needs root.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use areyouj_tests::installed::Installation;
use nix::unistd::{AccessFlags, access, geteuid};

use super::Need;

/// The oldest version of Node that runs the tests: it introduced `import.meta.dirname`.
const OLDEST_NODE: (u32, u32) = (20, 11);

/// How long `apt-get` waits for another package manager, in seconds.
const DPKG_LOCK_SECONDS: u32 = 600;

/// A program and its package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    Node,
    Npm,
    /// Installs Neovim as a wheel.
    Pip,
    Python,
    /// A C++ compiler, for libFuzzer and for native modules of VS Code.
    Cxx,
    Make,
    /// The browser for VS Code and for the extension's pages.
    Chromium,
    /// Terminals for tests.
    Tmux,
    /// A terminal for one command.
    Script,
    /// Checks the Neovim plugin.
    Luacheck,
    /// Provides old versions of the programs, from the history.
    Git,
    /// Creates small disks for tests.
    MakeDisk,
    Mount,
    /// A fake clock.
    Faketime,
}

impl Package {
    /// The name of the Debian package.
    pub(super) fn name(self) -> &'static str {
        match self {
            Package::Node => "nodejs",
            Package::Npm => "npm",
            Package::Pip => "python3-pip",
            Package::Python => "python3",
            Package::Cxx => "g++",
            Package::Make => "make",
            Package::Chromium => "chromium",
            Package::Tmux => "tmux",
            Package::Script => "bsdutils",
            Package::Luacheck => "lua-check",
            Package::Git => "git",
            Package::MakeDisk => "e2fsprogs",
            Package::Mount => "mount",
            Package::Faketime => "faketime",
        }
    }

    fn is_installed(self) -> bool {
        match self {
            Package::Pip => has_pip(),
            // The tests use this path, unless `CHROMIUM` is set.
            Package::Chromium => {
                std::env::var_os("CHROMIUM").is_some() || Path::new("/usr/bin/chromium").is_file()
            }
            Package::Node => is_on_path("node"),
            Package::Cxx => is_on_path("c++"),
            Package::Script => is_on_path("script"),
            Package::Luacheck => is_on_path("luacheck"),
            Package::MakeDisk => is_on_path("mkfs.ext4"),
            Package::Npm
            | Package::Python
            | Package::Make
            | Package::Tmux
            | Package::Git
            | Package::Mount
            | Package::Faketime => is_on_path(self.name()),
        }
    }
}

/// Whether this program is in a directory of the search path, including root's.
fn is_on_path(program: &str) -> bool {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    let executable = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    std::env::split_paths(&path).any(|directory| executable(&directory.join(program)))
}

fn has_pip() -> bool {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    pip.status().is_ok_and(|status| status.success())
}

/// The missing packages of these requirements, each once.
pub(super) fn missing(needs: &[Need]) -> Vec<Package> {
    let mut missing = Vec::new();
    for need in needs {
        let own = if let Need::Package(package) = need { Some(*package) } else { None };
        for package in need.packages().iter().copied().chain(own) {
            if !missing.contains(&package) && !package.is_installed() {
                missing.push(package);
            }
        }
    }
    missing
}

/// Installs these packages, as root or with `sudo` if it needs no password.
pub(super) fn install(packages: &[Package]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = packages.iter().map(|package| package.name()).collect();
    let manual = format!("apt-get update && apt-get install -y --no-install-recommends {}", names.join(" "));
    if !is_on_path("apt-get") {
        bail!("Programs are missing. Install the Debian packages {}, then run this again.", names.join(" "));
    }
    let root = geteuid().is_root();
    if !root && !sudo_works() {
        bail!(
            "Packages are missing, and only root can install them. Run this, then the task again:\n  sudo sh -c '{manual}'"
        );
    }
    let _installation = Installation::begin()?;
    eprintln!("==> installing {} with apt-get", names.join(" "));
    let lock = format!("DPkg::Lock::Timeout={DPKG_LOCK_SECONDS}");
    apt(root, &["-o", &lock, "update", "-qq"])?;
    apt(root, &[&["-o", &lock, "install", "-y", "-qq", "--no-install-recommends"], &*names].concat())?;
    let mut still = String::new();
    for package in packages.iter().filter(|package| !package.is_installed()) {
        write!(still, " {}", package.name())?;
    }
    ensure!(
        still.is_empty(),
        "the programs of these packages are not on PATH after the installation:{still}"
    );
    Ok(())
}

fn sudo_works() -> bool {
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    sudo.status().is_ok_and(|status| status.success())
}

/// Runs `apt-get`. Its output is printed only if it fails.
fn apt(root: bool, arguments: &[&str]) -> Result<()> {
    // `sudo` drops the environment, so `env` sets the variable.
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let words = if root { words.to_vec() } else { [&["sudo", "-n"], &words[..]].concat() };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(arguments).stdin(Stdio::null());
    let output = command.output().with_context(|| format!("{} cannot be started", words[0]))?;
    ensure!(
        output.status.success(),
        "`apt-get {}` failed:\n{}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Fails if Node is required and too old: a Debian package does not replace an installed Node.
pub(super) fn check_node(needs: &[Need]) -> Result<()> {
    if !needs.iter().any(|need| need.packages().contains(&Package::Node)) {
        return Ok(());
    }
    let output = Command::new("node").arg("--version").output().context("node cannot be started")?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (major, minor) = OLDEST_NODE;
    let found = version(&printed).with_context(|| format!("`node --version` printed {printed:?}"))?;
    ensure!(found >= OLDEST_NODE, "Node {printed} is too old: install Node {major}.{minor} or later.");
    Ok(())
}

/// Major and minor number in `v20.11.1`.
fn version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(version("v20.11.1"), Some((20, 11)));
        assert_eq!(version("v24.0.0-nightly"), Some((24, 0)));
        assert_eq!(version("20.11.1"), None);
    }

    #[test]
    fn a_package_for_several_requirements_is_installed_once() {
        let needs = [Need::Package(Package::Tmux), Need::Package(Package::Tmux)];
        assert!(missing(&needs).len() <= 1);
    }

    #[test]
    fn programs_are_found_on_the_search_path() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program-anywhere"));
    }
}
