//! The location of the sources.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The checkout in which cargo runs. It can differ from the one in which this was compiled, because checkouts with a
/// shared build directory share its contents.
pub fn checkout() -> &'static Path {
    static CHECKOUT: LazyLock<PathBuf> = LazyLock::new(|| {
        let compiled = || env!("CARGO_MANIFEST_DIR").into();
        let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled));
        let root = package.ancestors().find(|directory| directory.join("Cargo.lock").is_file());
        root.map_or_else(|| package.clone(), Path::to_owned)
    });
    &CHECKOUT
}
