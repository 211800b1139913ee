//! The screen of a terminal, for any output, any split of it, and viewers that attach at any time.
//!
//! The first two bytes are the size, the rest is the output. In it, 0xff is an escape: with `r` and a size (two bytes)
//! it resizes the screen, a second 0xff is literal, and before any other byte a viewer attaches.

#![no_main]

use areyouj_fuzz::input::Input;
use areyouj_fuzz::memory::Counting;
use areyouj_host::fuzz::{observed, repeat_as};
use areyouj_host::screen::{Screen, Size};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// The size of a cell in bytes, and the maximum number of screens at a time: both screens, and one of them again with
/// another size.
const CELL_BYTES: usize = 16;
const SCREENS: usize = 3;

/// The memory in bytes without cells: 1,024 links of a kilobyte and 4,096 combined characters, both twice while the
/// tables are compacted; colours and a title.
const OTHER_BYTES: usize = 4 << 20;

/// The maximum number of viewers: more find nothing new, and each takes as long as the first.
const VIEWERS_MAX: usize = 8;

/// An action on a screen.
#[derive(Debug)]
enum Action {
    Write(Vec<u8>),
    Resize(Size),
    Attach,
}

fn size(input: &mut Input<'_>) -> Size {
    Size::new(u16::from(input.byte() % 132), u16::from(input.byte() % 50))
}

fn actions(mut input: Input<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut written = Vec::new();
    while !input.is_empty() {
        let action = match input.byte() {
            0xff => match input.byte() {
                0xff => {
                    written.push(0xff);
                    continue;
                }
                b'r' => Action::Resize(size(&mut input)),
                other => {
                    actions.extend([Action::Write(std::mem::take(&mut written)), Action::Attach]);
                    written.push(other);
                    continue;
                }
            },
            other => {
                written.push(other);
                continue;
            }
        };
        actions.extend([Action::Write(std::mem::take(&mut written)), action]);
    }
    actions.extend([Action::Write(written), Action::Attach]);
    actions
}

/// Checks that a viewer that attaches now has the same screen, and returns that screen.
fn attached(screen: &Screen) -> Screen {
    let repaint = screen.repaint();
    let mut fresh = Screen::new(screen.size());
    fresh.feed(&repaint);
    assert_equal(screen, &fresh, "a screen and its repaint");
    let again = fresh.repaint();
    assert!(again == repaint, "repainted twice:\n{}\n{}", again.escape_ascii(), repaint.escape_ascii());
    repeat_as(&mut fresh, screen);
    fresh
}

fn assert_equal(one: &Screen, other: &Screen, what: &str) {
    assert_equal_lines(&observed(one), &observed(other), what);
}

fn assert_equal_lines(one: &[String], other: &[String], what: &str) {
    if let Some((one, other)) = one.iter().zip(other).find(|(one, other)| one != other) {
        panic!("{what} differ:\n{one}\n{other}");
    }
    assert_eq!(one.len(), other.len(), "{what}");
}

/// Everything except the strings that commands set: parsers accept the beginning of an interrupted one.
fn without_strings(screen: &Screen) -> Vec<String> {
    observed(screen).into_iter().filter(|line| !line.starts_with("Strings")).collect()
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let first = size(&mut input);
    let actions = actions(input);
    let largest = actions.iter().fold(
        usize::from(first.columns) * usize::from(first.rows),
        |most, action| match action {
            Action::Resize(size) => most.max(usize::from(size.columns) * usize::from(size.rows)),
            _ => most,
        },
    );

    let (peak, mut whole) = MEMORY.peak_during(|| {
        let mut whole = Screen::new(first);
        for action in &actions {
            match action {
                Action::Write(bytes) => whole.feed(bytes),
                Action::Resize(size) => whole.resize(*size),
                Action::Attach => {}
            }
        }
        whole
    });
    assert!(peak <= SCREENS * CELL_BYTES * largest + OTHER_BYTES, "{peak} bytes for {largest} cells");

    let mut bytewise = Screen::new(first);
    let mut viewers: Vec<Screen> = Vec::new();
    // Receives nothing between two attaches, and then the whole screen, drawn over its previous contents.
    let mut lagging = Screen::new(first);
    for action in &actions {
        let all = std::iter::once(&mut bytewise).chain(&mut viewers);
        match action {
            Action::Write(bytes) => {
                all.for_each(|screen| bytes.iter().for_each(|byte| screen.feed(&[*byte])));
            }
            Action::Resize(size) => all.chain([&mut lagging]).for_each(|screen| screen.resize(*size)),
            Action::Attach if viewers.len() < VIEWERS_MAX => {
                let viewer = attached(&bytewise);
                lagging.feed(&bytewise.repaint());
                let what = "a screen and a repainted one with older contents";
                assert_equal_lines(&without_strings(&bytewise), &without_strings(&lagging), what);
                viewers.push(viewer);
            }
            Action::Attach => {}
        }
    }
    assert_equal(&whole, &bytewise, "output at once and byte by byte");
    for viewer in &viewers {
        assert_equal(&whole, viewer, "the screen and that of a viewer");
    }

    // Detaching restores the terminal.
    whole.feed(Screen::farewell());
    let detached = observed(&whole);
    let line = |prefix: &str| detached.iter().find(|line| line.starts_with(prefix));
    assert_eq!(line("primary"), None, "the alternate screen is not active");
    let keyboard = line("Keyboard").expect("a line for the keyboard");
    assert!(keyboard.contains("shown: [0], other: []"), "{keyboard}");
});
