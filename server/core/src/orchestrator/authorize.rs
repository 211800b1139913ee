//! Whether a principal can carry out an operation.

use super::session::Session;
use super::{Operation, Principal, Problem, Role};

/// Whether a principal can carry out an operation. `session`: the session of the operation, if it has one.
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
