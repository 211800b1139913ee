//! Runs all tests after installing and building their requirements. The last line prints the counts.

use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;

use crate::setup::{self, Modules, Need, Package, Tool};
use crate::{cargo, extension, plugin};

/// The requirements of the workspace's tests: real editors, terminals, disks, a fake clock and older versions.
const NEEDS: [Need; 10] = [
    Need::Claude,
    Need::Neovim,
    Need::Pygls,
    Need::Tool(Tool::Nextest),
    Need::Package(Package::Tmux),
    Need::Package(Package::Script),
    Need::Package(Package::MakeDisk),
    Need::Package(Package::Mount),
    Need::Package(Package::Faketime),
    Need::Package(Package::Git),
];

/// The additional requirements of the VS Code extension's tests.
const EXTENSION_NEEDS: [Need; 4] = [
    Need::Package(Package::Chromium),
    Need::Modules(Modules::Extension),
    Need::Modules(Modules::Workbench),
    Need::CodeServer,
];

/// The numbers of passed and failed tests.
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

/// Runs the tests whose name contains one of the filters, or all tests, and checks the generated files. Filters do not
/// apply to the tests of the extension and the plugin, so they run only without filters.
pub(crate) fn run(filters: &[String]) -> Result<()> {
    let more: &[Need] = if filters.is_empty() { &EXTENSION_NEEDS } else { &[] };
    setup::install_missing(&[&NEEDS, more].concat())?;
    let programs = cargo::build_programs()?;
    let (mut ran, mut counts) = nextest(filters, &programs)?;
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
    let mut command = cargo::command(&["nextest", "run", "--workspace"])?;
    let status = command.args(filters).env("AREYOUJ_BIN_DIR", programs).status()?;
    let text = fs::read_to_string(&report).with_context(|| format!("no report at {}", report.display()))?;
    let counts = counts_of_report(&text).context("the test report has no counts")?;
    Ok((status.success(), counts))
}

/// The path of nextest's report: in the workspace, regardless of the target directory.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_report_are_in_its_first_element() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="20" failures="1" errors="2" uuid="x" time="1.0">
    <testsuite name="areyouj" tests="8" disabled="0" errors="0" failures="0">"#;
        assert_eq!(counts_of_report(report), Some(Counts { passed: 17, failed: 3 }));
        assert_eq!(counts_of_report("nothing"), None);
    }
}
