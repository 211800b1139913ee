//! What persons trust through AreYouJ, and whether a directory needs their trust.

use std::path::{Path, PathBuf};

use super::claude::files::ClaudeFiles;
use super::claude::project::would_run;
use super::directory_checks::resolved;
use super::shared::Shared;
use areyouj_core::orchestrator::{Problem, WouldRun};

/// What persons trust through AreYouJ.
pub(super) struct Trusted {
    directories: Vec<String>,
    /// What a person allowed to run, if it did not run yet: the text of the request's input.
    allowed: Option<String>,
}

impl Trusted {
    /// Reads what is stored. `allowed`: see [`areyouj_core::orchestrator::LaunchOrder`].
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn load(shared: &Shared, allowed: Option<String>) -> Result<Trusted, Problem> {
        let directories = shared.reader.read(|reader| reader.trusted_directories());
        let directories = directories.map_err(|error| shared.reader.problem(&error))?;
        Ok(Trusted { directories, allowed })
    }

    /// What would run in the directory, if nobody trusts it: neither Claude's record nor a person through AreYouJ. The
    /// same rule decides for both.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(super) fn untrusted(
        &self,
        directory: &str,
        files: &ClaudeFiles,
    ) -> Result<Option<WouldRun>, Problem> {
        let place = resolved(directory)?;
        let by_person = |place: &PathBuf| self.directories.iter().any(|trusted| place == Path::new(trusted));
        if place.trusted_by.iter().any(by_person) || files.trusts(&place.trusted_by) {
            return Ok(None);
        }
        let would_run = would_run(&place, files.directory())?;
        let allowed = self.allowed.as_ref().is_some_and(|allowed| *allowed == would_run.input.text());
        Ok(Some(would_run).filter(|_| !allowed))
    }
}
