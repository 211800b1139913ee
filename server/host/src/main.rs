//! The session host, started by the daemon as `areyouj-host SESSION_DIR SOCKET`; not a program for people.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match &arguments[..] {
        [session_dir, socket] => areyouj_host::run(Path::new(session_dir), Path::new(socket)),
        _ => {
            eprintln!("usage: areyouj-host SESSION_DIR SOCKET (the daemon starts it; see areyouj --help)");
            ExitCode::from(2)
        }
    }
}
