//! Terminals that are flooded: with plain output, with sequences that terminals choke on, with sizes and with viewers
//! that come and leave. Nothing is missing from the journal, the host's memory stays within its limit, every viewer
//! ends with the screen of one that never lagged, and another session answers meanwhile.

use std::fs;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use areyouj_host::launch::Sizing;
use areyouj_host::screen::{self, Screen};
use areyouj_host::wire::{FromHost, MAX_FRAME, Size, ToHost};
use areyouj_journal::{Kind, Reader, Record};

use crate::session::{Controller, Session};
use crate::viewer::{SIZE, Viewer, at_terminal};

/// The end of each flood: whatever was output before, this is in the first cell then.
const END: &[u8] = "\x18\x1b(B\x0f\x1b[m\x1b[?6l\x1b[r\x1b[H✓".as_bytes();

/// Memory limit of a host with a terminal of ordinary size: itself, its screen, and pieces of output and of the
/// journal.
const BASE: u64 = 2 << 20;

/// Additional memory for a viewer: it can be 2 MiB behind, and a buffer that grows to that can be twice as large.
const BY_VIEWER: u64 = 5 << 20;

/// Each program prints this once it is ready for a key.
const READY: &[u8] = b">";

/// A session whose program waits for a key, prints the file `flood` so many times, then [`END`], and waits for two
/// keys.
fn flooding(flood: &[u8], times: usize) -> Session {
    let script = "i=0; while [ $i -lt $1 ]; do cat \"$0\"/flood || exit; i=$((i+1)); done";
    let mut session = at_a_key(script, Sizing::Latest);
    session.launch.arguments.push(times.to_string().into());
    fs::write(session.path("flood"), flood).unwrap();
    session
}

/// A session whose program writes numbers from one key to the next, then [`END`], and waits for two keys.
fn counting(sizing: Sizing) -> Session {
    at_a_key("seq -f '%.0f' 1 999999999 & head -c 1 >/dev/null; kill $!; wait", sizing)
}

/// A session whose program does this after a key, then writes [`END`], and waits for two keys.
fn at_a_key(act: &str, sizing: Sizing) -> Session {
    let key = "head -c 1 >/dev/null";
    let script = format!("stty raw -echo; printf '>'; {key}; {act}; cat \"$0\"/end; {key}; {key}");
    let mut session = at_terminal(&script, sizing);
    let home = session.path("");
    session.launch.arguments.push(home.into_os_string());
    fs::write(session.path("end"), END).unwrap();
    session
}

fn ready(viewer: &Viewer) -> bool {
    viewer.screen.rows_text()[0].starts_with('>')
}

fn ended(viewer: &Viewer) -> bool {
    viewer.screen.rows_text()[0].starts_with('✓')
}

/// Another session, and its user.
struct Bystander {
    _session: Session,
    viewer: Viewer,
    questions: usize,
}

impl Bystander {
    fn new() -> Bystander {
        let script = "while read -r line; do echo \"heard $line\"; done";
        let mut session = at_terminal(script, Sizing::Smallest);
        session.start();
        let viewer = Viewer::of(&session, SIZE, false);
        Bystander { _session: session, viewer, questions: 0 }
    }

    /// Sends a line and waits for the answer.
    fn answers(&mut self) {
        self.questions += 1;
        self.viewer.types(&format!("{}\r", self.questions));
        self.viewer.waits_for(&format!("heard {}", self.questions));
    }
}

/// The largest amount of memory that the host has had: its resident memory without that of files, which only grows.
fn most_memory(session: &Session) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", session.host_pid())).unwrap();
    let bytes = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    bytes("VmHWM:").saturating_sub(bytes("RssFile:"))
}

#[track_caller]
fn assert_memory(session: &Session, most: u64) {
    let memory = most_memory(session);
    assert!(memory <= most, "{} kB of at most {} kB", memory >> 10, most >> 10);
}

/// Follows a session's journal until it is enough, and lets the host delete what was read.
fn follow(
    controller: &mut Controller,
    mut journal: Reader,
    mut is_enough: impl FnMut(&Record) -> bool,
    mut at_times: impl FnMut(),
) {
    controller.send(&ToHost::Subscribe { from: journal.offset() });
    loop {
        let FromHost::Appended { end } = controller.receive().expect("more records") else { continue };
        while let Some(record) = journal.next_below(end).unwrap() {
            if is_enough(&record) {
                return;
            }
        }
        controller.send(&ToHost::Ingested { offset: journal.offset() });
        at_times();
    }
}

/// The screen of a viewer that never lagged: the journal in order.
fn screen_of(session: &Session) -> Screen {
    let mut journal = session.journal();
    let mut screen = Screen::new(screen::Size::new(80, 24));
    while let Some(record) = journal.next().unwrap() {
        apply(&mut screen, &record);
    }
    screen
}

fn apply(screen: &mut Screen, record: &Record) {
    match (record.kind, &record.payload[..]) {
        (Kind::Output, bytes) => screen.feed(bytes),
        (Kind::Resized, &[a, b, c, d]) => {
            screen.resize(screen::Size::new(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])));
        }
        _ => {}
    }
}

/// All output of the program, from a journal of which nothing was deleted.
fn written(session: &Session) -> Vec<u8> {
    let mut journal = session.journal();
    let records = std::iter::from_fn(|| journal.next().unwrap());
    records.filter(|record| record.kind == Kind::Output).flat_map(|record| record.payload).collect()
}

/// All that a new viewer gets: cells, cursor, modes, title, and the incomplete sequence; and its text, for people.
fn shown(screen: &Screen) -> (Vec<String>, String) {
    (screen.rows_text(), screen.repaint().escape_ascii().to_string())
}

/// A megabyte as a long build prints it: mostly plain lines, with colours, wide characters, and bytes that are not
/// UTF-8.
fn megabyte() -> Vec<u8> {
    let mut bytes = b"\x1bc".to_vec();
    let mut number = 0;
    while bytes.len() < 1_000_000 {
        number += 1;
        let line = match number % 20 {
            0 => format!("\x1b[32m   Compiling\x1b[0m package-{number} v0.{}.1\r\n", number % 90),
            5 => format!("\x1b[38;5;{}m中文 🎉 e\u{301}\x1b[m {number}\r\n", number % 256),
            10 => format!("\x1b[K[{number}/9999] \x1b[1mlinking\x1b[22m\r"),
            15 => format!("{}\r\n", "0123456789".repeat(12)),
            _ => format!("{number:08} {}\r\n", "plain text ".repeat(number % 23)),
        };
        bytes.extend_from_slice(line.as_bytes());
        if number % 50 == 0 {
            bytes.extend_from_slice(b"\xff\xfe \xe4\xb8 \xf0\x9f\r\n");
        }
    }
    bytes.truncate(1_000_000);
    bytes
}

#[test]
fn half_a_gigabyte_is_recorded_and_shown_within_bounds_while_another_session_answers() {
    const TIMES: usize = 500;
    let flood = megabyte();
    let mut session = flooding(&flood, TIMES);
    let mut controller = session.start();
    let mut bystander = Bystander::new();
    let mut stopped = Viewer::of(&session, SIZE, true);
    let reading = Viewer::connection(&session, SIZE, false);
    let journal = session.journal();
    let mut checksum = crc32fast::Hasher::new();
    let reading = thread::spawn(move || {
        let mut reading = Viewer::at(reading, SIZE);
        reading.until(ready);
        reading.types("x");
        reading.until(ended);
        // Every key is in the journal, and so is all output before it by then.
        reading.types("x");
        shown(&reading.screen)
    });
    let mut length = 0;
    let is_enough = |record: &Record| {
        if record.kind == Kind::Output {
            checksum.update(&record.payload);
            length += record.payload.len();
        }
        length >= READY.len() + TIMES * flood.len() + END.len()
    };
    follow(&mut controller, journal, is_enough, || bystander.answers());
    assert!(bystander.questions > 50, "{}", bystander.questions);
    let mut expected = crc32fast::Hasher::new();
    expected.update(READY);
    (0..TIMES).for_each(|_| expected.update(&flood));
    expected.update(END);
    assert_eq!(checksum.finalize(), expected.finalize(), "the journal has every byte");
    assert_memory(&session, BASE + 2 * BY_VIEWER);
    // Each repetition begins with a reset, so the last one determines the screen.
    let mut never_lagged = Screen::new(screen::Size::new(SIZE.columns, SIZE.rows));
    never_lagged.feed(&flood);
    never_lagged.feed(END);
    stopped.until(ended);
    assert!(stopped.received < 8 << 20, "it missed output");
    assert_eq!(shown(&stopped.screen), shown(&never_lagged));
    assert_eq!(reading.join().unwrap(), shown(&never_lagged));
}

#[test]
fn a_viewer_that_is_always_behind_and_never_stops_costs_no_more_than_its_bound() {
    const BURST: usize = 512 << 10;
    let script = "stty raw -echo; printf '>'; while head -c 1 >/dev/null; do head -c 524288 /dev/zero | tr '\\0' .; done";
    let mut session = at_terminal(script, Sizing::Smallest);
    session.start();
    let mut slow = Viewer::of(&session, SIZE, true);
    let mut quick = Viewer::of(&session, SIZE, false);
    quick.until(ready);
    let mut burst = |number: usize| {
        quick.types("x");
        quick.until(|viewer| viewer.received >= number * BURST);
    };
    // It always has something to read between two bursts.
    burst(1);
    for number in 2..50 {
        burst(number);
        slow.until(|viewer| viewer.received >= (number - 1) * BURST);
        assert_eq!(slow.paints, 1, "it misses nothing");
    }
    assert_memory(&session, BASE + 2 * BY_VIEWER);
}

#[test]
fn a_thousand_come_and_go_while_output_flows_and_everything_is_recorded_in_order() {
    let mut session = counting(Sizing::Smallest);
    let mut controller = session.start();
    let mut stopped = Viewer::of(&session, SIZE, true);
    let staying = Viewer::connection(&session, SIZE, false);
    let journal = session.journal();
    let over = AtomicBool::new(false);
    let recorded = AtomicU64::new(0);
    let mut expected = Numbers::default();
    let mut never_lagged = Screen::new(screen::Size::new(SIZE.columns, SIZE.rows));
    thread::scope(|scope| {
        let session = &session;
        let (over, recorded) = (&over, &recorded);
        let coming_and_going = scope.spawn(move || {
            let mut bystander = Bystander::new();
            // However fast viewers attach here, much output flows meanwhile.
            let is_enough = |number| number >= 1_000 && recorded.load(Ordering::Relaxed) > 1_000_000;
            for number in (0..).take_while(|number| !is_enough(*number)) {
                let connection = Viewer::connection(session, SIZE, number % 2 == 0);
                // A third leaves before it was shown anything.
                if number % 3 > 0 {
                    Viewer::at(connection, SIZE).until(|viewer| viewer.paints > 0);
                }
                if number % 20 == 0 {
                    bystander.answers();
                }
            }
            over.store(true, Ordering::Release);
        });
        let staying = scope.spawn(move || {
            let mut staying = Viewer::at(staying, SIZE);
            staying.until(ready);
            staying.types("x");
            staying.until(|_| over.load(Ordering::Acquire));
            staying.types("x");
            staying.until(ended);
            staying.types("x");
            shown(&staying.screen)
        });
        let is_enough = |record: &Record| {
            if record.kind == Kind::Output {
                expected.take(&record.payload);
                recorded.store(expected.next, Ordering::Relaxed);
            }
            apply(&mut never_lagged, record);
            expected.are_over()
        };
        follow(&mut controller, journal, is_enough, || ());
        coming_and_going.join().unwrap();
        stopped.until(ended);
        assert_eq!(shown(&stopped.screen), shown(&never_lagged));
        assert_eq!(staying.join().unwrap(), shown(&never_lagged));
    });
    assert!(expected.next > 1_000_000, "{}", expected.next);
    // Of a thousand, only a few at a time have left without the host's notice.
    assert_memory(&session, BASE + 8 * BY_VIEWER);
    assert!(fs::read_dir(format!("/proc/{}/fd", session.host_pid())).unwrap().count() < 24);
}

/// Consecutive numbers, one a line, from [`READY`] up to where [`END`] interrupted them.
#[derive(Default)]
struct Numbers {
    next: u64,
    line: Vec<u8>,
}

impl Numbers {
    fn are_over(&self) -> bool {
        self.line.ends_with(END)
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = std::str::from_utf8(&line).unwrap();
            assert_eq!(line.trim_start_matches('>').parse(), Ok(self.next + 1));
            self.next += 1;
        }
    }
}

/// Of more links on one screen than the tables hold, a later viewer gets only some.
const MORE_LINKS: &str = "more links than are kept";

/// Sequences that terminals choke on, by name.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |sequence: &str, times: usize| sequence.repeat(times).into_bytes();
    let text = "abc 中文 e\u{301} \x1b[31mred\x1b[m\r\n";
    let numbered = |times: u32, sequence: fn(u32) -> String| -> Vec<u8> {
        (0..times).flat_map(|number| sequence(number).into_bytes()).collect()
    };
    let endless = |begin: &str, bytes: usize| [begin.as_bytes(), &vec![b'7'; bytes]].concat();
    let junk: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    vec![
        ("an endless command", endless("\x1b]2;", 2 << 20)),
        ("an endless device control string", endless("\x1bPq#0;2;0;0;0", 2 << 20)),
        ("an endless application command", endless("\x1b_G", 2 << 20)),
        ("an endless control sequence", endless("\x1b[", 1 << 20)),
        ("endless parameters", [&b"\x1b["[..], &b"1;".repeat(500_000)].concat()),
        ("endless sub-parameters", [&b"\x1b[38"[..], &b":2".repeat(500_000), b"m"].concat()),
        ("huge repetitions", numbered(500, |n| format!("{}\x1b[99999999b", (b'a' + (n % 26) as u8) as char))),
        ("huge scrolls", repeated("x\r\n\x1b[1000000S\x1b[1000000T\x1b[999999999L\x1b[999999999M", 2_000)),
        (
            "huge regions",
            repeated("\x1b[0;99999999r\x1b[99999999;1r\x1b[5;6r\x1b[99999999Hx\n\n\x1bM\x1bM", 2_000),
        ),
        (
            "huge insertions",
            repeated("\x1b[99999999@\x1b[99999999P\x1b[99999999X\x1b[99999999I\x1b[99999999Zx", 2_000),
        ),
        (
            "screens that take turns",
            repeated("\x1b[?1049hx\x1b[?47lx\x1b[?1047h\x1b7\x1b[?1049l\x1b8", 5_000),
        ),
        ("towers on one cell", [b"e".to_vec(), repeated("\u{301}\u{20dd}", 100_000)].concat()),
        ("towers on every cell", repeated("o\u{308}\u{323}", 100_000)),
        (
            "a flood of titles",
            numbered(6_000, |n| format!("\x1b]0;{n}{}\x07\x1b]2;{n}\x1b\\", "t".repeat(80))),
        ),
        (
            "a flood of colours",
            numbered(20_000, |n| format!("\x1b]4;{};#{n:06x}\x07\x1b]10;#{n:06x}\x1b\\", n % 300)),
        ),
        (
            "a flood of links",
            numbered(3_000, |n| {
                format!("\x1b]8;id={n};http://x/{n}/{}\x07link\x1b[58;5;{}m", "l".repeat(400), n % 256)
            }),
        ),
        (
            "keyboards on keyboards",
            repeated("\x1b[>31u\x1b[?1049h\x1b[>1u\x1b[=5;2u\x1b[<99999999u\x1b[?1049l", 5_000),
        ),
        ("sequences in sequences", repeated("\x1b]\x1bP\x1b[\x1b_\x1b^\x1bX", 20_000)),
        (
            "pictures",
            [repeated("\x1bPq#1!255~-\x1b\\", 10_000), repeated("\x1b_Ga=T;QUJD\x1b\\", 10_000)].concat(),
        ),
        (
            "control characters of the upper half",
            repeated("\u{9b}31m\u{90}q\u{9c}\u{9d}2;x\u{9c}\u{85}", 10_000),
        ),
        (
            "bare bytes of the upper half",
            [&b"\x9b31m\x90q\x9c\x9d2;x\x9c\x85\xff\xc0\xaf\xed\xa0\x80"[..]; 5_000].concat(),
        ),
        (
            "characters that are cut",
            [&"中文🎉é".as_bytes()[..7], b"\x1b[m", &"🎉".as_bytes()[..3], b"x\n"].concat().repeat(20_000),
        ),
        ("random bytes", junk),
        (MORE_LINKS, numbered(4_000, |n| format!("\x1b]8;;http://x/{n}\x07x"))),
        ("sense among it all", repeated(text, 5_000)),
    ]
}

#[test]
fn nothing_that_terminals_choke_on_is_lost_or_costs_more_than_its_bound() {
    let mut bystander = Bystander::new();
    for (name, bomb) in bombs() {
        for (columns, rows) in [(80, 24), (1, 1)] {
            let size = Size { columns, rows };
            let mut session = flooding(&bomb, 1);
            let mut controller = session.start();
            let mut stopped = Viewer::of(&session, size, true);
            let mut reading = Viewer::of(&session, size, false);
            reading.until(ready);
            reading.types("x");
            bystander.answers();
            reading.until(ended);
            let late = Viewer::of(&session, size, false);
            stopped.until(ended);
            let always = screen_of(&session);
            for viewer in [&reading, &late, &stopped] {
                assert_eq!(viewer.screen.rows_text(), always.rows_text(), "{name}");
                let alike = viewer.screen.repaint() == always.repaint();
                assert!(alike || name == MORE_LINKS, "{name} looks otherwise");
            }
            assert!(
                written(&session) == [READY, &bomb, END].concat(),
                "{name} is not in the journal as it was"
            );
            let memory = most_memory(&session);
            assert!(memory <= BASE + 3 * BY_VIEWER, "{name}: {} kB", memory >> 10);
            drop(late);
            reading.types("xx");
            session.records_to_the_end(&mut controller);
        }
    }
}

#[test]
fn a_storm_of_sizes_loses_nothing_and_ends_with_one_screen_for_all() {
    let mut session = counting(Sizing::Latest);
    let mut controller = session.start();
    let mut bystander = Bystander::new();
    let mut stopped = Viewer::of(&session, SIZE, true);
    let mut reading = Viewer::of(&session, SIZE, false);
    let storm = Viewer::of(&session, SIZE, false);
    let mut resizing = storm.connection.stream.try_clone().unwrap();
    let mut storm_reads = storm.connection.stream;
    reading.until(ready);
    reading.types("x");
    reading.until(|viewer| viewer.received > 1 << 16);
    let drain = thread::spawn(move || std::io::copy(&mut storm_reads, &mut std::io::sink()));
    for number in 0..2_000_u16 {
        // Of an odd width, so that it is not the last one yet.
        let size =
            Size { columns: number.wrapping_mul(7_919) % 105 * 2 + 1, rows: number.wrapping_mul(104) % 70 };
        let mut frame = Vec::new();
        ToHost::Resize(size).encode(&mut frame);
        std::io::Write::write_all(&mut resizing, &frame).unwrap();
        if number % 20 == 0 {
            // Until the host has processed this.
            controller.status();
            bystander.answers();
        }
    }
    resizing.shutdown(Shutdown::Both).unwrap();
    reading.connection.send(&ToHost::Resize(SIZE));
    reading.until(|viewer| viewer.size == SIZE);
    reading.types("x");
    reading.until(ended);
    stopped.until(ended);
    let always = screen_of(&session);
    assert_eq!(shown(&reading.screen), shown(&always));
    assert_eq!(shown(&stopped.screen), shown(&always));
    let mut numbers = Numbers::default();
    numbers.take(&written(&session));
    assert!(numbers.next > 10_000, "{}", numbers.next);
    assert_memory(&session, BASE + 3 * BY_VIEWER);
    assert!(numbers.are_over());
    reading.types("xx");
    session.records_to_the_end(&mut controller);
    drain.join().unwrap().unwrap();
}

#[test]
fn a_new_viewer_gets_the_largest_screen_though_it_exceeds_a_frame() {
    let size = Size { columns: 1_000, rows: 1_000 };
    // Each cell has another style than the one before, in as many ways as there are.
    let mut flood = b"\x1b[1;2;3;5;7;8;9;53;4:5;48;2;255;255;255;58:2::255:255:255m".to_vec();
    for number in 0..1_000_000 {
        flood.extend_from_slice(if number % 2 == 0 { b"\x1b[38;5;201m" } else { b"\x1b[38;5;202m" });
        flood.extend_from_slice("é".as_bytes());
    }
    let mut session = flooding(&flood, 1);
    let mut controller = session.start();
    let mut stopped = Viewer::of(&session, size, false);
    stopped.until(ready);
    stopped.types("x");
    let mut journal = session.journal();
    let mut missing = READY.len() + flood.len() + END.len();
    while missing > 0 {
        controller.status();
        while let Some(record) = journal.next().unwrap() {
            missing -= if record.kind == Kind::Output { record.payload.len() } else { 0 };
        }
    }
    let mut screen = Screen::new(screen::Size::new(size.columns, size.rows));
    [READY, &flood, END].iter().for_each(|bytes| screen.feed(bytes));
    let expected = screen.repaint();
    assert!(expected.len() > MAX_FRAME, "{}", expected.len());
    let mut late = Viewer::connection(&session, size, true);
    let Some(FromHost::Screen { size: told, bytes: mut shown }) = late.receive() else { panic!("no screen") };
    while shown.len() < expected.len() {
        let Some(FromHost::Output(bytes)) = late.receive() else { panic!("no more of the screen") };
        shown.extend_from_slice(&bytes);
    }
    assert_eq!(told, size);
    assert!(shown == expected);
    // Its cells, and its bytes twice: as they are made, and as they wait to be read.
    assert_memory(&session, BASE + 2 * BY_VIEWER + 16_000_000 + 2 * expected.len() as u64);
}
