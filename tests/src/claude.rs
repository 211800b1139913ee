//! The Claude CLI that tests run: pinned, checked by digest, installed once for all checkouts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};

/// What is installed. The lock file holds the digest that npm checks the download against.
const PACKAGE: &str = include_str!("../package.json");
const PACKAGE_LOCK: &str = include_str!("../package-lock.json");

/// The native program inside the package; it needs no Node to run.
const PROGRAM: &str = "node_modules/@anthropic-ai/claude-code-linux-x64/claude";

/// Where the program is, installed if need be. Without network as soon as it has been installed once.
///
/// # Errors
/// When npm is missing or cannot install the package.
pub fn claude_program() -> Result<PathBuf> {
    let cache = cache_directory()?;
    let directory = cache.join(format!("claude-code-{}", version()?));
    let stamp = directory.join("installed");
    let program = directory.join(PROGRAM);
    if is_installed(&stamp, &program) {
        return Ok(program);
    }
    fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let lock = File::create(directory.join("lock"))?;
    // Many tests start at once: the first one installs, the others wait for it here.
    let _held = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    if !is_installed(&stamp, &program) {
        install(&directory)?;
        ensure!(program.is_file(), "npm installed no {}", program.display());
        fs::write(&stamp, PACKAGE_LOCK)?;
    }
    Ok(program)
}

/// The pinned version.
///
/// # Errors
/// When package.json does not pin one.
pub fn version() -> Result<String> {
    let package: serde_json::Value = serde_json::from_str(PACKAGE).context("package.json is not JSON")?;
    let version = &package["dependencies"]["@anthropic-ai/claude-code-linux-x64"];
    Ok(version.as_str().context("package.json pins no Claude CLI")?.to_owned())
}

/// Where what is installed or built for all checkouts is kept.
pub(crate) fn cache_directory() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    Ok(cache.or_else(home).context("neither XDG_CACHE_HOME nor HOME is set")?.join("areyouj"))
}

/// The stamp is the lock file it was installed by, written last: an installation that was broken off has none.
fn is_installed(stamp: &Path, program: &Path) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == PACKAGE_LOCK) && program.is_file()
}

fn install(directory: &Path) -> Result<()> {
    fs::write(directory.join("package.json"), PACKAGE)?;
    fs::write(directory.join("package-lock.json"), PACKAGE_LOCK)?;
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(directory)
        .output()
        .context("npm cannot be started; it is needed once, to install the Claude CLI")?;
    if !output.status.success() {
        bail!("npm could not install the Claude CLI:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
