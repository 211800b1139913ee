//! The daemon is replaced by a newer version, and then again and again, while everything goes on. Not by the older one: that
//! leaves a newer version's database alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::arena::{Arena, PATIENCE};
use super::kills::{Field, Size};
use super::ledger::Rules;
use super::load::Fate;
use super::{Trial, previous};
use crate::cli::Run;
use crate::sandbox;

/// An installation that is replaced under everybody who uses it, as packages do.
struct Installed {
    program: PathBuf,
    versions: [PathBuf; 2],
}

impl Installed {
    fn at(program: PathBuf, older: &Path, newer: &Path) -> Installed {
        Installed { program, versions: [older.join("areyouj"), newer.join("areyouj")] }
    }

    /// Puts one of the two versions in place, at once and whole.
    fn put(&self, version: usize) -> Result<()> {
        let next = self.program.with_extension("next");
        symlink(&self.versions[version], &next)?;
        Ok(fs::rename(&next, &self.program)?)
    }
}

pub(super) fn versions(trial: &mut Trial) -> Result<()> {
    let older = match previous::programs()? {
        Ok(programs) => programs,
        Err(why) => {
            trial.report.skipped = Some(why);
            return Ok(());
        }
    };
    let mut arena = Arena::new(u32::try_from(SIZE.talking + SIZE.asking)? + 40)?;
    let installed = Installed::at(arena.home().join("areyouj"), &older, &sandbox::programs()?);
    installed.put(0)?;
    arena.cli.program.clone_from(&installed.program);
    // Hosts of the older version, under a daemon of the older version.
    let mut field = Field::within(arena, trial, &SIZE, Fate::Served, |_| Ok(()))?;
    let mut later = Vec::new();
    let mut ready = Vec::new();
    for round in 0..trial.rounds {
        trial.any_moment(Duration::from_secs(1));
        installed.put(1)?;
        let asked = Instant::now();
        if trial.random.bool() {
            field.arena.cli.run_within(&["daemon", "restart"], PATIENCE).and_then(Run::success)?;
        } else {
            // An update that kills what it replaces.
            field.arena.kill(field.arena.daemon()?)?;
        }
        field.arena.answers()?;
        ready.push(asked.elapsed());
        if later.len() < 4 {
            let id = field.arena.create(&format!("later-{round}"))?;
            field.arena.wait(&id, "idle")?;
            later.push((id.clone(), field.arena.find(&id)?));
        }
    }
    for (id, before) in &later {
        let text = format!("to {id} in the end");
        let sent = field.arena.json(&["send", id, &text])?;
        field.load.ledger.acknowledged(id, sent["id"].as_str().unwrap_or_default(), &text);
        field.arena.wait(id, "idle")?;
        let now = field.arena.find(id)?;
        trial.must(now == *before, || format!("session {id} was {before:?} and is {now:?}"));
        let done = field.arena.messages(id)?.iter().any(|message| message["state"] == "done");
        trial.must(done, || format!("session {id} does not take messages any more"));
    }
    field.also(later.into_iter().map(|(id, _)| id));
    trial.figure("replacements by the newer version", trial.rounds);
    trial.times("from the replacement to the next answer", &mut ready);
    field.close(trial, Rules::default())
}

/// Sessions and clients.
const SIZE: Size = Size { talking: 4, asking: 2, producers: 4 };
