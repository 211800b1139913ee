//! Where the sources are.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The checkout that cargo works in. It need not be the one that this was compiled in: checkouts that share a directory of
/// builds share what is in it.
pub fn checkout() -> &'static Path {
    static CHECKOUT: LazyLock<PathBuf> = LazyLock::new(|| {
        let compiled = || env!("CARGO_MANIFEST_DIR").into();
        let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled));
        let root = package.ancestors().find(|directory| directory.join("Cargo.lock").is_file());
        root.map_or_else(|| package.clone(), Path::to_owned)
    });
    &CHECKOUT
}
