//! A minimal process that only waits for a descriptor: the peer of `areyouj-host`.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

fn main() -> ExitCode {
    let stdin = io::stdin();
    let mut descriptors = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    println!("ready");
    // It exits with the process that started it.
    match poll(&mut descriptors, PollTimeout::NONE) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
