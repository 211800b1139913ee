//! AreYouJ as a person meets it: through its command line, with the real Claude CLI and the scripted Messages API.
//!
//! One file per theme. The stand-in for Claude is used only for faults that the real one does not make, and where
//! there are so many sessions that real ones would be too heavy for the machine.

mod chaos;
mod claude_faults;
mod crashes;
mod daemon;
mod hosts;
mod output;
mod permissions;
mod queue;
mod refusals;
mod sessions;
mod terminate;
