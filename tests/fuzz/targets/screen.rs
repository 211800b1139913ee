//! The screen of a terminal: whatever is written to it, wherever that is cut, and whoever comes at whatever moment.
//!
//! The first two bytes are the size, the rest is what is written. In it 0xff cuts: a size (two bytes) that the screen is
//! given follows `r`, 0xff itself follows 0xff; before anything else somebody comes to look.

#![no_main]

use areyouj_fuzz::input::Input;
use areyouj_fuzz::memory::Counting;
use areyouj_host::fuzz::{observed, repeat_as};
use areyouj_host::screen::{Screen, Size};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// Bytes of a cell, and how many screens there are at a time: both, and one of them once more in another size.
const CELL: usize = 16;
const SCREENS: usize = 3;

/// Everything beside cells: 1,024 links of a kilobyte, 4,096 characters with others over them, twice while the tables are
/// tidied up; colours and a title.
const BESIDE: usize = 4 << 20;

/// Who comes later than this sees nothing new, and each takes as long as the first.
const LOOKS: usize = 8;

/// What happens to a screen.
#[derive(Debug)]
enum Act {
    Write(Vec<u8>),
    Resize(Size),
    Look,
}

fn size(input: &mut Input<'_>) -> Size {
    Size::new(u16::from(input.byte() % 132), u16::from(input.byte() % 50))
}

fn acts(mut input: Input<'_>) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut written = Vec::new();
    while !input.is_empty() {
        let act = match input.byte() {
            0xff => match input.byte() {
                0xff => {
                    written.push(0xff);
                    continue;
                }
                b'r' => Act::Resize(size(&mut input)),
                other => {
                    acts.extend([Act::Write(std::mem::take(&mut written)), Act::Look]);
                    written.push(other);
                    continue;
                }
            },
            other => {
                written.push(other);
                continue;
            }
        };
        acts.extend([Act::Write(std::mem::take(&mut written)), act]);
    }
    acts.extend([Act::Write(written), Act::Look]);
    acts
}

/// Checks that who comes now is shown this very screen, and returns theirs.
fn shown(screen: &Screen) -> Screen {
    let repaint = screen.repaint();
    let mut fresh = Screen::new(screen.size());
    fresh.feed(&repaint);
    alike(screen, &fresh, "a screen and its repaint");
    let again = fresh.repaint();
    assert!(again == repaint, "repainted twice:\n{}\n{}", again.escape_ascii(), repaint.escape_ascii());
    repeat_as(&mut fresh, screen);
    fresh
}

fn alike(one: &Screen, other: &Screen, what: &str) {
    same(&observed(one), &observed(other), what);
}

fn same(one: &[String], other: &[String], what: &str) {
    if let Some((one, other)) = one.iter().zip(other).find(|(one, other)| one != other) {
        panic!("{what} differ:\n{one}\n{other}");
    }
    assert_eq!(one.len(), other.len(), "{what}");
}

/// All but what commands set: of one that was cut off parsers take what came.
fn without_strings(screen: &Screen) -> Vec<String> {
    observed(screen).into_iter().filter(|line| !line.starts_with("Strings")).collect()
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let first = size(&mut input);
    let acts = acts(input);
    let largest =
        acts.iter().fold(usize::from(first.columns) * usize::from(first.rows), |most, act| match act {
            Act::Resize(size) => most.max(usize::from(size.columns) * usize::from(size.rows)),
            _ => most,
        });

    let (most, mut whole) = MEMORY.most_during(|| {
        let mut whole = Screen::new(first);
        for act in &acts {
            match act {
                Act::Write(bytes) => whole.feed(bytes),
                Act::Resize(size) => whole.resize(*size),
                Act::Look => {}
            }
        }
        whole
    });
    assert!(most <= SCREENS * CELL * largest + BESIDE, "{most} bytes for {largest} cells");

    let mut pieces = Screen::new(first);
    let mut lookers: Vec<Screen> = Vec::new();
    // Sees nothing between two looks, and has the whole screen painted over what it saw last.
    let mut laggard = Screen::new(first);
    for act in &acts {
        let everybody = std::iter::once(&mut pieces).chain(&mut lookers);
        match act {
            Act::Write(bytes) => {
                everybody.for_each(|screen| bytes.iter().for_each(|byte| screen.feed(&[*byte])));
            }
            Act::Resize(size) => everybody.chain([&mut laggard]).for_each(|screen| screen.resize(*size)),
            Act::Look if lookers.len() < LOOKS => {
                let looker = shown(&pieces);
                laggard.feed(&pieces.repaint());
                let what = "a screen and one that showed what stood there before";
                same(&without_strings(&pieces), &without_strings(&laggard), what);
                lookers.push(looker);
            }
            Act::Look => {}
        }
    }
    alike(&whole, &pieces, "what was fed at once and byte by byte");
    for looker in &lookers {
        alike(&whole, looker, "who was there and who came later");
    }

    // Whoever leaves has a terminal as it was before.
    whole.feed(Screen::farewell());
    let left = observed(&whole);
    let line = |begins: &str| left.iter().find(|line| line.starts_with(begins));
    assert_eq!(line("primary"), None, "the alternate screen is left");
    let keyboard = line("Keyboard").expect("a line of the keyboard");
    assert!(keyboard.contains("shown: [0], other: []"), "{keyboard}");
});
