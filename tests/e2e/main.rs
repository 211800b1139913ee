//! AreYouJ as a person meets it: through its command line, with the real Claude CLI and the scripted Messages API.
//!
//! One file per theme. The stand-in for Claude is used only for faults that the real one does not make, where what is
//! tested never gets as far as Claude, and where there are so many sessions that real ones would be too heavy for the
//! machine.

mod api_faults;
mod chaos;
mod claude_faults;
mod clients;
mod configuration;
mod conversations;
mod crashes;
mod daemon;
mod databases;
mod directories;
mod editors;
mod first_screens;
mod full_disk;
mod homes;
mod hosts;
mod journals;
mod modes;
mod output;
mod permissions;
mod queue;
mod refusals;
mod sessions;
mod sockets;
mod strangers;
mod terminals;
mod terminals_at_will;
mod terminate;
mod texts;
