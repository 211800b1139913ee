//! The least that can hold a session: it waits for a descriptor and does nothing else. The peer of `areyouj-host`.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

fn main() -> ExitCode {
    let stdin = io::stdin();
    let mut held = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    println!("ready");
    // It ends with whoever started it.
    match poll(&mut held, PollTimeout::NONE) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
