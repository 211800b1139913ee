//! What the output of a session does to the terminal that shows it: it paints, and no more.
//!
//! A script in place of Claude prints what Claude does not.

use std::fs;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};
use areyouj_tests::tmux::Terminal;

use super::scripted_terminals::{session, terminal};

/// Prints everything that reaches beyond a screen, once a key was pressed.
const BEYOND: &str = r"
stty -icanon -echo min 1 time 0
printf 'press a key'
dd bs=1 count=1 2>/dev/null >&2
printf '\033]52;c;c2VjcmV0\007\033]7;file:///tmp\007\033]9;hello\007\033]777;notify;a;b\033\\'
printf '\033[8;10;10t\033[5i\033[21t\033_Ga=T;AAAA\033\\\033P+p\033\\\033%%@'
printf '\033[?5522h\033[?2048h\033[2h\033[?1006;9001h\033P$qecho\033\\\033[>1;2m'
printf '\033]2;title of a program\007'
printf '\033]8;;file:///etc/passwd\033\\local\033]8;;\033\\ \033]8;;https://example.org/\033\\web\033]8;;\033\\'
printf ' printed'
cat
";

/// A home and its terminal, and a recording of everything that `areyouj attach` wrote to it while the script ran.
fn recorded(config: &str) -> (TestHome, Terminal, String) {
    let home = TestHome::new();
    let directory = home.path().join("config");
    home.expect(fs::create_dir_all(&directory).map_err(Into::into));
    home.expect(fs::write(directory.join("config.toml"), config).map_err(Into::into));
    let id = session(&home, BEYOND, &[]);
    let terminal = terminal(&home);
    home.expect(terminal.type_text("printf '\\033]2;title of a person\\033\\\\'\n"));
    let has_title = |terminal: &Terminal| Ok(terminal.title()? == "title of a person");
    home.expect(terminal.wait_until("the title is set", EVENT_TIMEOUT, has_title));
    let file = home.path().join("recording");
    home.expect(terminal.record(&file));
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    home.expect(terminal.wait_for("press a key", EVENT_TIMEOUT));
    home.expect(terminal.type_text("x"));
    home.expect(terminal.wait_for("web printed", EVENT_TIMEOUT));
    home.expect(terminal.press(&["C-\\"]));
    home.expect(terminal.type_text("d"));
    home.expect(terminal.wait_for(&format!("Detached from {id}"), EVENT_TIMEOUT));
    let bytes = home.expect(fs::read(&file).map_err(Into::into));
    (home, terminal, String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn a_program_paints_and_reaches_nothing_beyond_the_screen() {
    let (home, terminal, recording) = recorded("");
    for forbidden in [
        "\x1b]52", "\x1b]7", "\x1b]9", "\x1b[8;", "\x1b[5i", "\x1b[21t", "\x1b_", "\x1bP", "\x1b%",
        "file://", "5522", "2048h", "9001", "\x1b[2h", "\x1b[>1", "echo",
    ] {
        assert!(!recording.contains(forbidden), "{forbidden:?} in {recording:?}");
    }
    for passed in [
        "\x1b[?1006h",
        "local",
        "\x1b]8;;https://example.org/\x1b\\web\x1b]8;;",
        "\x1b]2;title of a program\x1b\\",
    ] {
        assert!(recording.contains(passed), "{passed:?} is not in {recording:?}");
    }
    // The person's own title is on the terminal's stack meanwhile.
    let (saved, set) = (recording.find("\x1b[22;0t"), recording.find("title of a program"));
    assert!(saved.is_some() && saved < set && set < recording.find("\x1b[23;0t"), "{recording:?}");
    let has_title = |terminal: &Terminal| Ok(terminal.title()? == "title of a person");
    home.expect(terminal.wait_until("the person's title is back", EVENT_TIMEOUT, has_title));
}

#[test]
fn a_person_can_allow_to_write_to_the_clipboard() {
    let (_home, _terminal, recording) = recorded("terminal_clipboard = true\n");
    assert!(recording.contains("\x1b]52;c;c2VjcmV0\x1b\\"), "{recording:?}");
    assert!(!recording.contains("\x1b]9;"), "{recording:?}");
}

#[test]
fn a_query_of_a_program_gets_one_answer_however_many_terminals_show_it() {
    let script = r"
stty -icanon -echo min 1 time 0
printf 'press a key'
dd bs=1 count=1 2>/dev/null >&2
stty min 0 time 20
printf '\033[c'
answers=$(cat | tr -cd c | wc -c)
printf 'answers: %s.' $answers
stty min 1 time 0
cat
";
    let home = TestHome::new();
    let id = session(&home, script, &[]);
    let terminals = [terminal(&home), terminal(&home)];
    for terminal in &terminals {
        home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
        home.expect(terminal.wait_for("press a key", EVENT_TIMEOUT));
    }
    home.expect(terminals[0].type_text("x"));
    for terminal in &terminals {
        home.expect(terminal.wait_for("answers: 1.", EVENT_TIMEOUT));
    }
}

/// Attaches to a session whose program does this once a key was pressed, does something there and detaches.
fn detached(script: &str, act: impl Fn(&TestHome, &Terminal)) -> (TestHome, Terminal) {
    let script =
        format!("stty raw -echo; printf 'press a key'; head -c 1 >/dev/null; printf ' pressed'\n{script}");
    let home = TestHome::new();
    let id = session(&home, &script, &[]);
    let terminal = terminal(&home);
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    home.expect(terminal.wait_for("press a key", EVENT_TIMEOUT));
    home.expect(terminal.type_text("x"));
    home.expect(terminal.wait_for("pressed", EVENT_TIMEOUT));
    act(&home, &terminal);
    home.expect(terminal.press(&["C-\\"]));
    home.expect(terminal.type_text("d"));
    home.expect(terminal.wait_for(&format!("Detached from {id}"), EVENT_TIMEOUT));
    (home, terminal)
}

#[test]
fn no_answer_to_a_query_is_typed_into_the_shell_after_the_person_detached() {
    let script = "cat </dev/tty >/dev/null &\nwhile :; do printf '\\033[c'; done";
    let (home, terminal) = detached(script, |_, _| ());
    home.expect(terminal.type_text("printf '<%s>' ready\n"));
    home.expect(terminal.wait_for("<ready>", EVENT_TIMEOUT));
    let screen = home.expect(terminal.screen());
    assert!(!screen.contains("[?"), "{screen}");
}

#[test]
fn a_program_that_reads_nothing_does_not_keep_a_person_attached() {
    let (_home, _terminal) = detached("exec sleep 1000", |home, terminal| {
        // More than fits between the terminal and the program.
        for _ in 0..200 {
            home.expect(terminal.paste(&"x".repeat(15_000)));
        }
    });
}
