//! `areyouj`: arguments, run, exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    areyouj::cli::run(std::env::args_os())
}
