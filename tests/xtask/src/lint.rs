//! Everything that is checked without running the product.

use anyhow::Result;

use crate::setup::{self, Modules, Need, Package, Tool};
use crate::{advisories, cargo, crates, extension, plugin};

/// What the checks need. The fuzz targets are compiled, and the types of Neovim are those of the real one.
const NEEDS: [Need; 8] = [
    Need::Package(Package::Cxx),
    Need::Package(Package::Git),
    Need::Package(Package::Luacheck),
    Need::Neovim,
    Need::Modules(Modules::Extension),
    Need::Modules(Modules::Plugin),
    Need::Tool(Tool::Deny),
    Need::Tool(Tool::EmmyluaCheck),
];

/// The workspace, and the fuzz targets, which are one of their own.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "tests/fuzz/Cargo.toml"];

/// All checks; the first that fails ends it.
pub(crate) fn run() -> Result<()> {
    setup::bring(&NEEDS)?;
    let target = cargo::target()?;
    for manifest in MANIFESTS {
        cargo::run(&["fmt", "--manifest-path", manifest, "--all", "--check"])?;
        cargo::run(&[
            "clippy",
            "--quiet",
            "--locked",
            "--manifest-path",
            manifest,
            "--target-dir",
            &target.to_string_lossy(),
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ])?;
        deny(manifest, &["check", "bans", "licenses", "sources"])?;
    }
    crates::check()?;
    cargo::codegen(true)?;
    extension::lint()?;
    plugin::lint()?;
    // What could not be checked must not scroll away.
    println!("{}", advisories::check(&MANIFESTS)?);
    Ok(())
}

/// Asks cargo-deny, by the one list of what may be depended on.
fn deny(manifest: &str, check: &[&str]) -> Result<()> {
    let options = ["deny", "--log-level", "error", "--manifest-path", manifest, "--config", "deny.toml"];
    cargo::run(&[&options, check].concat())
}
