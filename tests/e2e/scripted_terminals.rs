//! Terminal sessions with a script in place of Claude, for output that Claude does not write: conformance tests of
//! terminals, and very long output.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use areyouj_tests::bystander::Bystander;
use areyouj_tests::cli::Run;
use areyouj_tests::home::{EVENT_TIMEOUT, TestHome, process_id};
use areyouj_tests::tmux::Terminal;

/// The size of both terminals, and of the screen in the host.
const SIZE: (u16, u16) = (80, 24);

/// Starts a terminal session that runs this script in a separate directory with these files.
pub(super) fn session(home: &TestHome, script: &str, files: &[(&str, &[u8])]) -> String {
    let directory = home.project("script");
    for (name, bytes) in files {
        home.expect(fs::write(directory.join(name), bytes).map_err(Into::into));
    }
    let program = directory.join("claude");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo '2.1.0 (Claude Code)' && exit\ncd '{}'\n{script}\n",
        directory.display()
    );
    home.expect(fs::write(&program, script).map_err(Into::into));
    home.expect(fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).map_err(Into::into));
    let cli = home.cli.clone().with("AREYOUJ_CLAUDE", program);
    let created = cli.run(&["new", &directory.to_string_lossy(), "--driver", "terminal"]);
    home.expect(created.and_then(Run::success)).stdout.trim().to_owned()
}

pub(super) fn terminal(home: &TestHome) -> Terminal {
    home.expect(Terminal::open(&home.cli.directory, &home.cli.environment, SIZE))
}

/// Attaches to the session in this terminal, and waits until the terminal has this title.
fn attach(home: &TestHome, terminal: &Terminal, id: &str, title: &str) {
    home.expect(terminal.type_text(&format!("areyouj attach {id}\n")));
    wait_for_title(home, terminal, title);
}

fn wait_for_title(home: &TestHome, terminal: &Terminal, title: &str) {
    let what = format!("the terminal has the title {title:?}");
    home.expect(terminal.wait_until(&what, EVENT_TIMEOUT, |terminal| Ok(terminal.title()? == title)));
}

fn detach(home: &TestHome, terminal: &Terminal, id: &str) {
    home.expect(terminal.press(&["C-\\"]));
    home.expect(terminal.type_text("d"));
    let message = format!("Detached from {id}");
    home.expect(terminal.wait_for(&message, EVENT_TIMEOUT));
    // Change the title, so that the next attach can be detected by it.
    home.expect(terminal.type_text("clear; printf '\\033]2;away\\033\\\\'\n"));
    wait_for_title(home, terminal, "away");
}

/// Conformance tests of terminals, as a sequence of screens that build on each other. tmux reports a row only up to the
/// last written character, so rows that are coloured by erasing end with a character. The effect of a backspace after
/// the last column differs between terminals, so the tests avoid it.
fn screens() -> Vec<(&'static str, String)> {
    let border: String = (1..=80).map(|column| format!("\x1b[1;{column}H*\x1b[24;{column}H*")).collect();
    let sides: String = (2..=23).map(|row| format!("\x1b[{row};1H*\x1b[{row};80H*")).collect();
    let wrapped: String = (b'A'..=b'Z')
        .map(|letter| {
            let letter = char::from(letter);
            format!("\x1b[19;1H{letter}\x1b[19;80H{letter}\r\n\x1b[18;80Ha{letter}\x08 {letter}\x08 \r\n")
        })
        .collect();
    let lines: String = (1..=40).map(|number| format!("line {number} of the region\r\n")).collect();
    // tmux distinguishes the first sixteen palette colours from those of the short codes.
    let short = (40..48).chain(100..108).map(|code| format!("\x1b[{code}m "));
    let palette: String = short.chain((16..256).map(|index| format!("\x1b[48;5;{index}m "))).collect();
    let gradient: String =
        (0..76).map(|part| format!("\x1b[38;2;{};128;{}m█", part * 3, 255 - part * 3)).collect();
    let attributes: String =
        [1, 2, 3, 4, 5, 7, 8, 9].map(|code| format!("\x1b[0;{code}mlook {code}\x1b[m ")).concat();
    vec![
        ("a border, with the cursor in it", format!("{border}{sides}\x1b[12;30Hwithin")),
        ("erased parts", "\x1b[10;20H\x1b[1J\x1b[20;61H\x1b[0J\x1b[15;30H\x1b[1K\x1b[16;30H\x1b[0K\x1b[17;5H\x1b[9X".into()),
        ("origin mode in a region", format!("\x1b[2J\x1b[3;21r\x1b[?6h{wrapped}")),
        ("a region that scrolled", format!("\x1b[?6l\x1b[2J\x1b[5;15r\x1b[5;1H{lines}\x1b[5;1H\x1bM\x1bM\x1bM")),
        ("lines inserted and deleted", "\x1b[7;1H\x1b[2L\x1b[10;1H\x1b[3M\x1b[2S\x1b[1T".into()),
        ("characters inserted and deleted", "\x1b[r\x1b[2J\x1b[3;1Habcdefghij\x1b[3;4H\x1b[3@xyz\x1b[3;9H\x1b[2P\x1b[4hINSERTED".into()),
        ("tab stops", format!("\x1b[4l\x1b[2J\x1b[3g\x1b[1;1H{}\x1b[1;4H\x1b[0g\x1b[1;1H{}", "\x1b[3C\x1bH".repeat(20), "\t*".repeat(13))),
        ("tabs at these stops", "\x1b[3;1H\t1\t2\t3\x1b[2Z<".into()),
        ("line drawing", "\x1b[2J\x1b[2;2H\x1b(0lqqwqqk\x1b[3;2Hx  x  x\x1b[4;2Htqqnqqu\x1b[5;2Hmqqvqqj\x1b(B plain \x1b)0\x0eaaa".into()),
        ("line drawing continued", "qqq\x0fqqq\x1b)B".into()),
        ("no wrap at the margin", format!("\x1b[2J\x1b[?7l\x1b[2;70H{}", "0123456789abcdef")),
        ("a wrap at the margin", format!("\x1b[?7h\x1b[4;70H{}\x1b[6;80H|", "0123456789abcdef")),
        ("the last column, then more", "next\x1b[8;80Hx".into()),
        ("attributes", format!("\x1b[m\x1b[2J\x1b[2;1H{attributes}\x1b[1;4;31;42mall")),
        ("colours", format!("\x1b[m\x1b[4;1H{palette}\x1b[m\r\n{gradient}\x1b[m\x1b[12;1H\x1b[44mbackground\x1b[K\x1b[80G|")),
        ("colours that scroll in", "\x1b[24;1H\n\x1b[80G|\x1b[3;1H\x1b[1L\x1b[3;80H|\x1b[m".into()),
        ("wide characters", "\x1b[2J\x1b[2;1H中文字符 🎉 ｱｲｳ é e\u{301}a\u{323}\x1b[3;80H中\x1b[5;1H中文中文".into()),
        ("the alternate screen", "\x1b[9;9H\x1b[31m\x1b[?1049h\x1b[2J\x1b[3;3Hon the other screen\x1b[7;7H".into()),
        ("output on the alternate screen", "\x1b[32mmore\x1b[5;20r\x1b[20;1H\n\n".into()),
        ("the first screen again", "\x1b[r\x1b[?1049lback".into()),
        ("a saved cursor", "\x1b[m\x1b[2J\x1b[4;4H\x1b[1;35m\x1b7\x1b[m\x1b[10;10Helsewhere".into()),
        ("a restored cursor", "\x1b8here\x1b[m".into()),
        ("modes of mouse, paste, focus and keys", "\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?1h\x1b=\x1b[?25l".into()),
        ("modes reset", "\x1b[?1002l\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?1l\x1b>\x1b[?25h".into()),
        ("the alignment pattern", "\x1b#8\x1b[5;5Hon it".into()),
        ("a full reset", "\x1b[31m\x1b[3;9r\x1b[?6h\x1b[4h\x1bcfull".into()),
    ]
}

#[test]
fn a_reattached_terminal_shows_the_same_as_an_attached_one_in_all_conformance_tests() {
    let screens = screens();
    let names: Vec<String> = (1..=screens.len()).map(|number| number.to_string()).collect();
    let ends: Vec<String> = screens
        .iter()
        .zip(&names)
        .map(|((_, screen), name)| format!("{screen}\x1b]2;screen {name}\x07"))
        .collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().zip(&ends).map(|(name, screen)| (name.as_str(), screen.as_bytes())).collect();
    let home = TestHome::new();
    let script = "stty raw -echo; i=0; printf '\\033]2;screen 0\\007'\n\
        while head -c 1 >/dev/null; do i=$((i+1)); cat $i; done";
    let id = session(&home, script, &files);
    let (staying, leaving) = (terminal(&home), terminal(&home));
    attach(&home, &staying, &id, "screen 0");
    for (number, (name, _)) in (1..).zip(&screens) {
        let title = format!("screen {number}");
        home.expect(staying.type_text("x"));
        wait_for_title(&home, &staying, &title);
        attach(&home, &leaving, &id, &title);
        let equal = staying
            .wait_until(name, EVENT_TIMEOUT, |staying| Ok(staying.difference(&leaving)?.is_none()))
            .with_context(|| format!("{name}: {:#?}", staying.difference(&leaving)));
        home.expect(equal);
        detach(&home, &leaving, &id);
    }
}

#[test]
fn a_detach_key_in_a_paste_reaches_claude_and_the_shell_receives_nothing() {
    let home = TestHome::new();
    let paste = "before\u{1c}d\rtouch ran-by-the-shell\rafter";
    let marked = format!("\u{1b}[200~{paste}\u{1b}[201~");
    let script = format!(
        "stty raw -echo; printf '\\033[?2004h\\033]2;ready\\007'; head -c {} >received\n\
        printf '\\033]2;received\\007'; head -c 1 >/dev/null",
        marked.len()
    );
    let id = session(&home, &script, &[]);
    let terminal = terminal(&home);
    attach(&home, &terminal, &id, "ready");
    home.expect(terminal.paste(paste));
    wait_for_title(&home, &terminal, "received");
    let received =
        home.expect(fs::read_to_string(home.project("script").join("received")).map_err(Into::into));
    assert_eq!(received, marked);
    detach(&home, &terminal, &id);
    assert!(!home.cli.directory.join("ran-by-the-shell").exists());
}

#[test]
fn a_password_that_is_typed_into_a_session_is_in_no_file() {
    const PASSWORD: &str = "correct-horse-battery-staple";
    let home = TestHome::new();
    let script = "stty -echo; printf '\\033]2;password\\007'; read -r line; printf '\\033]2;%s bytes\\007' ${#line}\n\
        read -r line";
    let id = session(&home, script, &[]);
    let terminal = terminal(&home);
    attach(&home, &terminal, &id, "password");
    home.expect(terminal.type_text(PASSWORD));
    home.expect(terminal.press(&["Enter"]));
    wait_for_title(&home, &terminal, &format!("{} bytes", PASSWORD.len()));
    // The daemon has read the journal so far when the session has terminated.
    home.ok(&["terminate", &id]);
    let files = home.expect(files_below(home.path()));
    assert!(files.iter().any(|file| file.ends_with("areyouj.db")), "{files:#?}");
    assert!(
        files.iter().any(|file| file.components().any(|part| part.as_os_str() == "journal")),
        "{files:#?}"
    );
    for file in files {
        let bytes = home.expect(fs::read(&file).map_err(Into::into));
        // A part of it, because records can begin between two keys.
        let found = bytes.windows(7).any(|part| part == b"battery");
        assert!(!found, "{}", file.display());
    }
}

/// All regular files below a directory.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// The size of the flood in bytes.
const FLOOD_BYTES: usize = 200_000_000;

/// The maximum memory growth of the daemon in bytes, while it skips a journal that grows by a gigabyte per minute: a
/// chunk of the journal, and the memory of the store for a step.
const GROWTH_MAX_BYTES: u64 = 16 << 20;

/// The maximum size of a journal in bytes: the ingested part that it keeps, and the segment that is being written.
const JOURNAL_MAX_BYTES: u64 = (64 + 2 * 16) << 20;

#[test]
fn a_flood_of_output_does_not_affect_the_daemon_and_other_sessions() {
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let line = "This is one of very many identical lines that the daemon does not have to read.";
    let script = format!(
        "stty raw -echo; printf '\\033]2;ready\\007'; head -c 1 >/dev/null\n\
        yes '{line}\r' | head -c {FLOOD_BYTES}; printf '\\033]2;over\\007'; head -c 1 >/dev/null"
    );
    let id = session(&home, &script, &[]);
    let terminal = terminal(&home);
    attach(&home, &terminal, &id, "ready");
    let daemon = home.daemon_pid();
    let before = memory(daemon);
    home.expect(terminal.type_text("x"));
    home.expect(terminal.wait_until("the end of the flood", 2 * EVENT_TIMEOUT, |terminal| {
        bystander.assert_responsive(&home);
        Ok(terminal.title()? == "over")
    }));
    let grown = peak_memory(daemon).saturating_sub(before);
    assert!(grown <= GROWTH_MAX_BYTES, "the daemon grew by {} kB", grown >> 10);
    assert_eq!(home.daemon_pid(), daemon);
    let session = home.session(&id);
    let host = peak_memory(process_id(&session, "hostPid"));
    assert!(host <= 8 << 20, "the host used {} kB", host >> 10);
    let journal = home.path().join("state/sessions").join(&id).join("journal");
    let kept = home.expect(size_of(&journal));
    assert!(kept <= JOURNAL_MAX_BYTES, "{kept} bytes of {FLOOD_BYTES} are stored");
    home.ok(&["terminate", &id]);
}

/// A value of `/proc/PID/status`, in bytes.
fn status_of(pid: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>();
    assert!(kilobytes.is_ok(), "no {name} of process {pid}: {status}");
    kilobytes.unwrap_or_default() << 10
}

/// The anonymous memory of a process, in bytes.
fn memory(pid: i32) -> u64 {
    status_of(pid, "RssAnon:")
}

/// The peak anonymous memory in bytes: peak resident memory minus file-backed memory, which only grows.
fn peak_memory(pid: i32) -> u64 {
    status_of(pid, "VmHWM:").saturating_sub(status_of(pid, "RssFile:"))
}

/// The size of the segments in a directory, in bytes.
fn size_of(directory: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.path().extension() == Some(OsStr::new("log")) {
            size += entry.metadata()?.len();
        }
    }
    Ok(size)
}
