//! Every row: what is measured, and against what.

mod bare_sqlite;
mod enqueue;
mod fanout;
mod idle;
mod ingest;
mod ls;
mod memory;
mod ready;
mod request;
mod restart;
mod stalled;
mod ten_starts;
mod terminal_attach;
mod terminal_delay;
mod terminal_hook;
mod terminal_memory;
mod terminal_output;
mod terminal_start;

use anyhow::Result;

use crate::Bench;

/// A row.
pub(crate) struct Row {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// What it measures, in one line.
    pub(crate) about: &'static str,
    /// Measures and adds its figures to the report. An error means that it could not be measured.
    pub(crate) run: fn(&mut Bench) -> Result<()>,
}

/// All of them, in the order in which they run.
pub(crate) const ROWS: &[Row] = &[
    Row { name: "memory", about: "memory of hosts and daemon beyond Claude's own", run: memory::run },
    Row { name: "idle", about: "what 100 idle sessions cost in time", run: idle::run },
    Row { name: "request", about: "from `areyouj new` to the id", run: request::run },
    Row { name: "ready", about: "from `areyouj new` to a Claude that is ready", run: ready::run },
    Row { name: "ls", about: "`areyouj ls` against `claude agents --json`", run: ls::run },
    Row { name: "ten-starts", about: "ten sessions at once, the real Claude", run: ten_starts::run },
    Row { name: "restart", about: "a killed daemon, 100 live sessions, 1M entries", run: restart::run },
    Row {
        name: "enqueue",
        about: "accepting a message for good, against a write that waits for the disk and against bare SQLite",
        run: enqueue::run,
    },
    Row {
        name: "ingest",
        about: "a journal as facts, against looking for its lines and at their JSON",
        run: ingest::run,
    },
    Row {
        name: "fanout",
        about: "one event to 500 clients, against a loop that writes the same bytes to 500 sockets",
        run: fanout::run,
    },
    Row {
        name: "stalled",
        about: "a client that stops reading under full output, against the same run with one that reads",
        run: stalled::run,
    },
    Row {
        name: "terminal-output",
        about: "what a terminal shows, against reading it directly and against tmux",
        run: terminal_output::run,
    },
    Row {
        name: "terminal-delay",
        about: "from a program at a terminal to who looks, and back, against the same",
        run: terminal_delay::run,
    },
    Row {
        name: "terminal-start",
        about: "from asking for a terminal to its first byte, against the same",
        run: terminal_start::run,
    },
    Row {
        name: "terminal-hook",
        about: "what a hook costs Claude, against a program that does nothing",
        run: terminal_hook::run,
    },
    Row {
        name: "terminal-memory",
        about: "an idle terminal with 2,000 lines behind it, against tmux",
        run: terminal_memory::run,
    },
    Row {
        name: "terminal-attach",
        about: "`areyouj attach` to a terminal with 10 MB behind it",
        run: terminal_attach::run,
    },
];
