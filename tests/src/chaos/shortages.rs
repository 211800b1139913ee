//! Nothing left to have: descriptors, and processes.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::Trial;
use super::arena::Arena;
use super::kills::{Field, Size};
use super::ledger::Rules;
use super::load::Fate;
use crate::cli::Running;

/// How long the shortage lasts.
const SHORT: Duration = Duration::from_secs(2);

/// Where the kernel counts processes of groups.
const PIDS: &str = "/sys/fs/cgroup/pids";

/// The daemon has no descriptors left for a while.
pub(super) fn descriptors(trial: &mut Trial) -> Result<()> {
    let field = Field::new(trial, &Size { talking: 3, asking: 1, producers: 4 }, Fate::Served)?;
    let daemon = field.arena.daemon()?;
    let pid = Pid::from_raw(daemon).context("no process id")?;
    let mut created = Vec::new();
    for round in 0..trial.rounds {
        trial.any_moment(SHORT / 4);
        let open = fs::read_dir(format!("/proc/{daemon}/fd"))?.count() as u64;
        let left = trial.random.u64(..6);
        let before = prlimit(
            Some(pid),
            Resource::Nofile,
            Rlimit { current: Some(open + left), maximum: Some(20_000) },
        )?;
        // It needs descriptors that there are not, and is served later.
        let directory = field.arena.project(&format!("late-{round}"))?;
        let late = Running::start(&field.arena.cli, &["new", &directory.to_string_lossy()])?;
        trial.any_moment(SHORT);
        prlimit(Some(pid), Resource::Nofile, before)?;
        let run = late.finish(super::arena::PATIENCE)?;
        trial.must(run.status == 0, || format!("a session was not created in the end: {run}"));
        created.push(run.stdout.trim().to_owned());
        for id in &created {
            field.arena.wait(id, "idle")?;
            field.arena.ok(&["terminate", id])?;
        }
        created.clear();
    }
    let same = field.arena.daemon()?;
    trial.must(same == daemon, || "the daemon did not survive".to_owned());
    trial.figure("times that there were no descriptors", trial.rounds);
    field.close(trial, Rules::default())
}

/// No process and no thread can be started for a while.
pub(super) fn processes(trial: &mut Trial) -> Result<()> {
    let Some(group) = Group::new(trial) else {
        trial.report.skipped = Some(format!("{PIDS} cannot be used to limit processes"));
        return Ok(());
    };
    let arena = Arena::stand_in("obedient", 50)?;
    let untouched = arena.sessions(2)?;
    let before: Vec<_> = untouched.iter().map(|id| arena.find(id)).collect::<Result<_>>()?;
    let daemon = arena.daemon()?;
    group.take(daemon)?;
    for round in 0..trial.rounds {
        let left = trial.random.u64(..3);
        group.limit(Some(group.count()? + left))?;
        let id = arena.create(&format!("short-{round}"))?;
        for id in &untouched {
            arena.ok(&["send", id, &format!("round {round}")])?;
            arena.wait(id, "idle")?;
        }
        trial.any_moment(SHORT);
        group.limit(None)?;
        arena.until_session(&id, "starts by itself", |found| found.status == "idle")?;
        arena.ok(&["terminate", &id])?;
    }
    let same = arena.daemon()?;
    trial.must(same == daemon, || "the daemon did not survive".to_owned());
    for (id, before) in untouched.iter().zip(before) {
        let now = arena.find(id)?;
        trial.must(now == before, || format!("session {id} was {before:?} and is {now:?}"));
        let done = arena.messages(id)?.iter().filter(|message| message["state"] == "done").count();
        trial.must(done == trial.rounds as usize, || format!("{done} messages of {id} are done"));
    }
    trial.figure("times that no process could be started", trial.rounds);
    arena.close()
}

/// A group of processes that is limited. It is gone when this is dropped; who was in it goes back.
struct Group(PathBuf);

impl Group {
    fn new(trial: &Trial) -> Option<Group> {
        let path = PathBuf::from(format!("{PIDS}/areyouj-{}-{}", std::process::id(), trial.seed));
        fs::create_dir(&path).ok()?;
        Some(Group(path))
    }

    fn take(&self, pid: i32) -> Result<()> {
        Ok(fs::write(self.0.join("cgroup.procs"), pid.to_string())?)
    }

    fn count(&self) -> Result<u64> {
        Ok(fs::read_to_string(self.0.join("pids.current"))?.trim().parse()?)
    }

    fn limit(&self, processes: Option<u64>) -> Result<()> {
        let limit = processes.map_or_else(|| "max".to_owned(), |processes| processes.to_string());
        Ok(fs::write(self.0.join("pids.max"), limit)?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for pid in fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = fs::write(format!("{PIDS}/cgroup.procs"), pid);
        }
        let _ = fs::remove_dir(&self.0);
    }
}
