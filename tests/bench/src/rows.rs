//! All rows: what each measures, and its peer.

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

/// A benchmark.
pub(crate) struct Row {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// A one-line description of the measurement.
    pub(crate) description: &'static str,
    /// Measures, and adds figures to the report. An error means that the measurement failed.
    pub(crate) run: fn(&mut Bench) -> Result<()>,
}

/// All rows, in the order in which they run.
pub(crate) const ROWS: &[Row] = &[
    Row { name: "memory", description: "memory of hosts and daemon, without Claude", run: memory::run },
    Row { name: "idle", description: "CPU time of 100 idle sessions", run: idle::run },
    Row { name: "request", description: "from `areyouj new` to the id", run: request::run },
    Row { name: "ready", description: "from `areyouj new` to a ready Claude", run: ready::run },
    Row { name: "ls", description: "`areyouj ls` against `claude agents --json`", run: ls::run },
    Row { name: "ten-starts", description: "ten concurrent starts of the real Claude", run: ten_starts::run },
    Row {
        name: "restart",
        description: "restart after a kill, with 100 live sessions and 1M entries",
        run: restart::run,
    },
    Row {
        name: "enqueue",
        description: "durable acceptance of a message, against a synced write and against bare SQLite",
        run: enqueue::run,
    },
    Row {
        name: "ingest",
        description: "conversion of a journal to facts, against splitting lines and skipping their JSON",
        run: ingest::run,
    },
    Row {
        name: "fanout",
        description: "one event to 500 clients, against a loop that writes the same bytes to 500 sockets",
        run: fanout::run,
    },
    Row {
        name: "stalled",
        description: "a client that stops reading under full output, against the same run with one that reads",
        run: stalled::run,
    },
    Row {
        name: "terminal-output",
        description: "throughput of a terminal, against reading it directly and against tmux",
        run: terminal_output::run,
    },
    Row {
        name: "terminal-delay",
        description: "latency from a program in a terminal to a viewer and back, against the same peers",
        run: terminal_delay::run,
    },
    Row {
        name: "terminal-start",
        description: "time from the request for a terminal to its first byte, against the same peers",
        run: terminal_start::run,
    },
    Row {
        name: "terminal-hook",
        description: "duration of a hook, against a program that does nothing",
        run: terminal_hook::run,
    },
    Row {
        name: "terminal-memory",
        description: "memory of an idle terminal with 2,000 lines of history, against tmux",
        run: terminal_memory::run,
    },
    Row {
        name: "terminal-attach",
        description: "`areyouj attach` to a terminal with 10 MB of history",
        run: terminal_attach::run,
    },
];
