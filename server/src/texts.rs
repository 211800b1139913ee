//! Snapshots of what a person reads: help texts, tables, problems. They are in `server/tests/texts`.
//!
//! A test that finds another text writes it to a `.snap.new` file beside the snapshot. Read the difference, then
//! accept all of them with `cargo insta accept`, or run the tests with `INSTA_UPDATE=always`.

use crate::cli::texts::printed;
use crate::client::Failure;

/// Compares a text with the snapshot of this name.
pub(crate) fn assert_text(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/texts"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Compares what a client prints about each of these with the snapshot of this name.
pub(crate) fn assert_problems<T: Into<Failure>>(name: &str, problems: impl IntoIterator<Item = T>) {
    let printed: Vec<String> = problems.into_iter().map(|problem| printed(&problem.into())).collect();
    assert_text(name, &printed.join("\n"));
}
