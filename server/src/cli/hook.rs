//! `areyouj hook`: what Claude calls as its hook in a terminal session. It hands what Claude tells to the session's host, and
//! prints the answer of one that asks.
//!
//! Claude waits for it, so it does nothing else: no configuration, no daemon. Whatever goes wrong, it says nothing, and
//! Claude goes on as if there were no hook: it asks in its terminal.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;

use areyouj_core::driver::terminal::{ASKING_HOOK, HOST_SOCKET};
use areyouj_host::wire::{FromHost, MAX_FRAME, ToHost};

/// A host answers within a millisecond; one that is stopped must not hold up Claude.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much is read of an answer at a time.
const PIECE: usize = 64 << 10;

/// What has to be known of what Claude tells.
#[derive(Deserialize)]
struct Told {
    hook_event_name: String,
}

/// Whether these arguments, the program's own name first, are those of a hook.
pub(super) fn is_meant(arguments: &[OsString]) -> bool {
    matches!(arguments, [_, command] if command == "hook")
}

/// Serves one hook.
pub(super) fn run() -> ExitCode {
    let answer = tell();
    if let Ok(answer) = answer {
        let mut output = io::stdout();
        // Nobody is left to tell if this cannot be written.
        let _ = output.write_all(&answer).and_then(|()| output.flush());
    }
    ExitCode::SUCCESS
}

fn tell() -> io::Result<Vec<u8>> {
    let socket = std::env::var_os(HOST_SOCKET).ok_or(io::ErrorKind::NotFound)?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_FRAME as u64).read_to_end(&mut bytes)?;
    let told: Told = serde_json::from_slice(&bytes)?;
    let waits = told.hook_event_name == ASKING_HOOK;
    let mut host = UnixStream::connect(socket)?;
    host.set_write_timeout(Some(PATIENCE))?;
    host.set_read_timeout((!waits).then_some(PATIENCE))?;
    let mut frame = Vec::new();
    ToHost::Hook { waits, bytes }.encode(&mut frame);
    host.write_all(&frame)?;
    answer(&mut host)
}

/// Waits for what is to be printed.
fn answer(host: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut incoming = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        match FromHost::decode(&incoming).map_err(io::Error::other)? {
            Some((FromHost::HookDone(bytes), _)) => return Ok(bytes),
            Some((_, taken)) => drop(incoming.drain(..taken)),
            None => match host.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => incoming.extend_from_slice(&piece[..read]),
            },
        }
    }
}
