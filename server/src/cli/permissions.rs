//! Commands about permission requests: `permissions`, `allow`, `deny`, `answer`.

use areyouj_protocol::{
    Answer, ErrorCode, Permission, PermissionAnswerParams, PermissionKind, PermissionListParams, Remedy,
    request,
};

use super::{CommandError, Context, choices, fresh_id, permission_request, plain, time};
use crate::client::{Client, Failure};

/// Lists open permission requests.
pub(super) fn list(context: &Context, session_id: Option<String>) -> Result<(), CommandError> {
    let list = context.connect()?.call::<request::PermissionList>(&PermissionListParams { session_id })?;
    context.screen.show(&list.permissions, || {
        if list.permissions.is_empty() {
            return "No permission request is open.".to_owned();
        }
        let (now, paint) = (time::now(), context.screen.out);
        let requests = list.permissions.iter();
        let texts = requests.map(|request| permission_request::render(request, now, paint));
        texts.collect::<Vec<_>>().join("\n")
    })
}

/// Allows a permission request.
pub(super) fn allow(context: &Context, request: &str, always: bool) -> Result<(), CommandError> {
    let answer = if always { Answer::AllowAlways { suggestions: None } } else { Answer::Allow {} };
    send(context, &mut context.connect()?, request, answer)
}

/// Denies a permission request.
pub(super) fn deny(context: &Context, request: &str, message: Option<String>) -> Result<(), CommandError> {
    send(context, &mut context.connect()?, request, Answer::Deny { message })
}

/// Answers a question with these CHOICE arguments.
pub(super) fn answer(context: &Context, request: String, arguments: &[String]) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let open = client.call::<request::PermissionList>(&PermissionListParams::default())?.permissions;
    let (request, choices) = match find(&open, &request)? {
        Some(permission) if permission.kind == PermissionKind::Question => {
            (permission.id.clone(), choices::parse(&choices::questions(&permission.input), arguments)?)
        }
        Some(permission) => {
            return Err(not_a_question(&permission.id).into());
        }
        // The request is not open; the daemon's refusal says why.
        None => (request, vec![arguments.to_vec()]),
    };
    send(context, &mut client, &request, Answer::Choose { choices })
}

pub(super) fn not_a_question(id: &str) -> Failure {
    Failure::new(
        ErrorCode::AnswerInvalid,
        format!("{id} is not a question"),
        Remedy::AllowOrDeny { permission_id: id.to_owned() },
    )
}

/// The open request with this id or unambiguous prefix. The daemon resolves ids by the same rule.
fn find<'a>(open: &'a [Permission], request: &str) -> Result<Option<&'a Permission>, Failure> {
    let request = request.to_uppercase();
    if let Some(permission) = open.iter().find(|permission| permission.id == request) {
        return Ok(Some(permission));
    }
    let matches: Vec<&Permission> =
        open.iter().filter(|permission| permission.id.starts_with(request.as_str())).collect();
    match matches.as_slice() {
        [] => Ok(None),
        [permission] => Ok(Some(permission)),
        _ => Err(ambiguous(&request, matches.len())),
    }
}

pub(super) fn ambiguous(request: &str, matches: usize) -> Failure {
    Failure::new(
        ErrorCode::AmbiguousId,
        format!("{request} matches {matches} permission requests"),
        "Type more of the id; `areyouj permissions` lists the open requests.",
    )
}

fn send(context: &Context, client: &mut Client, request: &str, answer: Answer) -> Result<(), CommandError> {
    let outcome = match &answer {
        Answer::Allow {} => "allowed".to_owned(),
        Answer::AllowAlways { .. } => "allowed, now and from now on".to_owned(),
        Answer::Deny { .. } => "denied".to_owned(),
        Answer::Choose { choices } => {
            let answers = choices.iter().map(|choices| choices.join(", ")).collect::<Vec<_>>();
            format!("answered: {}", plain::line(&answers.join(" / ")))
        }
    };
    // The id begins with a session id, which has only capital letters.
    let open = client.call::<request::PermissionList>(&PermissionListParams::default())?.permissions;
    let permission_id = request.to_uppercase();
    let seen = open.into_iter().find(|permission| permission.id == permission_id);
    let digest = seen.map(|permission| permission.digest).unwrap_or_default();
    let params = PermissionAnswerParams { request_id: fresh_id(), permission_id, digest, answer };
    let permission = client.call::<request::PermissionAnswer>(&params)?;
    context.screen.show(&permission, || format!("{} {outcome}", permission.id))
}

#[cfg(test)]
mod tests {
    use areyouj_protocol::{Json, PermissionState};

    use super::*;

    fn open(ids: &[&str]) -> Vec<Permission> {
        let permission = |id: &&str| Permission {
            id: (*id).to_owned(),
            session_id: id.chars().take(8).collect(),
            kind: PermissionKind::Tool,
            tool: "Bash".to_owned(),
            input: Json::Null,
            title: String::new(),
            suggestions: Vec::new(),
            created_at: 0,
            state: PermissionState::Open,
            answered_by: None,
        };
        ids.iter().map(permission).collect()
    }

    #[test]
    fn a_request_is_found_by_its_id_or_an_unambiguous_prefix() {
        let open = open(&["K7M2Q9XD-1", "K7M2Q9XD-12", "ABCDEFGH-3"]);
        let found = |request: &str| {
            find(&open, request)
                .map(|found| found.map(|permission| permission.id.clone()))
                .map_err(|error| error.code)
        };
        assert_eq!(found("k7m2q9xd-1"), Ok(Some("K7M2Q9XD-1".to_owned())));
        assert_eq!(found("ABC"), Ok(Some("ABCDEFGH-3".to_owned())));
        assert_eq!(found("K7"), Err("ambiguous_id".to_owned()));
        assert_eq!(found("ZZZ"), Ok(None));
    }
}
