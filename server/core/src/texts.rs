//! Snapshots of what a person reads about the decisions of this crate. They are in `server/tests/texts`.
//!
//! A test that finds another text writes it to a `.snap.new` file beside the snapshot. Read the difference, then
//! accept all of them with `cargo insta accept`, or run the tests with `INSTA_UPDATE=always`.

use crate::orchestrator::{Problem, Remedy};

/// Compares a text with the snapshot of this name.
pub(crate) fn assert_text(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/texts"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Compares the codes, messages, hints and remedies of these problems with the snapshot of this name.
pub(crate) fn assert_problems(name: &str, problems: impl IntoIterator<Item = Problem>) {
    let printed = |problem: Problem| {
        let log: String =
            problem.log.iter().flat_map(|log| log.lines()).map(|line| format!("    {line}\n")).collect();
        let remedy = problem.remedy.as_ref().filter(|remedy| !matches!(remedy, Remedy::Other(_)));
        let remedy = remedy.map(|remedy| format!("  remedy: {}\n", serde_json::to_string(remedy).unwrap()));
        format!(
            "{}\nerror: {}\n{log}  hint: {}\n{}",
            problem.code,
            problem.message,
            problem.hint(),
            remedy.unwrap_or_default()
        )
    };
    let printed: Vec<String> = problems.into_iter().map(printed).collect();
    assert_text(name, &printed.join("\n"));
}
