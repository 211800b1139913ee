//! Limits, timeouts, and the back-off after failures.

use std::fmt;

use super::{Driver, Grants, Input, InputDigest, Recovery};

/// What a person can configure.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Sessions with a Claude process at the same time. Each idle Claude holds about 200 MB.
    pub max_active: u32,
    /// Claudes that start at the same time. A start takes 0.7 CPU-seconds. More starts than cores delay the first
    /// one and do not speed up the last one.
    pub max_starting: u32,
    /// The decision about a message that a crash interrupted; `None`: a person decides.
    pub on_interrupted: Option<Recovery>,
    /// What processes inside sessions can do beyond reading their own session.
    pub grants: Grants,
    /// The digest that an input of this driver has in the journal. Encoding is the drivers' work.
    pub digest: DigestOf,
}

/// Computes the digest of an input; `None` if it never gets into the journal.
#[derive(Clone, Copy)]
pub struct DigestOf(pub fn(Driver, &Input) -> Option<InputDigest>);

impl Default for DigestOf {
    fn default() -> DigestOf {
        DigestOf(|_, _| None)
    }
}

impl fmt::Debug for DigestOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DigestOf")
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_active: 10,
            max_starting: 2,
            on_interrupted: None,
            grants: Grants::default(),
            digest: DigestOf::default(),
        }
    }
}

/// Claude answers `initialize` in half a second; ten at once on two cores take 3.4 s. A minute is a hang.
pub(super) const INITIALIZE_TIMEOUT_MS: u64 = 60_000;

/// A host starts Claude within milliseconds. One that has not by then holds a start slot for nothing; longer than the
/// daemon itself waits for a host.
pub(super) const START_TIMEOUT_MS: u64 = 60_000;

/// Claude answers an interrupt within a second. After this time a notice says that it did not.
pub(super) const INTERRUPT_TIMEOUT_MS: u64 = 15_000;

/// Claude confirms what was pasted into its terminal within a second; ten starts at once keep it for four.
pub(super) const CONFIRM_TIMEOUT_MS: u64 = 10_000;

/// After a command of Claude's own was pasted, Claude is busy or shows a dialog within this time; otherwise the command
/// is over.
pub(super) const COMMAND_TIMEOUT_MS: u64 = 2_000;

/// After an Enter, or a key that clears the input, Claude submits a prompt or opens a dialog within this time.
pub(super) const REACTION_MS: u64 = 1_000;

/// How many starts in a row can fail before a person must decide: with the delays below about 15 s.
pub(super) const START_TRIES: u32 = 5;

/// How many crashes within [`CRASH_WINDOW_MS`] are allowed before a person must decide.
pub(super) const CRASHES_IN_WINDOW: usize = 5;

/// Crashes further apart than this have different causes.
pub(super) const CRASH_WINDOW_MS: u64 = 600_000;

/// How many refusals of its login Claude retries before the session asks for a login. One or two can mean that a token
/// is being renewed.
pub(super) const LOGIN_REFUSALS: u32 = 3;

/// Milliseconds to wait before try number `failures + 1` of a start: 1, 2, 4, 8 s.
pub(super) fn start_delay_ms(failures: u32) -> u64 {
    1_000 << failures.saturating_sub(1).min(3)
}

/// Milliseconds to wait before the restart after crash number `crashes` in the window: 0.5, 1, 2, 4, 8 s.
pub(super) fn crash_delay_ms(crashes: usize) -> u64 {
    500 << crashes.saturating_sub(1).min(4)
}

/// Head start of a start over the next one when there are few cores, in milliseconds, after a start that took so long.
/// Measured on two cores: when two begin together the first comes 1.3 times as late as one alone. Alone it takes half
/// a second, of which 300 ms are the larger part. On a machine that is busy with other things everything takes longer,
/// so it is at least a third of what a start took, but limited, so that one that hung does not delay all others.
pub(super) fn head_start_ms(start_took: u64) -> u64 {
    (start_took / 3).clamp(300, 2_000)
}
