//! Ctrl-C in the middle of the demo leaves nothing behind either.

use std::sync::Arc;
use std::thread;

use anyhow::Result;
use areyouj_tests::sandbox::Sandbox;
use nix::sys::signal::{SigSet, Signal};

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Signals to end the demo, held back until somebody can clean up after it.
pub(super) struct Held(SigSet);

/// Holds them back. To be called before any thread is started, because threads take it over from their parent.
pub(super) fn hold() -> Result<Held> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    Ok(Held(signals))
}

impl Held {
    /// From now on they end the demo, and close the sandbox first.
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
