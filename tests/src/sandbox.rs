//! An isolated environment in which AreYouJ runs: directories, variables, clean-up.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{chown, lchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;

use crate::cli::{Cli, Run};
use crate::disk::{self, Disk};
use crate::environment::{self, PROJECTS};
use crate::processes;
use crate::watch::Watch;

/// How long everything can take to stop: longer than the grace period of a session.
const GRACE: Duration = Duration::from_secs(30);

/// The number of lines of the daemon's log in a diagnosis.
const LOG_LINES: usize = 60;

/// Separate directories, and `areyouj` in a separate environment.
pub struct Sandbox {
    root: TempDir,
    home: PathBuf,
    disk: Option<Disk>,
    /// The program in this sandbox's environment.
    pub cli: Cli,
}

impl Sandbox {
    /// Creates a sandbox that is isolated from the user's settings and from the network. `api` is the address of the
    /// scripted API, `claude` the program that sessions run, `programs` the directory of `areyouj`.
    ///
    /// # Errors
    /// If the directories cannot be created, or `areyouj` does not exist.
    pub fn isolated(api: &str, claude: &Path, programs: &Path) -> Result<Sandbox> {
        Sandbox::isolated_with_home(None, api, claude, programs)
    }

    /// Like [`Sandbox::isolated`], with this AreYouJ home, which is not removed. It can be on a separate disk.
    ///
    /// # Errors
    /// If the directories cannot be created, or `areyouj` does not exist.
    pub fn isolated_with_home(
        home: Option<&Path>,
        api: &str,
        claude: &Path,
        programs: &Path,
    ) -> Result<Sandbox> {
        Sandbox::new(home, programs, |root| {
            let mut environment = environment::isolated(root, api)?;
            environment.insert("AREYOUJ_CLAUDE".into(), claude.into());
            Ok(environment)
        })
    }

    /// Creates a sandbox with the user's environment and Claude, and a separate AreYouJ.
    ///
    /// # Errors
    /// If the directories cannot be created, or `areyouj` does not exist.
    pub fn with_user_environment(programs: &Path) -> Result<Sandbox> {
        Sandbox::new(None, programs, |_| {
            Ok(std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect())
        })
    }

    fn new(
        home: Option<&Path>,
        programs: &Path,
        environment: impl FnOnce(&Path) -> Result<BTreeMap<String, OsString>>,
    ) -> Result<Sandbox> {
        let program = programs.join("areyouj");
        if !program.is_file() || !programs.join("areyouj-host").is_file() {
            bail!("areyouj and areyouj-host are not in {}: run `cargo xtask test`", programs.display());
        }
        let root = tempfile::Builder::new().prefix("areyouj-").tempdir().context("no temporary directory")?;
        // /proc and Claude use the real paths of directories.
        let path = root.path().canonicalize()?;
        let home = home.map_or_else(|| path.join("home"), Path::to_owned);
        let mut environment = environment(&path)?;
        // Projects are in the user's home directory, as for real users.
        let projects = Path::new(&environment["HOME"]).join(PROJECTS);
        for directory in [&home, &projects] {
            fs::create_dir_all(directory)?;
        }
        let mut search = OsString::from(programs);
        if let Some(others) = environment.get("PATH") {
            search.push(":");
            search.push(others);
        }
        environment.insert("PATH".into(), search);
        environment.insert("AREYOUJ_HOME".into(), home.clone().into());
        Ok(Sandbox {
            cli: Cli { program, environment, directory: projects, user: None },
            home,
            root,
            disk: None,
        })
    }

    /// The value of `AREYOUJ_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Creates a directory for a session.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn project(&self, name: &str) -> Result<PathBuf> {
        let directory = self.cli.directory.join(name);
        fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        if let Some(user) = self.cli.user {
            chown(&directory, Some(user), Some(user))?;
        }
        Ok(directory)
    }

    /// Makes this user the owner of all files, and runs `areyouj` as this user from now on. Must be called before any
    /// program runs. The programs are copied, because the user may be unable to access the build directory.
    ///
    /// # Errors
    /// If the caller lacks the permission, or the user cannot run the programs.
    pub fn change_owner(&mut self, user: u32) -> Result<()> {
        let programs = self.root.path().canonicalize()?.join("bin");
        fs::create_dir(&programs)?;
        let copy = |program: &Path| -> Result<PathBuf> {
            let copy = programs.join(program.file_name().context("a program without a name")?);
            fs::copy(program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
            Ok(copy)
        };
        copy(&self.cli.program.with_file_name("areyouj-host"))?;
        self.cli.program = copy(&self.cli.program)?;
        if let Some(claude) = self.cli.environment.get("AREYOUJ_CLAUDE") {
            let claude = copy(Path::new(claude))?;
            self.cli.environment.insert("AREYOUJ_CLAUDE".into(), claude.into());
        }
        change_owner_below(self.root.path(), user)?;
        self.cli = self.cli.clone().as_user(user);
        self.cli.run(&["--version"]).and_then(Run::success)?;
        Ok(())
    }

    /// Puts the home on a separate disk. Must be called before any program runs.
    ///
    /// # Errors
    /// If the disk cannot be created.
    pub fn mount(&mut self, kind: disk::Kind) -> Result<()> {
        self.disk = Some(Disk::mount(kind, &self.home, &self.root.path().join("disk.img"))?);
        Ok(())
    }

    /// The disk of the home, if it has a separate one.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Waits until `check` returns a value. `check` runs again after every notification of the daemon, so it must
    /// depend only on state whose changes the daemon announces.
    ///
    /// # Errors
    /// If `check` fails, or returns no value within `deadline`.
    pub fn until<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut check: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let end = Instant::now() + deadline;
        let left = || end.saturating_duration_since(Instant::now());
        let mut watch: Option<Watch> = None;
        while !left().is_zero() {
            // Without a daemon there are no notifications; the check, which uses the command line, starts one.
            watch = watch.or_else(|| Watch::open(&self.home, left()).ok());
            if let Some(found) = check()? {
                return Ok(found);
            }
            watch = watch.and_then(|mut watch| watch.wait_for_change(left()).is_ok().then_some(watch));
        }
        match check()? {
            Some(_) => {
                Err(anyhow!("{what}: it happened, but the daemon sent no notification for {deadline:?}"))
            }
            None => Err(anyhow!("{what}: it did not happen within {deadline:?}")),
        }
    }

    /// The diagnosis of a failure: processes, and the end of the daemon's log.
    pub fn diagnosis(&self) -> String {
        let processes: Vec<String> = processes::of_home(&self.home)
            .iter()
            .map(|process| format!("  {} {}", process.pid, process.command))
            .collect();
        let mut logs: Vec<PathBuf> = fs::read_dir(self.home.join("state/log"))
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        logs.sort();
        let log: String = logs.iter().map(|path| fs::read_to_string(path).unwrap_or_default()).collect();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        format!("--- processes\n{}\n--- end of the daemon's log\n{tail}", processes.join("\n"))
    }

    /// Stops all processes of the sandbox and removes the directories.
    ///
    /// # Errors
    /// If a process did not stop; it is killed, so that nothing is left behind in any case.
    pub fn close(&self) -> Result<()> {
        let mut problem = None;
        if !processes::of_home(&self.home).is_empty() {
            // Sessions keep running without a daemon, and only a daemon can terminate them.
            let stopped = self
                .cli
                .run(&["daemon", "start"])
                .and_then(|_| self.cli.run_within(&["daemon", "stop", "--sessions"], GRACE))
                .and_then(Run::success);
            problem = stopped.err().map(|error| error.context("not all processes could be stopped"));
        }
        let left = processes::wait_until_gone(&self.home, GRACE);
        if !left.is_empty() {
            problem = Some(anyhow!("processes were left behind: {left:#?}\n{}", self.diagnosis()));
        }
        processes::kill_all(&self.home, GRACE);
        let unmounted = self.disk.as_ref().map_or(Ok(()), Disk::unmount);
        let removed =
            fs::remove_dir_all(self.root.path()).context("the temporary directory could not be removed");
        problem.map_or(unmounted.and(removed), Err)
    }
}

fn change_owner_below(path: &Path, user: u32) -> Result<()> {
    lchown(path, Some(user), Some(user))
        .with_context(|| format!("cannot change the owner of {}", path.display()))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            change_owner_below(&entry?.path(), user)?;
        }
    }
    Ok(())
}

/// The directory of `areyouj`: `AREYOUJ_BIN_DIR`, or the build directory of the running program.
///
/// # Errors
/// If the path of the running program is unknown.
pub fn programs() -> Result<PathBuf> {
    if let Some(directory) = std::env::var_os("AREYOUJ_BIN_DIR") {
        return Ok(directory.into());
    }
    let here = std::env::current_exe().context("the path of this program is unknown")?;
    // Tests are in a subdirectory of the programs' directory.
    let directory = here.ancestors().skip(1).find(|directory| directory.join("areyouj").is_file());
    Ok(directory.or(here.parent()).context("the program has no parent directory")?.to_owned())
}
