//! The VS Code extension: its checks, its tests in Node and in a browser, and those in the real workbench.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;

use crate::cargo;
use crate::setup::{self, Modules, Need, code_server_directory};
use crate::test::Counts;

/// Checks types and lint rules.
pub(crate) fn lint() -> Result<()> {
    let directory = directory();
    for script in ["check", "lint"] {
        run(npm(&directory, &["run", "--silent", script]))?;
    }
    Ok(())
}

/// Runs all tests; returns whether all passed, and the counts.
pub(crate) fn test(programs: &Path) -> Result<(bool, Counts)> {
    let directory = directory();
    run(npm(&directory, &["run", "--silent", "build"]))?;
    // The pages display hostile texts as the program `hostile-display` makes them.
    let mut pages = npm(&directory, &["run", "--silent", "test:pages"]);
    pages.env("AREYOUJ_BIN_DIR", programs);
    let runs = [npm(&directory, &["run", "--silent", "test:unit"]), pages, workbench("run.mjs", programs)?];
    let mut all = (true, Counts::default());
    for command in runs {
        let (passed, counts) = counted(command)?;
        all.0 &= passed;
        all.1 += counts;
    }
    Ok(all)
}

/// Packages the extension with the release programs; prints the contents of the package.
pub(crate) fn package() -> Result<()> {
    setup::install_missing(&[Need::Modules(Modules::Extension)])?;
    let programs = cargo::build_release_programs()?;
    let file = cargo::target()?.join("areyouj.vsix");
    let mut command = Command::new("node");
    command.arg("package.mjs").arg(programs).arg(file).current_dir(directory());
    run(command)
}

/// Opens the real workbench with the extension, on loopback, until it is interrupted.
pub(crate) fn open(programs: &Path) -> Result<()> {
    run(workbench("open.mjs", programs)?)
}

fn directory() -> PathBuf {
    checkout().join("extension-vscode")
}

/// A command that starts the real workbench.
fn workbench(main: &str, programs: &Path) -> Result<Command> {
    let mut command = Command::new("node");
    command.arg(main).current_dir(checkout().join("tests/vscode"));
    command.env("AREYOUJ_BIN_DIR", programs).env("AREYOUJ_CODE_SERVER", code_server_directory()?);
    Ok(command)
}

fn npm(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(directory);
    command
}

fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| started(&command))?;
    ensure!(status.success(), "`{command:?}` failed");
    Ok(())
}

fn started(command: &Command) -> String {
    format!("{} cannot be started", command.get_program().display())
}

/// Runs tests and forwards their output.
pub(crate) fn counted(mut command: Command) -> Result<(bool, Counts)> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| started(&command))?;
    let mut counts = Counts::default();
    for line in BufReader::new(child.stdout.take().context("no standard output")?).lines() {
        let line = line?;
        println!("{line}");
        counts += counts_of(&line);
    }
    let passed = child.wait()?.success();
    // A runner that exited before printing counts is counted as a failure.
    counts.failed += u64::from(!passed && counts.failed == 0);
    Ok((passed, counts))
}

/// The counts in a summary line of Node's test runner, or of the workbench's.
fn counts_of(line: &str) -> Counts {
    let number = |text: &str| text.parse().unwrap_or(0);
    if let Some(passed) = line.strip_prefix("# pass ") {
        return Counts { passed: number(passed), failed: 0 };
    }
    if let Some(failed) = line.strip_prefix("# fail ") {
        return Counts { passed: 0, failed: number(failed) };
    }
    let both =
        line.split_once(" passed, ").and_then(|(passed, rest)| Some((passed, rest.strip_suffix(" failed")?)));
    both.map_or(Counts::default(), |(passed, failed)| Counts {
        passed: number(passed),
        failed: number(failed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_runners() {
        assert_eq!(counts_of("# pass 65"), Counts { passed: 65, failed: 0 });
        assert_eq!(counts_of("# fail 2"), Counts { passed: 0, failed: 2 });
        assert_eq!(counts_of("12 passed, 1 failed"), Counts { passed: 12, failed: 1 });
        assert_eq!(counts_of("ok 3 - one passed, two failed to come"), Counts::default());
    }
}
