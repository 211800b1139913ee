//! Sessions with a terminal, as viewers and hooks see them.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;

use areyouj_host::launch::Sizing;
use areyouj_host::wire::{CONTRACT, FromHost, Size, ToHost};
use areyouj_journal::Kind;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::how_in;
use crate::session::{Controller, Session, bytes_of};
use crate::viewer::{SIZE, Viewer, at_terminal};

/// Prints the size of the terminal, first and whenever it changes.
const TELL_SIZE: &str =
    "trap 'echo size $(stty size)' WINCH; echo size $(stty size); while :; do sleep 0.01; done";

#[test]
fn what_is_typed_reaches_the_program_and_what_it_shows_the_viewer_and_the_journal() {
    let mut session = at_terminal("read -r line; echo \"got <$line>\"; read -r line", Sizing::Smallest);
    let mut controller = session.start();
    let mut viewer = Viewer::of(&session, SIZE, false);
    viewer.types("hello\r");
    viewer.waits_for("got <hello>");
    viewer.types("\r");
    assert!(!viewer.tries_until(|_| false), "the end of the program ends the view");
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(bytes_of(&records, Kind::Keys), b"xxxxx\r\r");
    assert!(bytes_of(&records, Kind::Output).starts_with(b"hello\r\ngot <hello>\r\n"));
    assert_eq!(bytes_of(&records, Kind::Resized), [80, 0, 24, 0]);
}

#[test]
fn what_is_typed_without_an_echo_is_in_no_file() {
    let script = "stty -echo; echo password:; read -r line; test \"$line\" = hunter2-hunter2 && echo right; read -r line";
    let mut session = at_terminal(script, Sizing::Smallest);
    let mut controller = session.start();
    let mut viewer = Viewer::of(&session, SIZE, false);
    viewer.waits_for("password:");
    viewer.types("hunter2-hunter2\r");
    viewer.waits_for("right");
    viewer.types("\r");
    session.records_to_the_end(&mut controller);
    let files = session.files();
    assert!(files.len() > 1, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(b"hunter2".len()).any(|part| part == b"hunter2");
        assert!(!found, "{}", file.display());
    }
}

#[test]
fn the_terminal_is_the_programs_own() {
    let script = "tty && test -t 0 && test -t 2 && echo mine > /dev/tty; ps -o stat= -p $$; read -r line";
    let mut session = at_terminal(script, Sizing::Smallest);
    session.start();
    let mut viewer = Viewer::of(&session, SIZE, false);
    viewer.waits_for("mine");
    // It leads a session, and is in the foreground, running or not.
    viewer.waits_for("s+");
    // Ctrl-C is a signal to it.
    viewer.types("\u{3}");
    assert!(!viewer.tries_until(|_| false));
}

#[test]
fn a_new_viewer_sees_the_current_screen() {
    let mut session =
        at_terminal("printf '\\033[2J\\033[5;10Hdeep\\033[?25l'; read -r line", Sizing::Smallest);
    session.start();
    let mut first = Viewer::of(&session, SIZE, false);
    first.waits_for("deep");
    let second = Viewer::of(&session, SIZE, false);
    assert_eq!(second.screen.rows_text(), first.screen.rows_text());
    assert_eq!(second.screen.repaint(), first.screen.repaint());
}

#[test]
fn all_viewers_see_everything_when_the_smallest_size_counts() {
    let mut session = at_terminal(TELL_SIZE, Sizing::Smallest);
    session.start();
    let mut wide = Viewer::of(&session, Size { columns: 200, rows: 20 }, false);
    wide.waits_for("size 20 200");
    let mut high = Viewer::of(&session, Size { columns: 90, rows: 60 }, false);
    wide.waits_for("size 20 90");
    assert_eq!(wide.size, Size { columns: 90, rows: 20 });
    wide.connection.send(&ToHost::Resize(Size { columns: 200, rows: 10 }));
    high.waits_for("size 10 90");
    drop(wide);
    high.waits_for("size 60 90");
}

#[test]
fn the_viewer_that_acted_last_has_its_size_when_that_counts() {
    let mut session = at_terminal(TELL_SIZE, Sizing::Latest);
    session.start();
    let mut first = Viewer::of(&session, Size { columns: 100, rows: 20 }, false);
    first.waits_for("size 20 100");
    let mut second = Viewer::of(&session, Size { columns: 60, rows: 30 }, false);
    second.waits_for("size 30 60");
    first.types("x");
    second.waits_for("size 20 100");
    drop(first);
    second.until(|viewer| viewer.output.ends_with(b"size 30 60\r\n"));
}

#[test]
fn a_read_only_viewer_neither_types_nor_counts() {
    let mut session = at_terminal(TELL_SIZE, Sizing::Smallest);
    let mut controller = session.start();
    let mut looking = Viewer::of(&session, Size { columns: 10, rows: 5 }, true);
    let mut working = Viewer::of(&session, Size { columns: 100, rows: 30 }, false);
    working.waits_for("size 30 100");
    looking.types("rm -rf /\r");
    working.types("x");
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| !bytes_of(records, Kind::Keys).is_empty());
    assert_eq!(bytes_of(&records, Kind::Keys), b"x");
}

#[test]
fn any_size_becomes_one_that_a_screen_can_have() {
    let mut session = at_terminal(TELL_SIZE, Sizing::Latest);
    session.start();
    for (asked, given) in
        [((0, 0), (2, 2)), ((1, 1), (2, 2)), ((1_000, 1_000), (1_000, 1_000)), ((65_535, 9), (1_000, 9))]
    {
        let viewer = Viewer::of(&session, Size { columns: asked.0, rows: asked.1 }, false);
        assert_eq!((viewer.size.columns, viewer.size.rows), given);
    }
    let mut viewer = Viewer::of(&session, SIZE, false);
    viewer.waits_for("size 24 80");
}

#[test]
fn a_viewer_that_stops_reading_delays_nobody_and_gets_the_screen_when_it_reads_again() {
    let flood = "stty -echo; read -r go; yes 0123456789 | head -c 12000000; echo done; read -r line";
    let mut session = at_terminal(flood, Sizing::Smallest);
    let mut controller = session.start();
    let mut stopped = Viewer::of(&session, SIZE, false);
    let mut reading = Viewer::of(&session, SIZE, false);
    reading.types("\r");
    reading.waits_for("done");
    stopped.waits_for("done");
    assert!(stopped.paints > 1, "it was shown the whole screen");
    assert!(stopped.received < 8 << 20, "it missed output");
    reading.types("\r");
    let records = session.records_to_the_end(&mut controller);
    let recorded = bytes_of(&records, Kind::Output);
    let numbers = recorded.split(|byte| *byte == b'\n').filter(|line| *line == b"0123456789\r").count();
    assert_eq!(numbers, 12_000_000 / 11, "nothing is missing from the journal");
    // Both show the same in the end.
    assert_eq!(stopped.screen.rows_text(), reading.screen.rows_text());
}

#[test]
fn a_terminal_has_room_for_many_viewers_and_says_when_it_is_full() {
    let mut session = at_terminal("read -r line", Sizing::Smallest);
    session.start();
    let viewers: Vec<Viewer> = (0..32).map(|_| Viewer::of(&session, SIZE, false)).collect();
    let mut more = session.connect_silently();
    more.send(&ToHost::Attach { contract: CONTRACT, size: SIZE, read_only: true });
    assert!(more.refusal().contains("32 viewers"));
    drop(viewers);
    // Viewers that have left make room, as soon as the host notices.
    loop {
        let mut again = session.connect_silently();
        again.send(&ToHost::Attach { contract: CONTRACT, size: SIZE, read_only: true });
        match again.receive() {
            Some(FromHost::Screen { .. }) => return,
            Some(FromHost::Refused(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn coming_and_going_a_thousand_times_leaves_nothing_behind() {
    let mut session = at_terminal("read -r line", Sizing::Smallest);
    session.start();
    let descriptors =
        |session: &Session| fs::read_dir(format!("/proc/{}/fd", session.host_pid())).unwrap().count();
    Viewer::of(&session, SIZE, false);
    for _ in 0..1_000 {
        Viewer::of(&session, Size { columns: 100, rows: 40 }, false);
    }
    let viewer = Viewer::of(&session, SIZE, false);
    // The listener, the lock, signals, journal, three of the terminal, standard error and streams, this viewer.
    assert!(descriptors(&session) < 24, "{}", descriptors(&session));
    drop(viewer);
}

#[test]
fn a_stream_has_no_terminal_to_view() {
    let mut session = Session::of("/bin/cat", &[]);
    session.start();
    let mut viewer = session.connect_silently();
    viewer.send(&ToHost::Attach { contract: CONTRACT, size: SIZE, read_only: false });
    assert!(viewer.refusal().contains("no terminal"));
}

#[test]
fn a_claude_at_a_terminal_is_ended_by_a_signal_at_once() {
    let mut session =
        at_terminal("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done", Sizing::Smallest);
    let mut controller = session.start();
    Viewer::of(&session, SIZE, false).waits_for("up");
    controller.send(&ToHost::Stop { close_grace_ms: 600_000, kill_grace_ms: 600_000 });
    let records = session.records_to_the_end(&mut controller);
    assert!(bytes_of(&records, Kind::Output).ends_with(b"bye\r\n"));
    assert_eq!(how_in(&records), areyouj_journal::How::Code(7));
}

#[test]
fn garbage_from_a_viewer_costs_it_its_view_and_nobody_else_anything() {
    let mut session = at_terminal("read -r line; echo \"got $line\"; read -r line", Sizing::Smallest);
    session.start();
    let mut bad = Viewer::of(&session, SIZE, false);
    let mut good = Viewer::of(&session, SIZE, false);
    bad.connection.stream.write_all(&u32::MAX.to_le_bytes()).unwrap();
    assert!(!bad.tries_until(|_| false));
    good.types("x\r");
    good.waits_for("got x");
}

#[test]
fn a_viewer_that_leaves_while_keys_wait_keeps_nobody_busy_and_its_keys_still_arrive() {
    let mut session = at_terminal(
        "stty raw -echo; printf ready; read -r _ < \"$0\"; printf go; head -c 350000 | tr -d x",
        Sizing::Smallest,
    );
    let fifo = session.path("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    session.launch.arguments.push(fifo.clone().into());
    let mut controller = session.start();
    let mut leaving = Viewer::of(&session, SIZE, false);
    leaving.waits_for("ready");
    // More than may wait, in pieces; the last of it is not taken before there is room.
    for _ in 0..7 {
        leaving.types(&"x".repeat(50_000 - 1));
        leaving.types("y");
    }
    while controller.status().2 < 256 << 10 {}
    drop(leaving);
    // It sleeps until something happens, at every check.
    let is_asleep = || {
        let status = fs::read_to_string(format!("/proc/{}/stat", session.host_pid())).unwrap();
        status.rsplit_once(") ").unwrap().1.starts_with('S')
    };
    let mut asleep = 0;
    while asleep < 100 {
        asleep = if is_asleep() { asleep + 1 } else { 0 };
    }
    fs::write(&fifo, "\n").unwrap();
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(bytes_of(&records, Kind::Output), [&b"readygo"[..], &[b'y'; 7]].concat());
}

fn hook(session: &Session, waits: bool, told: &str) -> Controller {
    let mut hook = session.connect_inside();
    hook.send(&ToHost::Hook { waits, bytes: told.into() });
    hook
}

#[test]
fn a_report_of_a_hook_is_recorded_before_the_hook_is_released() {
    let mut session = at_terminal("read -r line", Sizing::Smallest);
    session.run_relay(false);
    let mut controller = session.start();
    let mut telling = hook(&session, false, "{\"a\":1}");
    assert_eq!(telling.receive(), Some(FromHost::HookDone(Vec::new())));
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| !bytes_of(records, Kind::Hook).is_empty());
    assert_eq!(bytes_of(&records, Kind::Hook), b"\0{\"a\":1}");
}

#[test]
fn a_hook_that_waits_has_its_answer_once_and_the_answer_is_recorded_first() {
    let mut session = at_terminal("read -r line", Sizing::Smallest);
    session.run_relay(false);
    let mut controller = session.start();
    let mut asking = hook(&session, true, "may I");
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| !bytes_of(records, Kind::Hook).is_empty());
    let number = records.last().unwrap().offset;
    // Large enough not to go out at once.
    let answer = vec![b'y'; 3 << 20];
    controller.send(&ToHost::AnswerHook { hook: number, bytes: answer.clone() });
    controller.send(&ToHost::AnswerHook { hook: number, bytes: b"again".to_vec() });
    controller.send(&ToHost::AnswerHook { hook: number + 1, bytes: b"nobody".to_vec() });
    assert_eq!(asking.receive(), Some(FromHost::HookDone(answer)));
    assert_eq!(asking.receive(), None);
    controller.status();
    let records = controller.records_until(&mut journal, |records| !records.is_empty());
    assert_eq!(records.iter().filter(|record| record.kind == Kind::HookAnswered).count(), 1);
    assert_eq!(records[0].payload[..8], number.to_le_bytes());
}

#[test]
fn a_hook_that_exits_by_itself_is_recorded() {
    let mut session = at_terminal("read -r line", Sizing::Smallest);
    session.run_relay(false);
    let mut controller = session.start();
    let asking = hook(&session, true, "may I");
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| !bytes_of(records, Kind::Hook).is_empty());
    let number = records.last().unwrap().offset;
    drop(asking);
    let records = controller.records_until(&mut journal, |records| !records.is_empty());
    assert_eq!((records[0].kind, &records[0].payload[..]), (Kind::HookGone, &number.to_le_bytes()[..]));
}

#[test]
fn a_hook_is_released_at_once_while_the_journal_cannot_be_written() {
    let mut session = at_terminal("read -r line", Sizing::Smallest);
    session.run_relay(false);
    let mut controller = session.start();
    session.limit_files("1");
    let mut asking = hook(&session, true, "may I");
    assert_eq!(asking.receive(), Some(FromHost::HookDone(Vec::new())));
    session.limit_files("unlimited");
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| !bytes_of(records, Kind::Hook).is_empty());
    assert_eq!(bytes_of(&records, Kind::Hook), b"\x01may I");
}

#[test]
fn keys_wait_until_what_the_daemon_wrote_was_read_alone() {
    let mut session = at_terminal("read -r line; read -r line", Sizing::Smallest);
    let mut controller = session.start();
    let mut viewer = Viewer::of(&session, SIZE, false);
    controller.write("paste\r");
    controller.status();
    viewer.types("x");
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| !bytes_of(records, Kind::Keys).is_empty());
    let [written, typed] = [Kind::Input, Kind::Keys]
        .map(|kind| records.iter().find(|record| record.kind == kind).unwrap().time_us);
    // The host's own limit, by the times in the journal: the test does not wait.
    assert!(typed - written >= 90_000, "{}", typed - written);
}

#[test]
fn the_screen_continues_while_no_daemon_is_there() {
    let mut session = at_terminal("read -r line; echo \"got $line\"; read -r line", Sizing::Smallest);
    let controller = session.start();
    let mut viewer = Viewer::of(&session, SIZE, false);
    drop(controller);
    viewer.types("x\r");
    viewer.waits_for("got x");
    let _: UnixStream = session.connect().stream;
    viewer.types("\r");
    assert!(!viewer.tries_until(|_| false));
}

#[test]
fn a_viewer_sees_everything_after_another_left_in_the_middle_of_a_sequence() {
    let steps = ["ready", r"\033]2;half", r"\007whole", "two words"];
    let script: String = steps.map(|step| format!("printf '{step}'; head -c 1 >/dev/null; ")).concat();
    let mut session = at_terminal(&format!("stty raw -echo; {script}"), Sizing::Smallest);
    let _controller = session.start();
    let mut staying = Viewer::of(&session, SIZE, false);
    staying.waits_for("ready");
    let leaving = Viewer::of(&session, SIZE, false);
    staying.types("x");
    staying.until(|viewer| viewer.output.ends_with(b"half"));
    drop(leaving);
    staying.types("x");
    staying.waits_for("whole");
    let mut coming = Viewer::of(&session, SIZE, false);
    // The staying one acted last: the coming one gets the output without queries.
    staying.types("x");
    staying.waits_for("two words");
    coming.waits_for("two words");
}
