//! All that the daemon knows of Claude's program and files: where the program is, and what Claude records about its
//! conversations and processes. Claude's files are read, never written.

pub(super) mod files;
pub(super) mod find;
pub(super) mod project;
pub(super) mod status_poller;
pub(super) mod trust;
