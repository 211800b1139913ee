//! A disk that is filled to the last byte: nothing that was accepted is lost, nothing new is accepted, and everything
//! goes on by itself when there is room.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test: a panic is a failed one")]

use areyouj_tests::bystander::Bystander;
use areyouj_tests::disk::Kind;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, text_of};

/// More messages than any room that the daemon has left in its files takes.
const MANY: usize = 2_000;

/// Queues messages there until one is refused because the disk is full, and returns those that were accepted. What
/// became free meanwhile is filled up again.
fn send_until_refused(home: &TestHome, session: &str) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0..MANY {
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
    panic!("{MANY} messages were accepted on a full disk");
}

fn goes_on_by_itself(kind: Kind) {
    let Some(home) = TestHome::on_a_disk(kind) else { return };
    let bystander = Bystander::of(&home);
    let working = home.idle_session(&home.project("working"), &["--permission-mode", "bypassPermissions"]);
    let paused = home.idle_session(&home.project("paused"), &[]);
    home.ok(&["queue", "pause", &paused]);
    let before = home.send(&paused, "accepted while there was room");
    let turn = home.send(&working, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.wait(&working, "active");

    let accepted = send_until_refused(&home, &paused);
    home.api.release("gate");
    let refused = send_until_refused(&home, &paused);
    let new = home.areyouj(&["new", home.project("new").to_str().unwrap(), "--json"]);
    let created = new.status == 0;
    if !created {
        assert_eq!(home.error_of(&new)["code"], "storage_full", "{new}");
    }
    bystander.assert_alive();

    home.expect(home.disk().free_space());
    home.wait_message(&working, &turn, "done");
    let said = home.ok(&["logs", &working]);
    assert_eq!(said.matches("gate was released.").count(), 1, "{said}");
    assert_eq!(home.api.prompt_count_of("hold: gate"), 1);
    let kept = [vec!["accepted while there was room".to_owned()], accepted, refused].concat();
    assert_eq!(home.queued_texts(&paused), kept, "all that was accepted is there, once and in order");
    assert_eq!(home.message(&paused, &before)["state"], "queued");
    assert_eq!(home.sessions().len(), 3 + usize::from(created));
    home.send_and_wait(&working, "run: echo made > file");
    assert!(home.project("working").join("file").is_file());
    bystander.assert_responsive(&home);
}

#[test]
fn a_full_disk_refuses_what_is_new_and_loses_nothing() {
    goes_on_by_itself(Kind::Ext4);
}

#[test]
fn a_full_disk_in_memory_refuses_what_is_new_and_loses_nothing() {
    goes_on_by_itself(Kind::Tmpfs);
}

#[test]
fn a_daemon_that_starts_on_a_full_disk_serves_or_says_so_and_sessions_live() {
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
