//! Exhausted resources: file descriptors and processes.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::Trial;
use super::arena::Arena;
use super::kills::{Size, Workload};
use super::ledger::Rules;
use super::load::Tolerance;
use crate::cli::Running;

/// How long the shortage lasts.
const SHORTAGE: Duration = Duration::from_secs(2);

/// The directory in which the kernel limits the processes of groups.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup/pids";

/// Leaves the daemon without file descriptors for a while.
pub(super) fn descriptors(trial: &mut Trial) -> Result<()> {
    let workload = Workload::new(trial, &Size { busy: 3, waiting: 1, producers: 4 }, Tolerance::Nothing)?;
    let daemon = workload.arena.daemon()?;
    let pid = Pid::from_raw(daemon).context("no process id")?;
    let mut created = Vec::new();
    for round in 0..trial.rounds {
        trial.any_moment(SHORTAGE / 4);
        let open = fs::read_dir(format!("/proc/{daemon}/fd"))?.count() as u64;
        let left = trial.random.u64(..6);
        let before = prlimit(
            Some(pid),
            Resource::Nofile,
            Rlimit { current: Some(open + left), maximum: Some(20_000) },
        )?;
        // This request needs more descriptors than are available, and must be served later.
        let directory = workload.arena.project(&format!("late-{round}"))?;
        let late = Running::start(&workload.arena.cli, &["new", &directory.to_string_lossy()])?;
        trial.any_moment(SHORTAGE);
        prlimit(Some(pid), Resource::Nofile, before)?;
        let run = late.finish(super::arena::EVENT_TIMEOUT)?;
        trial.must(run.status == 0, || format!("a session was not created after the shortage: {run}"));
        created.push(run.stdout.trim().to_owned());
        for id in &created {
            workload.arena.wait(id, "idle")?;
            workload.arena.ok(&["terminate", id])?;
        }
        created.clear();
    }
    let same = workload.arena.daemon()?;
    trial.must(same == daemon, || "the daemon did not survive the shortage".to_owned());
    trial.figure("times that the descriptors were exhausted", trial.rounds);
    workload.close(trial, Rules::default())
}

/// Prevents the start of processes and threads for a while.
pub(super) fn processes(trial: &mut Trial) -> Result<()> {
    let Some(group) = Group::new(trial) else {
        trial.report.skipped = Some(format!("{CONTROL_GROUPS} cannot be used to limit processes"));
        return Ok(());
    };
    let arena = Arena::stand_in("obedient", 50)?;
    let untouched = arena.sessions(2)?;
    let before: Vec<_> = untouched.iter().map(|id| arena.session_state(id)).collect::<Result<_>>()?;
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
        trial.any_moment(SHORTAGE);
        group.limit(None)?;
        arena.until_session(&id, "starts automatically", |found| found.status == "idle")?;
        arena.ok(&["terminate", &id])?;
    }
    let same = arena.daemon()?;
    trial.must(same == daemon, || "the daemon did not survive the shortage".to_owned());
    for (id, before) in untouched.iter().zip(before) {
        let now = arena.session_state(id)?;
        trial.must(now == before, || format!("session {id} was {before:?} and is {now:?}"));
        let done = arena.messages(id)?.iter().filter(|message| message["state"] == "done").count();
        trial.must(done == trial.rounds as usize, || format!("{done} messages of {id} are done"));
    }
    trial.figure("times that processes could not be started", trial.rounds);
    arena.close()
}

/// A control group with a limit of processes. On drop, its processes return to the parent group, and it is removed.
struct Group(PathBuf);

impl Group {
    fn new(trial: &Trial) -> Option<Group> {
        let path = PathBuf::from(format!("{CONTROL_GROUPS}/areyouj-{}-{}", std::process::id(), trial.seed));
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
            let _ = fs::write(format!("{CONTROL_GROUPS}/cgroup.procs"), pid);
        }
        let _ = fs::remove_dir(&self.0);
    }
}
