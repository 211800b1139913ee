//! Known vulnerabilities of dependencies: for crates from RustSec's advisory database, for npm modules from the registry.
//!
//! A check that cannot be made is an error. `AREYOUJ_ADVISORIES=offline` allows it, for machines that reach neither: then a
//! snapshot in this repository replaces the database, and a warning says what was not checked and how old the rest is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use areyouj_tests::checkout::checkout;
use areyouj_tests::installed::Installed;

use crate::cargo;

/// The directory of the snapshot, relative to the workspace. Its name is the date of its newest advisory.
const SNAPSHOTS: &str = "tests/xtask/advisories";

/// The URL of the snapshot, which git replaces: cargo-deny requires a database URL with a host.
const URL: &str = "https://snapshot.invalid/advisories";

/// The directories with a lock file of npm modules.
const LOCKS: [&str; 5] =
    ["extension-vscode", "tests", "tests/nvim", "tests/vscode", "tests/vscode/code-server"];

/// How old a snapshot can be without a warning, in days. Serious advisories appear every few weeks.
const SNAPSHOT_MAX_DAYS: i64 = 30;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// The variable that allows missing checks.
const VARIABLE: &str = "AREYOUJ_ADVISORIES";

/// What was checked, and what a person must know about the rest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    checked: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    /// The last line of `cargo xtask lint`.
    fn line(&self) -> String {
        let checked = self.checked.join("; ");
        if self.warnings.is_empty() {
            return format!("advisories: {checked}");
        }
        format!("WARNING, advisories: {} ({checked})", self.warnings.join("; "))
    }
}

/// Checks the crates that these manifests lock, and all locked npm modules. Returns what was checked against what.
pub(crate) fn check(manifests: &[&str]) -> Result<String> {
    let offline = may_be_incomplete(std::env::var(VARIABLE).ok().as_deref())?;
    let mut findings = Findings::default();
    check_crates(manifests, offline, &mut findings)?;
    check_modules(offline, &mut findings)?;
    Ok(findings.line())
}

/// Whether this value of the variable allows missing checks.
fn may_be_incomplete(value: Option<&str>) -> Result<bool> {
    match value {
        None | Some("" | "required") => Ok(false),
        Some("offline") => Ok(true),
        Some(other) => bail!("{VARIABLE} is {other:?}; it can be \"required\" (the default) or \"offline\""),
    }
}

fn check_crates(manifests: &[&str], offline: bool, findings: &mut Findings) -> Result<()> {
    let config = checkout().join("deny.toml");
    let fetched = cargo::command(&["deny", "--log-level", "off", "fetch", "db"])?.output()?;
    if fetched.status.success() {
        deny(manifests, &config, &[])?;
        findings.checked.push("crates checked against the newest database".to_owned());
        return Ok(());
    }
    ensure!(
        offline,
        "the database of advisories cannot be fetched; {VARIABLE}=offline uses the snapshot in the repository"
    );
    let (date, archive) = snapshot()?;
    let repository = repository(&date, archive)?.find()?;
    let directory = repository.ancestors().nth(3).context("the snapshot has no directory")?;
    // The same rules, with another database.
    let rules = fs::read_to_string(&config)?;
    ensure!(rules.contains("[advisories]\n"), "deny.toml has no rules for advisories");
    let databases = directory.join("databases");
    let place = format!("[advisories]\ndb-urls = [\"{URL}\"]\ndb-path = \"{}\"\n", databases.display());
    let temporary = tempfile::tempdir()?;
    let with_snapshot = temporary.path().join("deny.toml");
    fs::write(&with_snapshot, rules.replace("[advisories]\n", &place))?;
    let instead = format!("url.file://{}.insteadOf", directory.join("repository").display());
    let git = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", &instead), ("GIT_CONFIG_VALUE_0", URL)];
    deny(manifests, &with_snapshot, &git)?;
    findings.checked.push(format!("crates checked as of {date}"));
    findings.warnings.extend(too_old(&date, today()?)?);
    Ok(())
}

/// A warning about a snapshot of this date if it is too old on this day.
fn too_old(date: &str, today: i64) -> Result<Option<String>> {
    let age = today - day_of(date).with_context(|| format!("{date} is not a date"))?;
    let warning = format!(
        "the snapshot of the database is {age} days old, more than {SNAPSHOT_MAX_DAYS}: renew it with `cargo xtask advisories`"
    );
    Ok((age > SNAPSHOT_MAX_DAYS).then_some(warning))
}

/// The days since 1970.
fn today() -> Result<i64> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(i64::try_from(seconds / SECONDS_PER_DAY)?)
}

/// The days from 1970 to a date of the form `YYYY-MM-DD`.
fn day_of(date: &str) -> Option<i64> {
    let mut numbers = date.split('-').map(|number| number.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    // Years that begin in March: the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    const FROM_YEAR_0: i64 = 719_469;
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - FROM_YEAR_0)
}

/// Runs cargo-deny, which fetches the database with git. Only the first fetch is slow.
fn deny(manifests: &[&str], config: &Path, environment: &[(&str, &str)]) -> Result<()> {
    for manifest in manifests {
        let mut command = cargo::command(&["deny", "--log-level", "error", "--manifest-path", manifest])?;
        command.arg("--config").arg(config).args(["check", "advisories"]).envs(environment.iter().copied());
        ensure!(command.status()?.success(), "there are advisories for crates locked by {manifest}");
    }
    Ok(())
}

/// The date of the snapshot, and its file.
fn snapshot() -> Result<(String, PathBuf)> {
    let directory = checkout().join(SNAPSHOTS);
    let entries = fs::read_dir(&directory).with_context(|| format!("no {}", directory.display()))?;
    let newest = entries.flatten().map(|entry| entry.path()).max().context("there is no snapshot")?;
    let name = newest.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let date =
        name.strip_suffix(".tar.gz").with_context(|| format!("{} is not a snapshot", newest.display()))?;
    Ok((date.to_owned(), newest.clone()))
}

/// The snapshot as a git repository, which is what cargo-deny reads.
fn repository(date: &str, archive: PathBuf) -> Result<Installed> {
    let bytes = fs::metadata(&archive)?.len();
    Ok(Installed {
        name: format!("advisories-{date}"),
        lock: format!("{bytes} bytes\n"),
        program: "repository/.git/HEAD",
        install: Box::new(move |directory| unpack(&archive, directory)),
    })
}

fn unpack(archive: &Path, directory: &Path) -> Result<()> {
    for name in ["repository", "databases"] {
        let old = directory.join(name);
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    let repository = directory.join("repository");
    fs::create_dir(&repository)?;
    run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&repository))?;
    let git = || {
        let mut git = Command::new("git");
        git.arg("-C").arg(&repository).args([
            "-c",
            "user.name=areyouj",
            "-c",
            "user.email=areyouj@localhost",
        ]);
        git
    };
    run(git().args(["init", "--quiet", "--initial-branch", "main"]))?;
    run(git().args(["add", "--all"]))?;
    run(git().args(["commit", "--quiet", "--no-gpg-sign", "--message", "Snapshot"]))
}

/// Creates the snapshot from a checkout of the database: the machine-readable part and the title of every advisory.
pub(crate) fn renew(database: &Path) -> Result<()> {
    let date = Command::new("git").arg("-C").arg(database).args(["log", "-1", "--format=%cs"]).output()?;
    let date = String::from_utf8_lossy(&date.stdout).trim().to_owned();
    ensure!(!date.is_empty(), "{} is not a checkout of the database", database.display());
    let staged = tempfile::tempdir()?;
    let crates = database.join("crates");
    let packages = fs::read_dir(&crates).with_context(|| format!("no {}", crates.display()))?;
    for package in packages {
        let package = package?;
        let place = staged.path().join("crates").join(package.file_name());
        fs::create_dir_all(&place)?;
        for advisory in fs::read_dir(package.path())? {
            let advisory = advisory?;
            let text = fs::read_to_string(advisory.path())?;
            let short =
                shortened(&text).with_context(|| format!("{} is damaged", advisory.path().display()))?;
            fs::write(place.join(advisory.file_name()), short)?;
        }
    }
    let snapshots = checkout().join(SNAPSHOTS);
    if snapshots.exists() {
        fs::remove_dir_all(&snapshots)?;
    }
    fs::create_dir(&snapshots)?;
    let file = snapshots.join(format!("{date}.tar.gz"));
    let mut tar = Command::new("tar");
    // The archive is reproducible.
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=go=rX,u=rwX"]);
    tar.arg(format!("--mtime={date} 00:00Z")).args(["--use-compress-program", "gzip -9n", "-cf"]).arg(&file);
    run(tar.arg("-C").arg(staged.path()).arg("crates"))?;
    println!("{}", file.display());
    Ok(())
}

/// The block of TOML at the start of an advisory, and the title after it.
fn shortened(advisory: &str) -> Option<String> {
    const END: &str = "\n```\n";
    let (toml, words) = advisory.split_at(advisory.find(END)? + END.len());
    let title = words.lines().find(|line| line.starts_with("# "))?;
    toml.starts_with("```toml\n").then(|| format!("{toml}\n{title}\n"))
}

/// Asks the registry about the locked npm modules, and checks that the lock files contain every digest.
fn check_modules(offline: bool, findings: &mut Findings) -> Result<()> {
    let mut unanswered = false;
    for directory in LOCKS {
        let directory = checkout().join(directory);
        let lock = fs::read_to_string(directory.join("package-lock.json"))?;
        if let Some(module) = without_digest(&lock)? {
            bail!("{} has no digest of {module}", directory.join("package-lock.json").display());
        }
        let mut npm = Command::new("npm");
        npm.args(["audit", "--json", "--package-lock-only", "--audit-level=high"]).current_dir(&directory);
        let output = npm.output().context("npm cannot be started")?;
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if report["auditReportVersion"].is_null() {
            unanswered = true;
        } else if !output.status.success() {
            bail!("`npm audit` reports serious advisories in {}:\n{report:#}", directory.display());
        }
    }
    ensure!(
        offline || !unanswered,
        "the registry does not answer `npm audit`; {VARIABLE}=offline allows to check no npm modules"
    );
    if unanswered {
        findings.warnings.push("npm modules NOT checked, the registry does not answer audits".to_owned());
    } else {
        findings.checked.push("npm modules checked".to_owned());
    }
    Ok(())
}

/// The first module in a lock file of npm that has no digest.
fn without_digest(lock: &str) -> Result<Option<String>> {
    let lock: serde_json::Value = serde_json::from_str(lock)?;
    let modules = lock["packages"].as_object().context("a lock file without packages")?;
    let mut named = modules.iter().filter(|(name, _)| !name.is_empty());
    Ok(named.find(|(_, module)| !module["integrity"].is_string()).map(|(name, _)| name.clone()))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} cannot be started"))?;
    ensure!(status.success(), "`{command:?}` failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toml_and_the_title_of_an_advisory_are_kept() {
        let advisory = "```toml\n[advisory]\nid = \"A\"\n```\n\n# Title\n\nMany words.\n";
        let expected = "```toml\n[advisory]\nid = \"A\"\n```\n\n# Title\n";
        assert_eq!(shortened(advisory).as_deref(), Some(expected));
        assert_eq!(shortened("# Title only\n"), None);
    }

    #[test]
    fn a_module_without_a_digest_is_found() {
        let lock =
            r#"{"packages": {"": {}, "node_modules/a": {"integrity": "sha512-A"}, "node_modules/b": {}}}"#;
        assert_eq!(without_digest(lock).unwrap().as_deref(), Some("node_modules/b"));
        assert_eq!(without_digest(r#"{"packages": {"": {}}}"#).unwrap(), None);
    }

    #[test]
    fn a_missing_check_must_be_allowed() {
        assert!(!may_be_incomplete(None).unwrap() && !may_be_incomplete(Some("required")).unwrap());
        assert!(may_be_incomplete(Some("offline")).unwrap());
        assert!(may_be_incomplete(Some("maybe")).is_err());
    }

    #[test]
    fn an_old_snapshot_and_a_missing_check_are_in_the_last_line() {
        assert_eq!(day_of("1970-01-01"), Some(0));
        assert_eq!(day_of("2000-02-29"), Some(11_016));
        assert_eq!(day_of("2026-08-21"), Some(20_686));
        assert_eq!(day_of("soon"), None);
        assert_eq!(too_old("2026-08-21", 20_686 + 30).unwrap(), None);
        let warning = too_old("2026-08-21", 20_686 + 31).unwrap().unwrap();
        assert!(warning.contains("31 days old"), "{warning}");
        let mut findings = Findings { checked: vec!["crates checked".to_owned()], warnings: Vec::new() };
        assert_eq!(findings.line(), "advisories: crates checked");
        findings.warnings.push(warning);
        assert!(findings.line().starts_with("WARNING, advisories: the snapshot"));
    }

    #[test]
    fn there_is_one_snapshot_named_by_its_date() {
        let (date, _) = snapshot().unwrap();
        assert_eq!(date.split('-').map(str::len).collect::<Vec<_>>(), [4, 2, 2], "{date}");
        assert_eq!(fs::read_dir(checkout().join(SNAPSHOTS)).unwrap().count(), 1);
    }
}
