//! Claude's real output: its screen is the same on both terminals, and for a viewer that attaches at any moment.

use super::super::{Screen, Size};
use super::difference;
use super::peer::{Peer, assert_alike};

/// Claude Code 2.1 from its start over a turn and a question to its end, on 80 by 24.
const CLAUDE: &[u8] = include_bytes!("../recordings/claude.bin");

/// The same with colours, in a smaller terminal, with an interrupted turn.
const INTERRUPTED: &[u8] = include_bytes!("../recordings/interrupted.bin");

/// Moments at which a viewer attaches.
const MOMENTS: usize = 60;

fn moments(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (1..=MOMENTS).map(|moment| moment * bytes.len() / MOMENTS)
}

#[test]
fn claudes_own_screen_is_the_same_on_both() {
    for (bytes, size) in [(CLAUDE, Size::new(80, 24)), (INTERRUPTED, Size::new(60, 16))] {
        let (mut screen, mut peer) = (Screen::new(size), Peer::new(size));
        let mut from = 0;
        for to in moments(bytes) {
            screen.feed(&bytes[from..to]);
            peer.feed(&bytes[from..to]);
            from = to;
            assert_alike(&screen, &peer, b"the recording");
        }
    }
}

#[test]
fn a_viewer_that_attaches_at_any_moment_sees_the_same_as_one_that_was_there_all_the_time() {
    for (bytes, size) in [(CLAUDE, Size::new(80, 24)), (INTERRUPTED, Size::new(60, 16))] {
        let mut always = Screen::new(size);
        always.feed(bytes);
        for moment in moments(bytes) {
            let mut host = Screen::new(size);
            host.feed(&bytes[..moment]);
            let mut later = Screen::new(size);
            later.feed(&host.repaint());
            later.feed(&bytes[moment..]);
            assert_eq!(difference(&later, &always), None, "from {moment} on");
        }
    }
}
