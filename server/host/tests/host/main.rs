//! The session host as the daemon sees it: the real program, its socket and its journal, with small programs in
//! Claude's place.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "all of this is tests, which the lints see in test functions only"
)]

mod floods;
mod session;
mod standing;
mod terminals;
mod viewer;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;

use areyouj_host::tree;
use areyouj_host::wire::{FromHost, ToHost};
use areyouj_journal::{Exited, How, Kind, Record, SpawnFailed, Started};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use session::{Controller, Session, bytes_of, length_of};

fn signals_in(records: &[Record]) -> Vec<i32> {
    let signalled = records.iter().filter(|record| record.kind == Kind::Signalled);
    signalled.map(|record| i32::from_le_bytes(record.payload[..].try_into().unwrap())).collect()
}

fn how_in(records: &[Record]) -> How {
    Exited::decode(&records.last().unwrap().payload).unwrap().how
}

#[test]
fn what_is_written_reaches_claude_and_what_it_says_is_recorded() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    controller.write("hello\n");
    let mut journal = session.journal();
    let records = controller.records_until(&mut journal, |records| records.len() >= 3);
    let kinds: Vec<Kind> = records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::Started, Kind::Input, Kind::Output]);
    let (claude, exited, pending) = controller.status();
    assert_eq!(Started::decode(&records[0].payload), Some(Started { launch: 1, pid: claude.unwrap() }));
    assert_eq!((&records[1].payload[..], &records[2].payload[..]), (&b"hello\n"[..], &b"hello\n"[..]));
    assert_eq!((exited, pending), (false, 0));
    assert_eq!(fs::metadata(session.path("socket")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn standard_error_is_recorded_apart() {
    let mut session = Session::shell("echo out; echo err >&2");
    let mut controller = session.start();
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(bytes_of(&records, Kind::Output), b"out\n");
    assert_eq!(bytes_of(&records, Kind::ErrorOutput), b"err\n");
}

#[test]
fn claude_continues_without_a_controller() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let claude = controller.status().0;
    controller.write("unheard\n");
    drop(controller);
    let mut controller = session.connect();
    controller.write("heard\n");
    assert_eq!(controller.output(&mut session.journal(), 14), b"unheard\nheard\n");
    assert_eq!(controller.status().0, claude);
}

#[test]
fn a_second_controller_takes_over_after_everything_that_the_first_sent() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut first = session.start();
    let mut expected: Vec<u8> = Vec::new();
    for number in 0..100 {
        let line = format!("{number} {}\n", "x".repeat(500));
        expected.extend(line.as_bytes());
        first.write(line);
    }
    // An incomplete order is not carried out.
    first.stream.write_all(&[200, 0, 0, 0, 3, b'h', b'a', b'l', b'f']).unwrap();
    let mut second = session.connect_silently();
    let mut frames = Vec::new();
    ToHost::Hello { contract: 1, key: session.key.clone() }.encode(&mut frames);
    ToHost::Write(b"last\n".to_vec()).encode(&mut frames);
    second.stream.write_all(&frames).unwrap();
    assert!(matches!(second.receive(), Some(FromHost::Welcome { .. })));
    expected.extend(b"last\n");
    let heard = second.output(&mut session.journal(), expected.len());
    assert!(heard == expected);
    assert_eq!(first.receive(), None);
}

#[test]
fn a_connection_that_does_not_say_hello_changes_nothing() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let mut rude = session.connect_silently();
    rude.send(&ToHost::Stop { close_grace_ms: 0, kill_grace_ms: 0 });
    assert_eq!(rude.receive(), None);
    let mut wrong = session.connect_silently();
    wrong.stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    // The host can close before it has read everything, which the kernel reports as a reset.
    assert!(matches!(wrong.stream.read(&mut [0; 1]), Ok(0) | Err(_)));
    let _silent: Vec<Controller> = (0..20).map(|_| session.connect_silently()).collect();
    controller.write("still here\n");
    assert_eq!(controller.output(&mut session.journal(), 11), b"still here\n");
}

#[test]
fn an_exit_is_recorded_with_its_status() {
    let mut session = Session::shell("echo bye; exit 7");
    let mut controller = session.start();
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(bytes_of(&records, Kind::Output), b"bye\n");
    assert_eq!(how_in(&records), How::Code(7));
    assert_eq!(controller.status(), (None, true, 0));
    controller.write("too late");
    assert!(controller.refusal().contains("ended"));
}

#[test]
fn an_exit_is_recorded_with_its_signal_even_if_that_has_no_name() {
    for (signal, number) in [("KILL", 9), ("RTMIN+3", 37)] {
        let mut session = Session::of("/bin/bash", &["-c", &format!("kill -{signal} $$")]);
        let mut controller = session.start();
        assert_eq!(how_in(&session.records_to_the_end(&mut controller)), How::Signal(number));
    }
}

#[test]
fn a_signal_of_a_stop_reaches_the_group_and_is_recorded() {
    let mut session = Session::shell("echo up; sleep 1000; echo survived");
    let mut controller = session.start();
    controller.output(&mut session.journal(), 3);
    controller.send(&ToHost::Stop { close_grace_ms: 0, kill_grace_ms: 60_000 });
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(signals_in(&records), [15]);
    assert_eq!(how_in(&records), How::Signal(15));
    assert_eq!(bytes_of(&records, Kind::Output), b"up\n");
}

#[test]
fn a_stop_closes_the_input_first_and_that_is_enough_for_a_polite_program() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    controller.write("end\n");
    controller.send(&ToHost::Stop { close_grace_ms: 60_000, kill_grace_ms: 60_000 });
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(bytes_of(&records, Kind::Output), b"end\n");
    assert_eq!(signals_in(&records), [0; 0]);
    assert_eq!(how_in(&records), How::Code(0));
}

#[test]
fn a_stop_escalates_against_a_program_that_ignores_it() {
    let mut session = Session::shell("trap '' TERM; echo up; sleep 1000; sleep 1000");
    let mut controller = session.start();
    controller.output(&mut session.journal(), 3);
    controller.send(&ToHost::Stop { close_grace_ms: 600_000, kill_grace_ms: 600_000 });
    // A second one makes it quicker.
    controller.send(&ToHost::Stop { close_grace_ms: 20, kill_grace_ms: 20 });
    // It continues without the daemon.
    drop(controller);
    let mut controller = session.connect();
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(signals_in(&records), [15, 9]);
    assert_eq!(how_in(&records), How::Signal(9));
    assert!(tree::descendants_marked(&session.mark).is_empty());
}

#[test]
fn the_end_leaves_no_process_not_even_one_that_left_the_group() {
    let script = "setsid setsid sh -c 'trap \"\" TERM; (setsid sleep 1000 &); echo; sleep 1000' & \
                  (sleep 1000 &) ; read -r line; exit 0";
    let mut session = Session::shell(script);
    let mut controller = session.start();
    controller.output(&mut session.journal(), 1);
    assert!(tree::descendants_marked(&session.mark).len() >= 4);
    // Closing the input is enough for it.
    controller.send(&ToHost::Stop { close_grace_ms: 60_000, kill_grace_ms: 60_000 });
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(how_in(&records), How::Code(0));
    assert!(tree::descendants_marked(&session.mark).is_empty());
}

#[test]
fn a_child_that_never_stops_writing_does_not_delay_the_end() {
    let mut session = Session::shell("yes & yes >&2 & exit 3");
    let mut controller = session.start();
    assert_eq!(how_in(&session.records_to_the_end(&mut controller)), How::Code(3));
}

#[test]
fn when_the_host_is_killed_claude_dies_and_the_next_host_continues_the_journal() {
    let mut session = Session::of("", &[]);
    let fifo = session.path("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    session.launch.program = "/bin/sh".into();
    session.launch.arguments = ["-c", "echo up; exec sleep 1000 3>\"$0\""].map(OsString::from).to_vec();
    session.launch.arguments.push(fifo.clone().into());
    let mut controller = session.start();
    let mut held_by_claude = File::open(&fifo).unwrap();
    let records = controller.records_until(&mut session.journal(), |records| records.len() >= 2);
    kill(session.host_pid(), Signal::SIGKILL).unwrap();
    assert_eq!(held_by_claude.read(&mut [0; 1]).unwrap(), 0);
    session.ended();
    assert!(session.path("socket").exists());

    session.launch.launch = 2;
    session.launch.program = "/bin/true".into();
    let mut controller = session.start();
    let again = session.records_to_the_end(&mut controller);
    assert_eq!(again[..records.len()], records);
    assert_eq!(Exited::decode(&again.last().unwrap().payload).unwrap().launch, 2);
}

#[test]
fn a_released_host_exits_and_removes_its_socket_but_not_while_claude_runs() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    controller.send(&ToHost::Release);
    assert!(controller.refusal().contains("not ended"));
    // Closing the input is enough for it.
    controller.send(&ToHost::Stop { close_grace_ms: 60_000, kill_grace_ms: 60_000 });
    session.records_to_the_end(&mut controller);
    assert!(controller.status().1);
    controller.send(&ToHost::Release);
    assert_eq!(controller.receive(), None);
    let (status, log) = session.ended();
    assert!(status.success(), "{log}");
    assert_eq!(log, "");
    assert!(!session.path("socket").exists());
}

#[test]
fn sigterm_stops_claude_and_then_the_host() {
    let mut session = Session::of("/bin/cat", &[]);
    let _controller = session.start();
    kill(session.host_pid(), Signal::SIGHUP).unwrap();
    kill(session.host_pid(), Signal::SIGTERM).unwrap();
    // No release is needed: at the machine's shutdown there can be no daemon any more.
    assert!(session.ended().0.success());
    assert!(!session.path("socket").exists());
    let mut journal = session.journal();
    let records: Vec<Record> = std::iter::from_fn(|| journal.next().unwrap()).collect();
    assert_eq!(how_in(&records), How::Code(0));
}

#[test]
fn a_second_host_for_the_same_session_is_refused() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let first = session.host.take();
    assert_eq!(session.start_by(&[]), "locked\n");
    assert_eq!(session.ended().0.code(), Some(3));
    session.host = first;
    controller.write("undisturbed\n");
    assert_eq!(controller.output(&mut session.journal(), 12), b"undisturbed\n");
    session.connect();
}

#[test]
fn a_host_that_cannot_work_says_why() {
    let mut session = Session::of("/bin/cat", &[]);
    fs::write(session.path("journal"), "in the way").unwrap();
    assert!(session.start_by(&[]).starts_with("error: cannot open the journal"));
    assert_eq!(session.ended().0.code(), Some(1));
}

#[test]
fn a_program_that_cannot_be_started_is_a_record() {
    for (program, directory, reason) in [
        ("/no/such/program", "/", "cannot start /no/such/program: No such file"),
        ("/bin/cat", "/no/such/place", "cannot enter the directory /no/such/place: No such file"),
        ("/bin/cat", "/bin/cat", "/bin/cat is not a directory"),
        ("/etc/passwd", "/", "cannot start /etc/passwd: Permission denied"),
    ] {
        let mut session = Session::of(program, &[]);
        session.launch.directory = directory.into();
        let mut controller = session.start();
        let records = session.records_to_the_end(&mut controller);
        let failed = SpawnFailed::decode(&records[0].payload).unwrap();
        assert_eq!(failed.launch, 1);
        assert!(failed.reason.starts_with(reason), "{}", failed.reason);
        assert_eq!(controller.status(), (None, true, 0));
        controller.send(&ToHost::Release);
        assert!(session.ended().0.success());
    }
}

#[test]
fn the_directory_can_have_any_name() {
    let mut session = Session::of("/bin/pwd", &["-P"]);
    let directory = session.path("x").with_file_name(OsStr::from_bytes(b"two words\nand \xff a line"));
    fs::create_dir(&directory).unwrap();
    let expected = [fs::canonicalize(&directory).unwrap().as_os_str().as_bytes(), b"\n"].concat();
    session.launch.directory = directory;
    let mut controller = session.start();
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(bytes_of(&records, Kind::Output), expected);
}

#[test]
fn environment_and_arguments_are_exactly_those_of_the_launch() {
    let odd = OsString::from_vec(b"new\nline = \xfe".to_vec());
    let mut session = Session::of("/usr/bin/env", &["-0"]);
    session.launch.environment.push(("ODD".into(), odd.clone()));
    session.launch.environment.push(("EMPTY".into(), "".into()));
    let expected: BTreeSet<Vec<u8>> = session
        .launch
        .environment
        .iter()
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .collect();
    let mut controller = session.start();
    let output = bytes_of(&session.records_to_the_end(&mut controller), Kind::Output);
    let seen: BTreeSet<Vec<u8>> =
        output.strip_suffix(b"\0").unwrap().split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    assert_eq!(seen, expected);

    let mut session = Session::of("/usr/bin/printf", &["%s\\0", "", "a b"]);
    session.launch.arguments.push(odd.clone());
    let mut controller = session.start();
    let output = bytes_of(&session.records_to_the_end(&mut controller), Kind::Output);
    assert_eq!(output, [b"\0a b\0", odd.as_bytes(), b"\0"].concat());
}

#[test]
fn claude_gets_nothing_from_the_starter_but_its_umask() {
    let mut session = Session::shell("cat /proc/self/status; umask; ls /proc/self/fd");
    // As a shell does for background processes, and as editors do that leave descriptors open.
    let script = "umask 027; trap '' INT QUIT HUP CHLD; exec 7</dev/null; exec \"$@\"";
    assert_eq!(session.start_by(&["/bin/sh", "-c", script, "sh"]), "ready\n");
    let mut controller = session.connect();
    let records = session.records_to_the_end(&mut controller);
    let output = String::from_utf8(bytes_of(&records, Kind::Output)).unwrap();
    for set in ["SigBlk:\t", "SigIgn:\t"] {
        let (_, rest) = output.split_once(set).unwrap();
        let signals = u64::from_str_radix(rest.lines().next().unwrap(), 16).unwrap();
        // The C library reserves signals 32 and 33.
        assert_eq!(signals & !(0b11 << 31), 0, "{set}{signals:x}");
    }
    // The fourth descriptor is the listing's own.
    assert!(output.ends_with("\n0027\n0\n1\n2\n3\n"), "{output}");
}

#[test]
fn much_goes_through_in_both_directions_and_the_journal_rotates() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let block: Vec<u8> = (0..20_000_000_u32).map(|n| (n / 7) as u8).collect();
    controller.write(&block[..]);
    let heard = controller.output(&mut session.journal(), block.len());
    assert!(heard == block);
    assert_eq!(controller.status().2, 0);
    assert!(fs::read_dir(session.path("journal")).unwrap().count() > 1);
}

#[test]
fn input_that_claude_does_not_read_is_bounded_and_does_not_hold_up_a_stop() {
    let mut session = Session::of("/bin/sleep", &["1000"]);
    let mut controller = session.start();
    controller.write(vec![b'x'; 50_000_000]);
    assert!(controller.status().2 > 40_000_000);
    controller.write(vec![b'x'; 50_000_000]);
    assert!(controller.refusal().contains("not read"));
    controller.send(&ToHost::Stop { close_grace_ms: 20, kill_grace_ms: 60_000 });
    assert_eq!(how_in(&session.records_to_the_end(&mut controller)), How::Signal(15));
}

#[test]
fn a_journal_that_cannot_be_written_delays_claude_and_loses_nothing() {
    let script = "read -r line; head -c 300000 /dev/zero; echo done; cat";
    let mut session = Session::shell(script);
    let mut controller = session.start();
    session.limit_files("100000");
    controller.write("go\n");
    let mut journal = session.journal();
    let records = controller
        .records_until(&mut journal, |records| length_of(records, Kind::Output) + (64 << 10) > 99_000);
    assert!(controller.stall().is_some_and(|why| why.contains("too large")));
    controller.write(format!("{}\n", "x".repeat(100_000)));
    controller.write("kept in order\n");
    assert!(controller.status().0.is_some());
    session.limit_files("unlimited");
    assert_eq!(controller.stall(), None);
    let missing = 300_005 - bytes_of(&records, Kind::Output).len() + 100_001 + 14;
    let rest = controller.output(&mut journal, missing);
    assert_eq!(rest.len(), missing);
    assert!(rest.ends_with(b"x\nkept in order\n"));
    controller.write("again\n");
    assert_eq!(controller.output(&mut journal, 6), b"again\n");
}

#[test]
fn orders_that_wait_for_the_journal_are_dropped_when_another_daemon_connects_which_sends_them_again() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut first = session.start();
    session.limit_files("10");
    first.write("once\n");
    assert!(first.stall().is_some());
    drop(first);
    let mut second = session.connect();
    assert!(second.stall().is_some(), "the next daemon gets the report too");
    second.write("once\n");
    session.limit_files("unlimited");
    assert_eq!(second.stall(), None);
    assert_eq!(second.output(&mut session.journal(), 5), b"once\n");
    assert_eq!(second.status().2, 0);
    let mut journal = session.journal();
    let inputs = std::iter::from_fn(|| journal.next().unwrap()).filter(|record| record.kind == Kind::Input);
    assert_eq!(inputs.count(), 1);
}

#[test]
fn a_daemon_of_the_first_contract_gets_no_frame_that_it_does_not_know() {
    let mut session = Session::of("/bin/cat", &[]);
    drop(session.start());
    let mut old = session.connect_silently();
    old.send(&ToHost::Hello { contract: 1, key: session.key.clone() });
    assert!(matches!(old.receive(), Some(FromHost::Welcome { contract: 1, .. })));
    session.limit_files("10");
    old.write("later\n");
    old.send(&ToHost::Status);
    assert!(matches!(old.receive(), Some(FromHost::State { exited: false, .. })));
    session.limit_files("unlimited");
    assert_eq!(old.output(&mut session.journal(), 6), b"later\n");
}

#[test]
fn an_end_with_a_journal_that_cannot_be_written_is_recorded_later() {
    let mut session = Session::shell("read -r line; head -c 300000 /dev/zero; exit 5");
    let mut controller = session.start();
    // Room for the start and nothing more.
    session.limit_files("50");
    controller.send(&ToHost::Stop { close_grace_ms: 200, kill_grace_ms: 200 });
    controller.send(&ToHost::Release);
    assert!(controller.refusal().contains("not ended"));
    // The shell is gone, or will be, and its end waits to be recorded.
    while controller.status().0.is_some() {}
    assert!(!controller.status().1);
    session.limit_files("unlimited");
    let records = session.records_to_the_end(&mut controller);
    assert_eq!(signals_in(&records), [15]);
    assert_eq!(how_in(&records), How::Signal(15));
    assert!(controller.status().1);
}
