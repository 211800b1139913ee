//! Who may do what.

use super::Operation;
use super::session::Session;
use super::{Principal, Problem};

/// What a principal may do with a session. Each role may do everything that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Watch it.
    Viewer,
    /// Work with it: send messages, answer permission requests, interrupt.
    Operator,
    /// Create, change and end it, and stop the daemon.
    Owner,
}

/// Whether a principal may carry out an operation. `session`: what the operation is about, if that is known.
///
/// # Errors
///
/// The principal's role in the session does not allow it.
pub(super) fn authorize(
    principal: &Principal,
    operation: &Operation,
    session: Option<&Session>,
) -> Result<(), Problem> {
    match (principal, operation.role(), session) {
        // The user whose daemon this is owns every session.
        (Principal::LocalUser { .. }, Role::Viewer | Role::Operator | Role::Owner, _) => Ok(()),
    }
}
