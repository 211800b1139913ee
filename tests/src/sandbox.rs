//! A place to run AreYouJ in that is cut off from the person's own: directories, environment, clean-up.

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

/// How long everything may take to end once it was told to: longer than the grace that a session gets.
const GRACE: Duration = Duration::from_secs(30);

/// How much of the daemon's log is shown when something failed.
const LOG_LINES: usize = 60;

/// Directories of its own, and `areyouj` in an environment of its own.
pub struct Sandbox {
    root: TempDir,
    home: PathBuf,
    disk: Option<Disk>,
    /// The program in this sandbox's environment.
    pub cli: Cli,
}

impl Sandbox {
    /// Cut off from the person's own settings and from the network. `api`: the address of the scripted API; `claude`:
    /// what sessions run; `programs`: where `areyouj` is.
    ///
    /// # Errors
    /// When the directories cannot be made, or `areyouj` is not there.
    pub fn isolated(api: &str, claude: &Path, programs: &Path) -> Result<Sandbox> {
        Sandbox::isolated_with_home(None, api, claude, programs)
    }

    /// As [`Sandbox::isolated`], with this for AreYouJ's home, which is not removed: a disk of its own, for example.
    ///
    /// # Errors
    /// When the directories cannot be made, or `areyouj` is not there.
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

    /// With the person's own environment and Claude, and an AreYouJ of its own.
    ///
    /// # Errors
    /// When the directories cannot be made, or `areyouj` is not there.
    pub fn around_the_person(programs: &Path) -> Result<Sandbox> {
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
        // /proc and Claude name directories by their real path.
        let path = root.path().canonicalize()?;
        let home = home.map_or_else(|| path.join("home"), Path::to_owned);
        let mut environment = environment(&path)?;
        // Where people keep them: in their own directory.
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

    /// What `AREYOUJ_HOME` is.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A new directory for a session.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn project(&self, name: &str) -> Result<PathBuf> {
        let directory = self.cli.directory.join(name);
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        if let Some(user) = self.cli.user {
            chown(&directory, Some(user), Some(user))?;
        }
        Ok(directory)
    }

    /// Gives everything here to that user, and runs `areyouj` as that user from now on. Before anything was run. The
    /// programs are copied, as the user may not be able to get to where they were built.
    ///
    /// # Errors
    /// When the caller may not, or the user cannot run the programs.
    pub fn give_to(&mut self, user: u32) -> Result<()> {
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
        give(self.root.path(), user)?;
        self.cli = self.cli.clone().as_user(user);
        self.cli.run(&["--version"]).and_then(Run::success)?;
        Ok(())
    }

    /// Keeps the home on a disk of its own from now on. Before anything was run.
    ///
    /// # Errors
    /// When the disk cannot be made.
    pub fn mount(&mut self, kind: disk::Kind) -> Result<()> {
        self.disk = Some(Disk::mount(kind, &self.home, &self.root.path().join("disk.img"))?);
        Ok(())
    }

    /// The disk that the home is on, if it has one of its own.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Waits until `check` finds what it looks for. It looks again whenever the daemon says that something changed,
    /// so it may only look at what the daemon tells of.
    ///
    /// # Errors
    /// When `check` fails, or has found nothing within `deadline`.
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
            // Without a daemon there is nobody to listen to; the check, which uses the command line, starts one.
            watch = watch.or_else(|| Watch::open(&self.home, left()).ok());
            if let Some(found) = check()? {
                return Ok(found);
            }
            watch = watch.and_then(|mut watch| watch.changed(left()).is_ok().then_some(watch));
        }
        match check()? {
            Some(_) => Err(anyhow!("{what}: it happened, but the daemon told nobody for {deadline:?}")),
            None => Err(anyhow!("{what}: it did not happen within {deadline:?}")),
        }
    }

    /// What a person needs to see when something failed: processes, and the end of the daemon's log.
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

    /// Ends everything that runs here and removes the directories.
    ///
    /// # Errors
    /// When something did not end by itself; it is killed, so that nothing is left in any case.
    pub fn close(&self) -> Result<()> {
        let mut problem = None;
        if !processes::of_home(&self.home).is_empty() {
            // Sessions go on without a daemon, and only a daemon can end them.
            let stopped = self
                .cli
                .run(&["daemon", "start"])
                .and_then(|_| self.cli.run_within(&["daemon", "stop", "--sessions"], GRACE))
                .and_then(Run::success);
            problem = stopped.err().map(|error| error.context("not everything could be stopped"));
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

fn give(path: &Path, user: u32) -> Result<()> {
    lchown(path, Some(user), Some(user)).with_context(|| format!("cannot give {} away", path.display()))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    Ok(())
}

/// Where `areyouj` is: `AREYOUJ_BIN_DIR`, or where the running program was built.
///
/// # Errors
/// When the running program does not know where it is.
pub fn programs() -> Result<PathBuf> {
    if let Some(directory) = std::env::var_os("AREYOUJ_BIN_DIR") {
        return Ok(directory.into());
    }
    let here = std::env::current_exe().context("where is this program?")?;
    // Tests are built into a directory below that of the programs.
    let directory = here.ancestors().skip(1).find(|directory| directory.join("areyouj").is_file());
    Ok(directory.or(here.parent()).context("a program without a directory")?.to_owned())
}
