//! All tests: with what they need brought and built first, and the counts as the last line.

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;
use areyouj_tests::claude::claude_program;
use areyouj_tests::neovim::neovim_program;
use areyouj_tests::pygls::pygls_directory;

use crate::{cargo, extension, plugin};

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.passed += more.passed;
        self.failed += more.failed;
    }
}

/// Runs the tests whose name holds one of the filters, all of them if there is none, and checks generated files. The
/// tests of the extension and of the plugin have no such names: they run without filters.
pub(crate) fn run(filters: &[String]) -> Result<()> {
    claude_program()?;
    neovim_program()?;
    pygls_directory()?;
    let programs = cargo::build_programs()?;
    let (mut ran, mut counts) =
        if cargo::has("nextest") { nextest(filters, &programs) } else { plain(filters, &programs) }?;
    let generated = cargo::codegen(true);
    if filters.is_empty() {
        for test in [extension::test, plugin::test] {
            let (passed, more) = test(&programs)?;
            ran &= passed;
            counts += more;
        }
    }
    println!("{} passed, {} failed", counts.passed, counts.failed);
    ensure!(ran, "tests failed");
    generated
}

fn nextest(filters: &[String], programs: &Path) -> Result<(bool, Counts)> {
    let report = report();
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut command = cargo::command(&["nextest", "run", "--workspace"]);
    let status = command.args(filters).env("AREYOUJ_BIN_DIR", programs).status()?;
    let text = fs::read_to_string(&report).with_context(|| format!("no report at {}", report.display()))?;
    let counts = counts_of_report(&text).context("the report of the tests has no counts")?;
    Ok((status.success(), counts))
}

/// Where nextest writes its report: below the workspace, wherever the target directory is.
fn report() -> PathBuf {
    checkout().join("target/nextest/default/junit.xml")
}

fn counts_of_report(report: &str) -> Option<Counts> {
    let head = report.split("<testsuites ").nth(1)?.split('>').next()?;
    let number = |name: &str| -> Option<u64> {
        head.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    let failed = number("failures")? + number("errors")?;
    Some(Counts { passed: number("tests")?.checked_sub(failed)?, failed })
}

fn plain(filters: &[String], programs: &Path) -> Result<(bool, Counts)> {
    let mut command: Command = cargo::command(&["test", "--workspace", "--no-fail-fast", "--"]);
    let mut child = command.args(filters).env("AREYOUJ_BIN_DIR", programs).stdout(Stdio::piped()).spawn()?;
    let mut counts = Counts::default();
    for line in BufReader::new(child.stdout.take().context("no standard output")?).lines() {
        let line = line?;
        println!("{line}");
        if let Some(result) = counts_of_line(&line) {
            counts += result;
        }
    }
    Ok((child.wait()?.success(), counts))
}

fn counts_of_line(line: &str) -> Option<Counts> {
    let (_, result) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |name: &str| -> Option<u64> {
        result.split("; ").find_map(|part| part.strip_suffix(name))?.trim().parse().ok()
    };
    Some(Counts { passed: number("passed")?, failed: number("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_report_are_in_its_head() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="20" failures="1" errors="2" uuid="x" time="1.0">
    <testsuite name="areyouj" tests="8" disabled="0" errors="0" failures="0">"#;
        assert_eq!(counts_of_report(report), Some(Counts { passed: 17, failed: 3 }));
        assert_eq!(counts_of_report("nothing"), None);
    }

    #[test]
    fn the_counts_of_cargo_test_are_in_its_last_lines() {
        let line = "test result: FAILED. 8 passed; 2 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s";
        assert_eq!(counts_of_line(line), Some(Counts { passed: 8, failed: 2 }));
        assert_eq!(counts_of_line("test tests::one ... ok"), None);
    }
}
