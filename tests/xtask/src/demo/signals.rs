//! Cleans up when the demo is interrupted with Ctrl-C.

use std::sync::Arc;
use std::thread;

use anyhow::Result;
use areyouj_tests::sandbox::Sandbox;
use nix::sys::signal::{SigSet, Signal};

/// The exit code of a program that was interrupted with Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Blocked signals, until the sandbox exists and can be cleaned up.
pub(super) struct Blocked(SigSet);

/// Blocks the signals. Must be called before any thread is started, because threads inherit the mask.
pub(super) fn block() -> Result<Blocked> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    Ok(Blocked(signals))
}

impl Blocked {
    /// From now on, the signals close the sandbox and end the demo.
    pub(super) fn close(self, sandbox: &Arc<Sandbox>) -> Result<()> {
        let sandbox = Arc::clone(sandbox);
        thread::Builder::new().name("signals".into()).spawn(move || {
            if self.0.wait().is_ok() {
                eprintln!("\nCleaning up …");
                if let Err(error) = sandbox.close() {
                    eprintln!("{error:#}");
                }
                std::process::exit(INTERRUPTED);
            }
        })?;
        Ok(())
    }
}
