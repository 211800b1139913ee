//! A `config.toml` with invalid contents, and one that another user can change.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{TestHome, text_of};

#[test]
fn an_invalid_configuration_is_reported_with_its_line_and_affects_no_session() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    let file = home.path().join("config/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let wrong: [(&[u8], usize); 12] = [
        (b"\x7fELF\x02\x01", 1),
        (b"# fine\nnot a line", 2),
        (b"max_actve_sessions = 3", 1),
        (b"[section]\nlog = \"info\"", 1),
        (b"\nmax_active_sessions = 0", 2),
        (b"max_active_sessions = -1", 1),
        (b"max_starting = 99999999999999999999", 1),
        (b"max_starting = 1.5", 1),
        (b"on_interrupted = \"perhaps\"", 1),
        (b"log = \"info\"\nlog = \"info\"", 2),
        (b"claude = \"bin/claude\"", 1),
        (b"claude = 7", 1),
    ];
    for (text, line) in wrong {
        fs::write(&file, text).unwrap();
        let error = home.rejection(&["ls"]);
        assert_eq!(error["code"], "config_invalid", "{error}");
        let message = text_of(&error, "message");
        assert!(message.contains(&format!("{}, line {line}: ", file.display())), "{text:?}: {message}");
    }
    for unreadable in [&b"log = \"caf\xe9\""[..], &[b'#'; 2 << 20]] {
        fs::write(&file, unreadable).unwrap();
        let error = home.rejection(&["ls"]);
        assert_eq!(error["code"], "config_invalid", "{error}");
        assert!(text_of(&error, "message").contains(file.to_str().unwrap()), "{error}");
    }
    let doctor = home.areyouj(&["doctor"]);
    assert!(doctor.status == 1 && doctor.stdout.contains(file.to_str().unwrap()), "{doctor}");
    bystander.assert_alive();
    fs::write(&file, "max_active_sessions = 3\n").unwrap();
    assert_eq!(home.json(&["daemon", "start"])["maxActiveSessions"], 3);
    bystander.assert_responsive(&home);
}

#[test]
fn a_configuration_that_becomes_invalid_is_reported_at_the_restart_of_the_daemon() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    let file = home.path().join("config/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "max_active_sessions = none").unwrap();
    bystander.assert_responsive(&home);
    assert_eq!(home.error_code(&["daemon", "restart"]), "config_invalid");
    bystander.assert_alive();
    fs::remove_file(&file).unwrap();
    bystander.assert_responsive(&home);
}

#[test]
fn a_configuration_that_others_can_change_is_refused_and_its_program_never_runs() {
    let mut home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    let directory = home.path().join("config");
    let (file, program) = (directory.join("config.toml"), directory.join("claude"));
    let ran = home.path().join("ran");
    fs::create_dir_all(&directory).unwrap();
    fs::write(&program, format!("#!/bin/sh\n: > {}\necho '2.1.332 (Claude Code)'\n", ran.display())).unwrap();
    fs::write(&file, format!("claude = \"{}\"\n", program.display())).unwrap();
    let set_mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(&program, 0o755);
    home.cli.environment.remove("AREYOUJ_CLAUDE");
    for (path, wrong, right) in [(&file, 0o664, 0o644), (&directory, 0o757, 0o755)] {
        set_mode(path, wrong);
        let error = home.rejection(&["ls"]);
        assert_eq!(error["code"], "config_untrusted", "{error}");
        let remedy = format!("chmod go-w {}", path.display());
        assert!(text_of(&error, "hint").contains(&remedy), "{error}");
        let doctor = home.areyouj(&["doctor"]);
        assert!(doctor.status == 1 && doctor.stdout.contains(&remedy), "{doctor}");
        assert!(!ran.exists(), "the doctor ran a program that others chose");
        set_mode(path, right);
    }
    home.areyouj(&["doctor"]);
    assert!(ran.exists(), "the program of an own configuration runs");
    bystander.assert_responsive(&home);
}
