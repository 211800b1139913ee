//! A program that Claude was allowed to run attacks the hosts of its own and of another session.

#![allow(clippy::unwrap_used, reason = "this module is only for tests: a panic is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id, text_of};
use serde_json::Value;

const ATTACK: &str = include_str!("inside_host/attack.py");

/// The kinds of frames from a host that only refuse.
const REFUSED: u64 = 132;
const HOOK_DONE: u64 = 136;

/// The session that attacks, and one that must not notice more than the attempts.
struct Sessions {
    home: TestHome,
    attacker: String,
    victim: String,
}

impl Sessions {
    fn start(driver: &str) -> Sessions {
        let home = TestHome::new();
        let options = ["--driver", driver, "--permission-mode", "default"];
        let attacker = home.idle_session(&home.project("attacker"), &options);
        let victim = home.idle_session(&home.project("victim"), &options);
        fs::write(home.path().join("attack.py"), ATTACK).unwrap();
        Sessions { home, attacker, victim }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The command that attacks and writes its results to this file.
    fn command(&self, results: &str) -> String {
        let [program, results] = [self.file("attack.py"), self.file(results)];
        let [own, other] =
            [&self.attacker, &self.victim].map(|id| self.home.path().join("run").join(format!("{id}.sock")));
        format!("python3 {} {} {} {}", program.display(), results.display(), own.display(), other.display())
    }

    /// Lets the attacker run this command, which a person allows.
    fn run(&self, command: &str) {
        let message = self.home.send(&self.attacker, &format!("run: {command}"));
        let request = self.home.wait_permission_request(&self.attacker);
        assert_eq!(request["input"]["command"], command);
        self.home.ok(&["allow", &text_of(&request, "id")]);
        self.home.wait_message(&self.attacker, &message, "done");
    }

    /// What the attempts received, once the attack is over.
    fn results(&self, name: &str) -> serde_json::Map<String, Value> {
        let begun = Instant::now();
        // No notification of the daemon comes with the file.
        let text = loop {
            match fs::read_to_string(self.file(name)) {
                Ok(text) => break text,
                Err(error) => assert!(begun.elapsed() < EVENT_TIMEOUT, "the attack is not over: {error}"),
            }
            park_timeout(Duration::from_millis(20));
        };
        serde_json::from_str(&text).unwrap()
    }

    /// The notices in a transcript.
    fn notices(&self, id: &str) -> Vec<String> {
        let entries = self.home.transcript(id);
        let bodies = entries.iter().map(|entry| &entry["body"]);
        bodies.filter(|body| body["kind"] == "notice").map(|body| text_of(body, "text")).collect()
    }

    fn wait_for_notice(&self, id: &str, parts: &[&str]) {
        self.home.until(&format!("the transcript has a notice with {parts:?}"), || {
            let found = self.notices(id).iter().any(|notice| parts.iter().all(|part| notice.contains(part)));
            Ok(found.then_some(()))
        });
    }

    /// No text of the attack is anything but a part of the command that a person saw.
    fn nothing_was_forged(&self, id: &str) {
        for entry in self.home.transcript(id) {
            let kind = text_of(&entry["body"], "kind");
            let forged = matches!(kind.as_str(), "user" | "text" | "permission");
            assert!(!(forged && entry.to_string().contains("forged")), "{entry:#}");
        }
        assert!(!self.home.project("victim").join("forged").exists());
        assert!(!self.home.project("attacker").join("forged").exists());
    }
}

fn all_refused<'a>(results: impl IntoIterator<Item = (&'a String, &'a Value)>) {
    for (attempt, received) in results {
        let kinds: Vec<u64> = received.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        assert!(kinds.iter().all(|kind| *kind == REFUSED), "{attempt}: {kinds:?}");
    }
}

#[test]
fn a_program_of_a_stream_session_gives_no_orders_to_any_host() {
    let sessions = Sessions::start("stream");
    let Sessions { home, attacker, victim } = &sessions;
    let waiting = home.send(victim, "run: touch genuine");
    let request = home.wait_permission_request(victim);
    sessions.run(&sessions.command("direct"));
    // An orphan without a parent, a terminal or an environment.
    let orphan =
        format!("(env -i PATH=/usr/bin:/bin setsid {} >/dev/null 2>&1 &)", sessions.command("orphan"));
    sessions.run(&orphan);
    // A survivor that acts when the turn is over.
    let command = sessions.command("late");
    let begin = sessions.file("begin");
    sessions.run(&format!("nohup setsid {command} {} >/dev/null 2>&1 & true", begin.display()));
    home.wait(attacker, "idle");
    fs::write(&begin, "").unwrap();
    for results in ["direct", "orphan", "late"] {
        all_refused(&sessions.results(results));
    }
    sessions.wait_for_notice(attacker, &["inside this session (python3, pid ", "AreYouJ refused it."]);
    let inside = format!("inside session {attacker} (python3, pid ");
    sessions.wait_for_notice(victim, &[&inside, "AreYouJ refused it."]);
    // The other session still waits for the answer to what a person saw.
    assert_eq!(home.wait_permission_request(victim)["id"], request["id"]);
    home.ok(&["allow", &text_of(&request, "id")]);
    home.wait_message(victim, &waiting, "done");
    assert!(home.project("victim").join("genuine").exists());
    sessions.nothing_was_forged(victim);
    sessions.nothing_was_forged(attacker);
    home.send_and_wait(attacker, "still here");
}

#[test]
fn a_program_of_a_terminal_session_cannot_type_or_ask_in_claudes_name() {
    let sessions = Sessions::start("terminal");
    let Sessions { home, attacker, victim } = &sessions;
    sessions.run(&sessions.command("direct"));
    let mut results = sessions.results("direct");
    let own: Vec<Value> =
        ["own hook prompt", "own hook question"].map(|name| results.remove(name).unwrap()).into();
    all_refused(&results);
    // A session can report about itself; but a person is not asked, and sees what nobody typed.
    assert_eq!(own, [Value::from(vec![HOOK_DONE]), Value::from(vec![HOOK_DONE])]);
    sessions.wait_for_notice(attacker, &["does not confirm", "Your password?"]);
    sessions.wait_for_notice(attacker, &["inside this session (python3, pid ", "AreYouJ refused it."]);
    let inside = format!("inside session {attacker} (python3, pid ");
    sessions.wait_for_notice(victim, &[&inside, "AreYouJ refused it."]);
    assert!(
        !home
            .transcript(attacker)
            .iter()
            .any(|entry| { entry["body"]["kind"] == "permission" && entry.to_string().contains("password") })
    );
    sessions.nothing_was_forged(victim);
    home.send_and_wait(victim, "still here");
}

#[test]
fn the_next_daemon_has_the_keys_of_running_hosts() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let before = home.session(&id);
    home.kill(home.daemon_pid());
    home.send_and_wait(&id, "hello");
    let after = home.session(&id);
    assert_eq!(after["hostPid"], before["hostPid"]);
    assert_eq!(after["hostUnprotected"], false);
}

#[test]
fn a_host_whose_key_is_lost_is_ended_by_a_signal_when_a_person_restarts_its_session() {
    let home = TestHome::new();
    let id = home.idle_session(&home.project("project"), &[]);
    let host = process_id(&home.session(&id), "hostPid");
    home.kill(home.daemon_pid());
    let forget = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('DELETE FROM host_keys'); db.commit()";
    let database = home.until("the database exists", || {
        let found = fs::read_dir(home.path().join("data"))?.flatten().map(|entry| entry.path());
        Ok(found.filter(|path| path.extension().is_some_and(|extension| extension == "db")).min())
    });
    assert!(Command::new("python3").args(["-c", forget]).arg(database).status().unwrap().success());
    let session = home.wait_session(&id, "the status says that the host does not obey", |session| {
        session["statusReason"].as_str().is_some_and(|reason| reason.contains("does not obey"))
    });
    assert_eq!(process_id(&session, "hostPid"), host);
    home.ok(&["restart", &id]);
    home.send_and_wait(&id, "hello");
    assert_ne!(process_id(&home.session(&id), "hostPid"), host);
}

#[test]
fn a_host_without_a_key_is_adopted_and_marked() {
    let home = TestHome::new();
    let program = home.path().join("old-host");
    let host = areyouj_tests::sandbox::programs().unwrap().join("areyouj-host");
    // A host that an earlier daemon started has nothing to read on standard input.
    fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\" </dev/null\n", host.display())).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let home = home.with("AREYOUJ_HOST", program.to_str().unwrap());
    let id = home.idle_session(&home.project("project"), &[]);
    home.kill(home.daemon_pid());
    home.send_and_wait(&id, "hello");
    assert_eq!(home.session(&id)["hostUnprotected"], true);
    assert!(home.ok(&["show", &id]).contains("restart the session to protect its host"));
    let doctor = home.areyouj(&["doctor"]);
    assert!(doctor.stdout.contains("is not protected"), "{}", doctor.stdout);
}
