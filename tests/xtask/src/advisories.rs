//! Known vulnerabilities of dependencies: for crates from RustSec's advisory database, for npm modules from the registry.
//!
//! If the database cannot be fetched, a snapshot in this repository is used, and the caller receives its date to print.
//! `AREYOUJ_ADVISORIES=required` turns an incomplete or outdated check into an error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Checks the crates that these manifests lock, and all locked npm modules. Returns what was checked against what.
pub(crate) fn check(manifests: &[&str]) -> Result<String> {
    let required = std::env::var_os("AREYOUJ_ADVISORIES").is_some_and(|value| value == "required");
    let crates = check_crates(manifests, required)?;
    let modules = check_modules(required)?;
    Ok(format!("advisories: {crates}; {modules}"))
}

fn check_crates(manifests: &[&str], required: bool) -> Result<String> {
    let config = checkout().join("deny.toml");
    let fetched = cargo::command(&["deny", "--log-level", "off", "fetch", "db"])?.output()?;
    if fetched.status.success() {
        deny(manifests, &config, &[])?;
        return Ok("crates checked against the newest database".to_owned());
    }
    ensure!(
        !required,
        "the database of advisories cannot be fetched, and AREYOUJ_ADVISORIES=required is set"
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
    let offline = temporary.path().join("deny.toml");
    fs::write(&offline, rules.replace("[advisories]\n", &place))?;
    let instead = format!("url.file://{}.insteadOf", directory.join("repository").display());
    let git = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", &instead), ("GIT_CONFIG_VALUE_0", URL)];
    deny(manifests, &offline, &git)?;
    Ok(format!("crates checked as of {date} only, because the newest database cannot be fetched"))
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
fn check_modules(required: bool) -> Result<String> {
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
        !(required && unanswered),
        "`npm audit` gets no response, and AREYOUJ_ADVISORIES=required is set"
    );
    Ok(if unanswered {
        "npm modules NOT checked, because the registry does not answer audits".to_owned()
    } else {
        "npm modules checked".to_owned()
    })
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
    fn there_is_one_snapshot_named_by_its_date() {
        let (date, _) = snapshot().unwrap();
        assert_eq!(date.split('-').map(str::len).collect::<Vec<_>>(), [4, 2, 2], "{date}");
        assert_eq!(fs::read_dir(checkout().join(SNAPSHOTS)).unwrap().count(), 1);
    }
}
