//! End-to-end tests of AreYouJ through its command line, with the real Claude CLI and the scripted Messages API.
//!
//! One file per topic. Tests use the Claude stand-in only for faults that the real one does not have, for requests that
//! do not reach Claude, and for more sessions than the machine can run with real Claudes.

mod api_faults;
mod approvals;
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
mod inside;
mod inside_host;
mod journals;
mod launch_files;
mod modes;
mod other_users;
mod outer_terminals;
mod output;
mod permissions;
mod queue;
mod rejections;
mod scripted_terminals;
mod secrets;
mod sessions;
mod sockets;
mod survivors;
mod terminals;
mod terminate;
mod texts;
mod traces;
mod trust;
