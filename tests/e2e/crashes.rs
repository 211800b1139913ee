//! The state after processes were killed.

use std::fs;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id, text_of};
use areyouj_tests::processes;

/// The number of kills of the daemon in one test.
const KILLS: usize = 20;

#[test]
fn repeated_kills_of_the_daemon_lose_and_duplicate_nothing() {
    let home = TestHome::new();
    let asking = home.idle_session(&home.project("asking"), &[]);
    let working = home.idle_session(&home.project("working"), &[]);
    let asked_message = home.send(&asking, "run: touch answered.txt");
    home.wait(&asking, "waiting");
    let before = [home.session(&asking), home.session(&working)];

    let mut texts = Vec::new();
    for round in 0..KILLS {
        let before_kill = format!("slow: 3 before {round}");
        home.send(&working, &before_kill);
        let daemon = home.daemon_pid();
        // This message is being added at the moment of the kill.
        let meanwhile = format!("slow: 3 meanwhile {round}");
        let adding = home.spawn(&["send", &working, &meanwhile]);
        home.kill(daemon);
        home.expect(adding.finish(EVENT_TIMEOUT).and_then(areyouj_tests::cli::Run::success));
        texts.extend([before_kill, meanwhile]);
    }

    home.wait(&working, "idle");
    let messages = home.messages(&working);
    assert_eq!(areyouj_tests::home::texts(&messages, "text"), texts, "all messages exist, in order");
    assert!(messages.iter().all(|message| message["state"] == "done"), "{messages:#?}");
    let prompts: Vec<String> =
        home.api.prompts().into_iter().filter(|prompt| prompt.starts_with("slow:")).collect();
    assert_eq!(prompts, texts, "each ran exactly once, in order");

    for (before, id) in before.iter().zip([&asking, &working]) {
        let after = home.session(id);
        assert_eq!((&after["pid"], &after["hostPid"]), (&before["pid"], &before["hostPid"]));
    }
    let request = home.wait_permission_request(&asking);
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(&asking, &asked_message, "done");
    assert!(home.project("asking").join("answered.txt").is_file());
    assert_eq!(home.api.prompt_count_of("run: touch answered.txt"), 1);
}

#[test]
fn a_turn_that_ran_without_a_daemon_is_recorded_by_the_next_one() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let message = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.kill(home.daemon_pid());
    home.api.release("gate");
    home.wait_message(&id, &message, "done");
    let log = home.ok(&["logs", &id]);
    assert_eq!(log.matches("gate was released.").count(), 1, "{log}");
    assert_eq!(home.api.prompts(), ["hold: gate"]);
}

#[test]
fn a_killed_claude_resumes_its_conversation_and_a_person_decides_about_the_interrupted_message() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let interrupted = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    home.wait(&id, "active");
    let waiting = home.send(&id, "after");
    let before = home.session(&id);
    home.kill(process_id(&before, "pid"));

    home.wait_message(&id, &interrupted, "interrupted");
    let after = home.wait_session(&id, "Claude is running and a person must decide", |session| {
        session["status"] == "idle" && session["attention"]["kind"] == "interrupted"
    });
    assert_eq!(after["attention"]["messageId"], interrupted.as_str());
    assert!(after["queuePaused"].is_string(), "{after}");
    assert_eq!(after["claudeSessionId"], before["claudeSessionId"]);
    assert_ne!(after["pid"], before["pid"]);
    let command = fs::read_to_string(format!("/proc/{}/cmdline", process_id(&after, "pid"))).unwrap();
    assert!(command.contains(&format!("--resume\0{}", text_of(&before, "claudeSessionId"))), "{command:?}");
    assert_eq!(home.message(&id, &waiting)["state"], "queued");
    assert_eq!(home.api.prompt_count_of("hold: gate"), 1, "nothing runs again automatically");

    let again = text_of(&home.json(&["queue", "again", &interrupted]), "id");
    home.api.release("gate");
    home.wait_message(&id, &again, "done");
    home.wait_message(&id, &waiting, "done");
    assert_eq!(home.message(&id, &interrupted)["state"], "interrupted");
    assert_eq!(home.api.prompts(), ["before", "hold: gate", "hold: gate", "after"]);
}

/// A session whose Claude was killed during a message while another was queued: its id and the two messages.
fn interrupted_session(home: &TestHome) -> (String, String, String) {
    let id = home.idle_session(&home.project("project"), &[]);
    let interrupted = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    let waiting = home.send(&id, "after");
    home.kill(process_id(&home.session(&id), "pid"));
    home.wait_message(&id, &interrupted, "interrupted");
    (id, interrupted, waiting)
}

#[test]
fn an_interrupted_message_can_be_skipped() {
    let home = TestHome::new();
    let (id, interrupted, waiting) = interrupted_session(&home);
    home.ok(&["queue", "skip", &interrupted]);
    home.wait_message(&id, &waiting, "done");
    assert_eq!(home.message(&id, &interrupted)["state"], "interrupted");
    assert_eq!(home.api.prompts(), ["hold: gate", "after"]);
}

#[test]
fn an_interrupted_message_can_be_continued() {
    let home = TestHome::new();
    let (id, interrupted, waiting) = interrupted_session(&home);
    home.ok(&["queue", "continue", &interrupted]);
    home.wait_message(&id, &waiting, "done");
    let prompts = home.api.prompts();
    assert_eq!((prompts.len(), prompts[0].as_str(), prompts[2].as_str()), (3, "hold: gate", "after"));
}

#[test]
fn a_killed_idle_claude_resumes_without_a_decision() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let before = home.session(&id);
    home.kill(process_id(&before, "pid"));
    home.wait_session(&id, "Claude is running again", |session| {
        session["status"] == "idle" && session["pid"].is_i64() && session["pid"] != before["pid"]
    });
    home.send_and_wait(&id, "after");
    assert_eq!(home.api.prompts(), ["before", "after"]);
}

#[test]
fn the_claude_of_a_killed_host_exits_and_both_are_restarted() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let other = home.idle_session(&home.project("other"), &[]);
    home.send_and_wait(&id, "before");
    let (before, untouched) = (home.session(&id), home.session(&other));
    home.kill(process_id(&before, "hostPid"));
    let after = home.wait_session(&id, "a new host and Claude are running", |session| {
        session["status"] == "idle" && session["hostPid"].is_i64() && session["hostPid"] != before["hostPid"]
    });
    assert!(
        !processes::is_running(process_id(&before, "pid")),
        "there are never two Claudes in one conversation"
    );
    assert_eq!(after["claudeSessionId"], before["claudeSessionId"]);
    home.send_and_wait(&id, "after");
    assert_eq!(home.api.prompts(), ["before", "after"]);
    assert_eq!(home.session(&other)["pid"], untouched["pid"], "other sessions are not affected");
}

#[test]
fn all_processes_killed_at_once_are_restarted() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    home.send_and_wait(&id, "before");
    let interrupted = home.send(&id, "hold: gate");
    home.expect(home.api.wait_for_prompt("hold: gate", EVENT_TIMEOUT));
    let waiting = home.send(&id, "after");
    let session = home.session(&id);
    let daemon = home.daemon_pid();
    for pid in [daemon, process_id(&session, "hostPid")] {
        home.expect(processes::kill(pid));
    }
    assert!(
        processes::wait_for_exit(process_id(&session, "pid"), EVENT_TIMEOUT),
        "Claude exits with its host"
    );
    home.wait_message(&id, &interrupted, "interrupted");
    home.ok(&["queue", "skip", &interrupted]);
    home.wait_message(&id, &waiting, "done");
    assert_eq!(home.api.prompts(), ["before", "hold: gate", "after"]);
}

/// Uses the stand-in: ten real Claudes would be too expensive.
#[test]
fn a_daemon_killed_while_sessions_start_leaves_each_session_with_one_host() {
    let home = TestHome::with_stand_in("obedient");
    let directory = home.project("project");
    let ids: Vec<String> = (0..10)
        .map(|_| {
            home.ok(&["daemon", "start"]);
            let daemon = home.daemon_pid();
            let adding = home.spawn(&["new", directory.to_str().unwrap()]);
            home.kill(daemon);
            let added = home.expect(adding.finish(EVENT_TIMEOUT).and_then(areyouj_tests::cli::Run::success));
            added.stdout.trim().to_owned()
        })
        .collect();
    for id in &ids {
        home.wait(id, "idle");
    }
    let hosts = home.processes().iter().filter(|process| process.command.contains("areyouj-host")).count();
    assert_eq!((home.sessions().len(), hosts), (ids.len(), ids.len()));
}
