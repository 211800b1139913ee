//! Invalid contents of `config.toml`.

use std::fs;

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
