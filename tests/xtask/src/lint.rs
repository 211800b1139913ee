//! The checks that do not run the product.

use anyhow::Result;

use crate::circles::Language;
use crate::setup::{self, Modules, Need, Package, Tool};
use crate::{advisories, cargo, circles, crates, extension, notices, plugin, words};

/// What the checks need. They compile the fuzz targets, and use the types of the pinned Neovim.
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

/// The workspace, and the workspace of the fuzz targets.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "tests/fuzz/Cargo.toml"];

/// Runs all checks, up to the first that fails.
pub(crate) fn run() -> Result<()> {
    words::run(&[])?;
    setup::install_missing(&NEEDS)?;
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
    notices::write(true)?;
    extension::lint()?;
    plugin::lint()?;
    circles::check(&Language::ALL)?;
    // The result comes last, so that a skipped check is not overlooked.
    println!("{}", advisories::check(&MANIFESTS)?);
    Ok(())
}

/// Runs cargo-deny with the list of allowed dependencies.
fn deny(manifest: &str, check: &[&str]) -> Result<()> {
    let options = ["deny", "--log-level", "error", "--manifest-path", manifest, "--config", "deny.toml"];
    cargo::run(&[&options, check].concat())
}
