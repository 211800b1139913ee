//! `areyouj hook`: the hook that Claude runs in a terminal session. It sends the hook's input to the session's host, and
//! prints the host's answer to a permission request.
//!
//! Claude waits for the hook, so it does nothing else: it reads no configuration and needs no daemon. On any error it
//! prints nothing, and Claude continues as without a hook: it asks in its terminal.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;

use areyouj_core::driver::terminal::{ASKING_HOOK, HOST_SOCKET};
use areyouj_host::wire::{FromHost, MAX_FRAME, ToHost};

/// How long the host can take. It answers within a millisecond; a stopped one must not block Claude.
const HOST_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of the answer that are read at a time.
const READ_BYTES: usize = 64 << 10;

/// The part of the hook's input that decides whether Claude waits for an answer.
#[derive(Deserialize)]
struct HookInput {
    hook_event_name: String,
}

/// Whether these arguments, of which the first is the program's own name, are those of a hook.
pub(super) fn is_meant(arguments: &[OsString]) -> bool {
    matches!(arguments, [_, command] if command == "hook")
}

/// Serves one hook.
pub(super) fn run() -> ExitCode {
    if let Ok(answer) = forward() {
        let mut output = io::stdout();
        // There is no other place to report that this cannot be written.
        let _ = output.write_all(&answer).and_then(|()| output.flush());
    }
    ExitCode::SUCCESS
}

/// Sends standard input to the host. Returns the answer to print.
fn forward() -> io::Result<Vec<u8>> {
    let socket = std::env::var_os(HOST_SOCKET).ok_or(io::ErrorKind::NotFound)?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_FRAME as u64).read_to_end(&mut bytes)?;
    let input: HookInput = serde_json::from_slice(&bytes)?;
    let waits = input.hook_event_name == ASKING_HOOK;
    let mut host = UnixStream::connect(socket)?;
    host.set_write_timeout(Some(HOST_TIMEOUT))?;
    host.set_read_timeout((!waits).then_some(HOST_TIMEOUT))?;
    let mut frame = Vec::new();
    ToHost::Hook { waits, bytes }.encode(&mut frame);
    host.write_all(&frame)?;
    answer(&mut host)
}

/// Waits for the host's answer.
fn answer(host: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut incoming = Vec::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match FromHost::decode(&incoming).map_err(io::Error::other)? {
            Some((FromHost::HookDone(bytes), _)) => return Ok(bytes),
            Some((_, length)) => drop(incoming.drain(..length)),
            None => match host.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => incoming.extend_from_slice(&buffer[..read]),
            },
        }
    }
}
