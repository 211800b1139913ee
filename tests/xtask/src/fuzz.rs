//! Runs fuzz targets for a limited time, from the committed corpus, which is only read, with a fixed seed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use areyouj_tests::checkout::checkout;
use tempfile::TempDir;

use crate::cargo;
use crate::setup::{self, Need, Tool};

/// The directory of the fuzz targets, relative to the workspace.
const CRATE: &str = "tests/fuzz";

/// A fixed seed, so that runs on one machine are similar.
const SEED: &str = "1";

/// The maximum length in bytes of inputs that libFuzzer generates: a few lines of Claude's output, or a few segments of
/// a journal.
const LONGEST: &str = "8192";

/// One input takes milliseconds; an input that takes this many seconds is a hang, even on a busy machine.
const HANG: &str = "60";

/// The number of lines to print of a failed target's output, from the failure on, and the number of characters of each.
const SHOWN: (usize, usize) = (12, 1_000);

/// Runs the target, or all, for this many seconds each; or the target once with the input in `repeat`.
pub(crate) fn run(target: Option<&str>, seconds: u64, repeat: Option<&Path>) -> Result<()> {
    let targets = targets()?;
    if let Some(target) = target
        && !targets.iter().any(|name| name == target)
    {
        bail!("there is no target {target}, but: {}", targets.join(", "));
    }
    setup::install_missing(&[Need::Tool(Tool::Fuzz)])?;
    let programs = build(target)?;
    let place = Place { crate_directory: checkout().join(CRATE), built: built()?, programs };
    if let (Some(target), Some(input)) = (target, repeat) {
        let status = Command::new(place.programs.join(target)).arg(input).status()?;
        ensure!(status.success(), "{target} fails with {}", input.display());
        return Ok(());
    }
    let scratch = scratch()?;
    let mut failed = Vec::new();
    for name in targets.iter().filter(|name| target.is_none_or(|target| target == *name)) {
        if !place.fuzz(name, seconds, scratch.path())? {
            failed.push(name.as_str());
        }
    }
    ensure!(failed.is_empty(), "fuzzing found failures: {}", failed.join(", "));
    Ok(())
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let directory = checkout().join(CRATE).join("targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("no {}", directory.display()))? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

/// The directory for all files of fuzzing.
fn built() -> Result<PathBuf> {
    Ok(cargo::target()?.join("fuzz"))
}

/// Builds one target or all, and returns their directory. No sanitizer is used: it needs an unstable compiler, and the
/// fuzzed code has no unsafe code.
fn build(target: Option<&str>) -> Result<PathBuf> {
    let (built, triple) = (built()?, cargo::host()?);
    let mut command = cargo::command(&["fuzz", "build", "--fuzz-dir", CRATE, "--sanitizer", "none"])?;
    command.args(["--target", &triple, "--target-dir"]).arg(&built).args(target);
    let status = command.env("CARGO_TERM_QUIET", "true").status().context("cargo cannot be started")?;
    ensure!(status.success(), "the fuzz targets cannot be built");
    Ok(built.join(triple).join("release"))
}

/// The directory for temporary files of targets: in memory, if possible.
fn scratch() -> Result<TempDir> {
    let prefix = "areyouj-fuzz-";
    let memory = tempfile::Builder::new().prefix(prefix).tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::Builder::new().prefix(prefix).tempdir()).context("no temporary directory")
}

/// The paths of sources and build output.
struct Place {
    /// The directory of the sources and the corpus.
    crate_directory: PathBuf,
    /// The directory for the output of building and running them.
    built: PathBuf,
    /// The directory of the built targets.
    programs: PathBuf,
}

impl Place {
    /// Runs a target; returns whether all properties held.
    fn fuzz(&self, name: &str, seconds: u64, scratch: &Path) -> Result<bool> {
        let found = self.built.join("corpus").join(name);
        let failures = self.built.join("failures").join(name);
        // A run must not depend on earlier inputs. Failing inputs are kept, because people examine them.
        if found.exists() {
            fs::remove_dir_all(&found)?;
        }
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&failures)?;
        let log_path = self.built.join(format!("{name}.log"));
        let log = File::create(&log_path).with_context(|| format!("no {}", log_path.display()))?;

        let mut command = Command::new(self.programs.join(name));
        command.args([format!("-seed={SEED}"), format!("-max_total_time={seconds}")]);
        command.args([format!("-max_len={LONGEST}"), format!("-timeout={HANG}")]);
        command
            .args([format!("-artifact_prefix={}/", failures.display()), "-print_final_stats=1".to_owned()]);
        // Targets for the same format share the first word of their names.
        let language = name.split('_').next().unwrap_or(name);
        let dictionary = self.crate_directory.join("dictionaries").join(language);
        if dictionary.exists() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        // libFuzzer writes to the first directory.
        command.arg(&found).arg(self.crate_directory.join("corpus").join(name));
        command.env("TMPDIR", scratch).env("RUST_BACKTRACE", "0").stdout(log.try_clone()?).stderr(log);
        let status = command.status().with_context(|| format!("{name} cannot be started"))?;

        let log = String::from_utf8_lossy(&fs::read(&log_path)?).into_owned();
        if status.success() {
            println!("{name}: {}", summary(&log).context("the output of libFuzzer has an unknown format")?);
            return Ok(true);
        }
        for line in failure(&log) {
            println!("{}", line.chars().take(SHOWN.1).collect::<String>());
        }
        println!("{name}: FAILED, the full output is in {}", log_path.display());
        match reproducer(&log) {
            Some(input) => println!(
                "  the input is in {input}\n  repeat it with: cargo xtask fuzz {name} --repeat {input}"
            ),
            None => println!("  no input: it exited with {status}"),
        }
        Ok(false)
    }
}

/// A summary of a run.
fn summary(log: &str) -> Option<String> {
    let statistic = |name: &str| -> Option<u64> {
        log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.trim().parse().ok())
    };
    let executions = statistic("number_of_executed_units:")?;
    let per_second = statistic("average_exec_per_sec:")?;
    let coverage = log.rsplit_once(" cov: ")?.1.split_whitespace().next()?;
    Some(format!("{executions} executions, {per_second} per second, {coverage} edges covered"))
}

/// The error of a failed target: its panic, or the report of libFuzzer.
fn failure(log: &str) -> impl Iterator<Item = &str> {
    let begins = |line: &&str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    log.lines()
        .skip_while(move |line| !begins(line))
        .take_while(|line| !line.starts_with("stack backtrace"))
        .take(SHOWN.0)
}

/// The file to which libFuzzer wrote the failing input.
fn reproducer(log: &str) -> Option<&str> {
    log.lines().find_map(|line| Some(line.split_once("Test unit written to ")?.1.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#2\tINITED cov: 100 ft: 200 corp: 1/1b exec/s: 0 rss: 40Mb\n\
        #900\tDONE   cov: 123 ft: 300 corp: 9/90b lim: 8192 exec/s: 450 rss: 50Mb\n\
        stat::number_of_executed_units: 900\nstat::average_exec_per_sec:     450\n";

    #[test]
    fn the_summary_is_read_from_the_end_of_the_log() {
        let expected = "900 executions, 450 per second, 123 edges covered";
        assert_eq!(summary(LOG).as_deref(), Some(expected));
        assert_eq!(summary("nothing"), None);
    }

    #[test]
    fn a_failure_is_printed_from_its_first_line() {
        let log = "INFO: Seed: 1\nthread 'x' panicked at a.rs:1:2:\nwrong\nstack backtrace:\n 0: main\n";
        assert_eq!(failure(log).collect::<Vec<_>>(), ["thread 'x' panicked at a.rs:1:2:", "wrong"]);
        assert_eq!(failure(LOG).count(), 0);
    }

    #[test]
    fn the_failing_input_is_named_in_the_log() {
        let log = "artifact_prefix='/a/'; Test unit written to /a/crash-12\nBase64: eA==\n";
        assert_eq!(reproducer(log), Some("/a/crash-12"));
        assert_eq!(reproducer(LOG), None);
    }
}
