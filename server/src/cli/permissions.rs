//! Commands about prompts: `permissions`, `allow`, `deny`, `answer`.

use areyouj_protocol::{
    Answer, ErrorCode, Permission, PermissionAnswerParams, PermissionKind, PermissionListParams, request,
};

use super::{CommandError, Context, choices, fresh_id, plain, prompt, time};
use crate::client::{Client, Failure};

/// Lists open prompts.
pub(super) fn list(context: &Context, session_id: Option<String>) -> Result<(), CommandError> {
    let list = context.connect()?.call::<request::PermissionList>(&PermissionListParams { session_id })?;
    context.screen.show(&list.permissions, || {
        if list.permissions.is_empty() {
            return "Nothing waits for an answer.".to_owned();
        }
        let (now, paint) = (time::now(), context.screen.out);
        let prompts = list.permissions.iter().map(|permission| prompt::render(permission, now, paint));
        prompts.collect::<Vec<_>>().join("\n")
    })
}

/// Allows what a prompt asks for.
pub(super) fn allow(context: &Context, request: &str, always: bool) -> Result<(), CommandError> {
    let answer = if always { Answer::AllowAlways { suggestions: None } } else { Answer::Allow {} };
    give(context, &mut context.connect()?, request, answer)
}

/// Denies what a prompt asks for.
pub(super) fn deny(context: &Context, request: &str, message: Option<String>) -> Result<(), CommandError> {
    give(context, &mut context.connect()?, request, Answer::Deny { message })
}

/// Answers a question.
pub(super) fn answer(context: &Context, request: String, typed: &[String]) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let open = client.call::<request::PermissionList>(&PermissionListParams::default())?.permissions;
    let (request, choices) = match find(&open, &request)? {
        Some(permission) if permission.kind == PermissionKind::Question => {
            (permission.id.clone(), choices::parse(&choices::questions(&permission.input), typed)?)
        }
        Some(permission) => {
            return Err(not_a_question(&permission.id).into());
        }
        // It is not open: the daemon knows why.
        None => (request, vec![typed.to_vec()]),
    };
    give(context, &mut client, &request, Answer::Choose { choices })
}

pub(super) fn not_a_question(id: &str) -> Failure {
    Failure::new(
        ErrorCode::AnswerInvalid,
        format!("{id} asks for permission, not for a choice"),
        format!("Use `areyouj allow {id}` or `areyouj deny {id}`."),
    )
}

/// The open prompt that was meant, by the same rule as the daemon's: the whole id, or the beginning of just one.
fn find<'a>(open: &'a [Permission], request: &str) -> Result<Option<&'a Permission>, Failure> {
    let request = request.to_uppercase();
    if let Some(permission) = open.iter().find(|permission| permission.id == request) {
        return Ok(Some(permission));
    }
    let meant: Vec<&Permission> =
        open.iter().filter(|permission| permission.id.starts_with(request.as_str())).collect();
    match meant.as_slice() {
        [] => Ok(None),
        [permission] => Ok(Some(permission)),
        _ => Err(ambiguous(&request, meant.len())),
    }
}

pub(super) fn ambiguous(request: &str, matches: usize) -> Failure {
    Failure::new(
        ErrorCode::AmbiguousId,
        format!("{request} may be any of {matches} prompts"),
        "Give more of the id; `areyouj permissions` lists them.",
    )
}

fn give(context: &Context, client: &mut Client, request: &str, answer: Answer) -> Result<(), CommandError> {
    let done = match &answer {
        Answer::Allow {} => "allowed".to_owned(),
        Answer::AllowAlways { .. } => "allowed from now on".to_owned(),
        Answer::Deny { .. } => "denied".to_owned(),
        Answer::Choose { choices } => {
            let answers = choices.iter().map(|choices| choices.join(", ")).collect::<Vec<_>>();
            format!("answered: {}", plain::line(&answers.join(" / ")))
        }
    };
    // Prompts' ids begin with a session's, which has capital letters only.
    let params =
        PermissionAnswerParams { request_id: fresh_id(), permission_id: request.to_uppercase(), answer };
    let permission = client.call::<request::PermissionAnswer>(&params)?;
    context.screen.show(&permission, || format!("{} {done}", permission.id))
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
    fn a_prompt_is_meant_by_its_id_or_the_beginning_of_just_one() {
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
