//! A completely full disk: accepted messages are not lost, new ones are rejected, and everything resumes automatically
//! when there is free space.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use areyouj_tests::bystander::Bystander;
use areyouj_tests::disk::Kind;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};

/// More messages than fit into the free space in the daemon's files.
const MESSAGES_MAX: usize = 2_000;

/// Queues messages until one is rejected because the disk is full, and returns the accepted ones. Space that becomes
/// free in the meantime is filled again.
fn send_until_rejected(home: &TestHome, session: &str) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0..MESSAGES_MAX {
        home.expect(home.disk().fill());
        let text = format!("{number} {}", "x".repeat(8_000));
        let run = home.areyouj(&["send", session, &text, "--json"]);
        if run.status != 0 {
            let error = home.error_of(&run);
            assert_eq!(error["code"], "storage_full", "{error}");
            assert!(text_of(&error, "hint").contains("space"), "{error}");
            return accepted;
        }
        accepted.push(text);
    }
    panic!("{MESSAGES_MAX} messages were accepted on a full disk");
}

fn resumes_automatically(kind: Kind) {
    let Some(home) = TestHome::on_a_disk(kind) else { return };
    let bystander = Bystander::of(&home);
    let working = home.idle_session(&home.project("working"), &["--permission-mode", "bypassPermissions"]);
    let paused = home.idle_session(&home.project("paused"), &[]);
    home.ok(&["queue", "pause", &paused]);
    let before = home.send(&paused, "accepted before the disk was full");
    let turn = home.send(&working, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.wait(&working, "active");

    let accepted = send_until_rejected(&home, &paused);
    home.api.release("gate");
    let more = send_until_rejected(&home, &paused);
    let new = home.areyouj(&["new", home.project("new").to_str().unwrap(), "--json"]);
    let created = new.status == 0;
    if !created {
        assert_eq!(home.error_of(&new)["code"], "storage_full", "{new}");
    }
    bystander.assert_alive();

    home.expect(home.disk().free_space());
    home.wait_message(&working, &turn, "done");
    let log = home.ok(&["logs", &working]);
    assert_eq!(log.matches("gate was released.").count(), 1, "{log}");
    assert_eq!(home.api.prompt_count_of("hold: gate"), 1);
    let kept = [vec!["accepted before the disk was full".to_owned()], accepted, more].concat();
    assert_eq!(home.queued_texts(&paused), kept, "every accepted message exists, once and in order");
    assert_eq!(home.message(&paused, &before)["state"], "queued");
    assert_eq!(home.sessions().len(), 3 + usize::from(created));
    home.send_and_wait(&working, "run: echo made > file");
    assert!(home.project("working").join("file").is_file());
    bystander.assert_responsive(&home);
}

#[test]
fn a_full_disk_rejects_new_work_and_loses_nothing() {
    resumes_automatically(Kind::Ext4);
}

#[test]
fn a_full_disk_in_memory_rejects_new_work_and_loses_nothing() {
    resumes_automatically(Kind::Tmpfs);
}

#[test]
fn a_daemon_that_starts_on_a_full_disk_works_or_reports_it_and_sessions_keep_running() {
    let Some(home) = TestHome::on_a_disk(Kind::Ext4) else { return };
    let bystander = Bystander::of(&home);
    for stop in ["killed", "stopped"] {
        if stop == "killed" {
            home.kill(home.daemon_pid());
        } else {
            home.ok(&["daemon", "stop"]);
        }
        home.expect(home.disk().fill());
        let run = home.areyouj(&["ls", "--json"]);
        if run.status != 0 {
            assert_eq!(home.error_of(&run)["code"], "storage_full", "{stop}: {run}");
        }
        bystander.assert_alive();
        home.expect(home.disk().free_space());
        bystander.assert_responsive(&home);
    }
}
