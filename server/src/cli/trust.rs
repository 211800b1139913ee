//! The trust in the directory of a new session: on a terminal, `areyouj new` asks at once.

use areyouj_protocol::{
    Answer, Permission, PermissionAnswerParams, PermissionKind, PermissionListParams, Session, SessionParams,
    Status, request,
};

use super::permissions::{left_open, read_through, typed};
use super::{CommandError, Context, fresh_id};
use crate::client::Client;

/// If a new session waits for trust in its directory: shows what would run there and asks a person, who is otherwise
/// told how to answer. Returns the session after the answer.
///
/// # Errors
///
/// The person denied, which ends the session, or the request stays open.
pub(super) fn ask(context: &Context, client: &mut Client, session: Session) -> Result<Session, CommandError> {
    let Some(request) = request_of(client, &session)? else { return Ok(session) };
    let id = request.id.clone();
    if !context.screen.interactive {
        context.screen.warn(&format!(
            "nothing runs until a person trusts the directory: `areyouj permissions {id}` shows what would run, \
             `areyouj allow {id}` trusts it"
        ));
        return Ok(session);
    }
    read_through(context, &request)?;
    let answer = match typed("Trust this directory and everything below it? [y/n] ")?.as_deref() {
        Some("y" | "yes") => Answer::Allow {},
        Some("n" | "no") => Answer::Deny { message: None },
        Some(_) | None => return Err(left_open()),
    };
    let denied = answer != Answer::Allow {};
    let Permission { id: permission_id, digest, .. } = request;
    let params = PermissionAnswerParams { request_id: fresh_id(), permission_id, digest, answer };
    client.call::<request::PermissionAnswer>(&params)?;
    if denied {
        context.screen.warn("the directory is not trusted: nothing ran, and the session has ended");
        return Err(CommandError::Reported);
    }
    Ok(client.call::<request::SessionGet>(&SessionParams { session_id: Some(session.id) })?)
}

/// The open request for trust of this session.
fn request_of(client: &mut Client, session: &Session) -> Result<Option<Permission>, CommandError> {
    if session.status != Status::Waiting {
        return Ok(None);
    }
    let params = PermissionListParams { session_id: Some(session.id.clone()) };
    let open = client.call::<request::PermissionList>(&params)?.permissions;
    Ok(open.into_iter().find(|request| request.kind == PermissionKind::Trust))
}
