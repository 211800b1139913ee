//! A snapshot of every problem that the daemon itself gives rise to, as clients print it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use areyouj_core::orchestrator::{Problem, SessionId};
use areyouj_store::StoreError;

use super::claude::files::Open;
use super::claude::find::find_claude;
use super::directory_checks::{check_directory, not_accessible, not_permitted};
use super::{api, door, launch, outage, refusals};
use crate::texts::assert_problems;

fn json_error() -> serde_json::Error {
    serde_json::from_str::<u32>("{").unwrap_err()
}

fn printable(problem: Problem, directory: &Path) -> Problem {
    let message = problem.message.replace(directory.to_str().unwrap(), "/home/ada");
    Problem { message, ..problem }
}

#[test]
fn every_refusal_of_a_request_is_printed() {
    let session: SessionId = "K7M2Q9XD".parse().unwrap();
    assert_problems(
        "problems-daemon-requests",
        [
            refusals::invalid_params(&json_error()),
            refusals::unknown_method("areyouj/new"),
            refusals::not_initialized(),
            refusals::cancelled(),
            refusals::shutting_down(),
            api::queue::message_gone(uuid::Uuid::nil()),
            refusals::internal("REASON"),
            api::queue::message_id("1").unwrap_err(),
            api::session::option_word("model", Some("-x".to_owned())).unwrap_err(),
            api::session::environment_too_large(3 << 20),
            api::queue::not_the_last_one(),
            refusals::not_rpc(&json_error()),
            refusals::not_a_frame(&io::Error::other("REASON")),
            refusals::not_introduced_in_time(),
            door::unknown(&io::Error::other("REASON")),
            door::too_many(128, "this process"),
            door::too_many_strangers(),
            launch::failed("REASON.".to_owned(), session).problem,
            Open { pid: 4711, directory: "/project".to_owned() }.problem(session),
        ],
    );
}

#[test]
fn every_problem_of_the_store_is_printed() {
    let errors = [
        StoreError::Newer { found: 7, known: 1 },
        StoreError::Full,
        StoreError::Corrupt("REASON".to_owned()),
        StoreError::Busy,
        StoreError::Failed("REASON".to_owned()),
    ];
    let path = Path::new("/home/ada/areyouj.db");
    assert_problems("problems-store", errors.map(|error| error.problem(path)));
}

#[test]
fn every_refusal_of_a_directory_or_a_claude_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let denied = io::ErrorKind::PermissionDenied.into();
    let environment =
        |name: &str, value: &Path| BTreeMap::from([(name.to_owned(), value.display().to_string())]);
    let problems = [
        check_directory("relative").unwrap_err(),
        check_directory(file.to_str().unwrap()).unwrap_err(),
        check_directory("/missing").unwrap_err(),
        not_accessible("/secret", &denied),
        not_permitted("/secret", "written"),
        find_claude(&BTreeMap::new(), None).unwrap_err(),
        find_claude(&environment("AREYOUJ_CLAUDE", &home.path().join("none")), None).unwrap_err(),
        find_claude(&BTreeMap::new(), Some(&file)).unwrap_err(),
        outage::in_the_way(&file).unwrap(),
        outage::in_the_way(home.path()).unwrap(),
    ];
    assert_problems("problems-daemon-directories", problems.map(|problem| printable(problem, home.path())));
}
