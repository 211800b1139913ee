//! Commands about permission requests: `permissions`, `allow`, `deny`, `answer`.

use std::io;

use areyouj_protocol::{
    Answer, ErrorCode, Permission, PermissionAnswerParams, PermissionKind, PermissionListParams, Remedy,
    request,
};

use super::screen::{self, write_stderr};
use super::{CommandError, Context, choices, fresh_id, permission_request, plain, time};
use crate::client::{Client, Failure};

/// Lists open permission requests: all, those of a session, or the one with this id.
pub(super) fn list(context: &Context, id: Option<String>) -> Result<(), CommandError> {
    let session = id.as_deref().map(|id| id.split_once('-').map_or(id, |(session, _)| session).to_owned());
    let params = PermissionListParams { session_id: session };
    let mut open = context.connect()?.call::<request::PermissionList>(&params)?.permissions;
    let one = id.filter(|id| id.contains('-'));
    if let Some(id) = &one {
        open.retain(|permission| permission.id.starts_with(id.as_str()));
        // A whole id never means a longer one.
        if open.iter().any(|permission| permission.id == *id) {
            open.retain(|permission| permission.id == *id);
        }
    }
    context.screen.show(&open, || match (open.is_empty(), one) {
        (true, Some(_)) => "No such permission request is open.".to_owned(),
        (true, None) => "No permission request is open.".to_owned(),
        _ => open.iter().map(|permission| displayed(context, permission)).collect::<Vec<_>>().join("\n"),
    })
}

/// What an answer with `--always` applies, from its arguments: suggestions are counted from 1 there.
pub(super) fn always(always: bool, suggestions: &[u16]) -> Answer {
    let indexes = || suggestions.iter().map(|number| usize::from(*number) - 1).collect();
    match always {
        true => Answer::AllowAlways { suggestions: (!suggestions.is_empty()).then(indexes) },
        false => Answer::Allow {},
    }
}

/// Allows a permission request. On a terminal, a person sees it first.
pub(super) fn allow(
    context: &Context,
    request: &str,
    answer: Answer,
    digest: Option<String>,
) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let found = find(context, &mut client, request)?;
    let question =
        if matches!(answer, Answer::Allow {}) { "Allow it?" } else { "Allow it, now and from now on?" };
    match (found, digest) {
        (found, Some(digest)) => send(context, &mut client, &found.id(), digest, answer),
        (Found::Open(permission), None) if context.screen.interactive => {
            review(context, &permission, question)?;
            send(context, &mut client, &permission.id, permission.digest, answer)
        }
        (Found::Open(permission), None) => {
            let whole = content(context, &permission);
            send(context, &mut client, &permission.id, permission.digest, answer)?;
            // What was allowed; the commands that answer the request have no use any more.
            if context.screen.json { Ok(()) } else { context.screen.text(&whole) }
        }
        (Found::Other(id), None) => send(context, &mut client, &id, String::new(), answer),
    }
}

/// Denies a permission request.
pub(super) fn deny(context: &Context, request: &str, message: Option<String>) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let (id, digest) = confirmed(context, &mut client, request, "Deny it?")?.parts();
    send(context, &mut client, &id, digest, Answer::Deny { message })
}

/// Answers a question with these CHOICE arguments.
pub(super) fn answer(context: &Context, request: &str, arguments: &[String]) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let found = confirmed(context, &mut client, request, "Answer it?")?;
    let choices = match &found {
        Found::Open(permission) if permission.kind == PermissionKind::Question => {
            choices::parse(&choices::questions(&permission.input), arguments)?
        }
        Found::Open(permission) => return Err(not_a_question(&permission.id).into()),
        // The request is not open; the daemon's refusal says why.
        Found::Other(_) => vec![arguments.to_vec()],
    };
    let (id, digest) = found.parts();
    send(context, &mut client, &id, digest, Answer::Choose { choices })
}

pub(super) fn not_a_question(id: &str) -> Failure {
    Failure::new(
        ErrorCode::AnswerInvalid,
        format!("{id} is not a question"),
        Remedy::AllowOrDeny { permission_id: id.to_owned() },
    )
}

/// The request that a person named.
enum Found {
    /// It is open. The id was whole, or the person saw the request and agreed.
    Open(Box<Permission>),
    /// No open request has this id; the daemon's refusal says why.
    Other(String),
}

impl Found {
    fn id(&self) -> String {
        match self {
            Found::Open(permission) => permission.id.clone(),
            Found::Other(id) => id.clone(),
        }
    }

    /// The id, and the digest of what was displayed.
    fn parts(self) -> (String, String) {
        match self {
            Found::Open(permission) => (permission.id, permission.digest),
            Found::Other(id) => (id, String::new()),
        }
    }
}

/// The open request with this whole id. On a terminal, the only open request whose id begins like this; others are
/// shown.
fn find(context: &Context, client: &mut Client, request: &str) -> Result<Found, CommandError> {
    let request = request.to_uppercase();
    let open = client.call::<request::PermissionList>(&PermissionListParams::default())?.permissions;
    Ok(match named(open, &request, context.screen.interactive) {
        Named::Whole(permission) | Named::Only(permission) => Found::Open(permission),
        Named::Several(all) => {
            let shown: Vec<String> = all.iter().map(|permission| displayed(context, permission)).collect();
            context.screen.text(&shown.join("\n"))?;
            Found::Other(request)
        }
        Named::None => Found::Other(request),
    })
}

/// The same, and shown to the person who agrees, unless its whole id was given.
fn confirmed(
    context: &Context,
    client: &mut Client,
    request: &str,
    question: &str,
) -> Result<Found, CommandError> {
    let found = find(context, client, request)?;
    if let Found::Open(permission) = &found
        && !permission.id.eq_ignore_ascii_case(request)
    {
        review(context, permission, question)?;
    }
    Ok(found)
}

/// What an id means.
#[derive(Debug, PartialEq)]
enum Named {
    /// The request with this whole id.
    Whole(Box<Permission>),
    /// The only request whose id begins like this, for a person who is shown it.
    Only(Box<Permission>),
    /// Requests whose ids begin like this, for a person who is shown them.
    Several(Vec<Permission>),
    /// Nothing that could be answered.
    None,
}

/// What this id means among the open requests. Only a person who sees the requests can use the beginning of an id.
fn named(open: Vec<Permission>, request: &str, interactive: bool) -> Named {
    if let Some(permission) = open.iter().find(|permission| permission.id == request) {
        return Named::Whole(Box::new(permission.clone()));
    }
    let mut matches: Vec<Permission> =
        open.into_iter().filter(|permission| permission.id.starts_with(request)).collect();
    match matches.len() {
        0 => Named::None,
        _ if !interactive || request.is_empty() => Named::None,
        1 => Named::Only(Box::new(matches.remove(0))),
        _ => Named::Several(matches),
    }
}

/// Shows a whole request, one screen at a time, and asks.
///
/// # Errors
///
/// The person did not agree.
fn review(context: &Context, permission: &Permission, question: &str) -> Result<(), CommandError> {
    let whole = content(context, permission);
    // The last row is for the question.
    let rows = context.screen.height.unwrap_or(usize::MAX).saturating_sub(1).max(1);
    let lines: Vec<&str> = whole.lines().collect();
    for (number, page) in (1..).zip(lines.chunks(rows)) {
        context.screen.text(&page.join("\n"))?;
        let shown = lines.len().min(number * rows);
        if shown < lines.len()
            && !agrees(&format!("Line {shown} of {}. Enter: more, q: cancel ", lines.len()), true)?
        {
            return Err(left_open());
        }
    }
    if agrees(&format!("{question} [y/N] "), false)? { Ok(()) } else { Err(left_open()) }
}

fn left_open() -> CommandError {
    write_stderr("Nothing was answered. The request stays open.\n");
    CommandError::Reported
}

/// Asks on the terminal. Only `y` agrees; if `empty` is set, Enter alone does, too. The end of the input does not.
fn agrees(question: &str, empty: bool) -> Result<bool, CommandError> {
    write_stderr(question);
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        write_stderr("\n");
        return Ok(false);
    }
    let answer = line.trim().to_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes") || (empty && answer.is_empty()))
}

/// The whole request with the commands that answer it, as this terminal can display it.
fn displayed(context: &Context, permission: &Permission) -> String {
    let commands = permission_request::commands(permission, context.screen.out);
    content(context, permission) + &legible(context, commands)
}

/// The whole request alone.
fn content(context: &Context, permission: &Permission) -> String {
    let screen = &context.screen;
    legible(context, permission_request::content(permission, time::now(), screen.out, screen.width))
}

fn legible(context: &Context, text: String) -> String {
    if context.screen.ascii { screen::ascii(&text) } else { text }
}

fn send(
    context: &Context,
    client: &mut Client,
    id: &str,
    digest: String,
    answer: Answer,
) -> Result<(), CommandError> {
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
    let params =
        PermissionAnswerParams { request_id: fresh_id(), permission_id: id.to_uppercase(), digest, answer };
    let permission = client.call::<request::PermissionAnswer>(&params)?;
    context.screen.show(&permission, || {
        let granted = permission.granted.iter().map(|granted| format!("\n  {}", plain::line(granted)));
        format!("{} {outcome}{}", permission.id, granted.collect::<String>())
    })
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
            display: Vec::new(),
            digest: "0f".to_owned(),
            controls_areyouj: false,
            suggestions: Vec::new(),
            always: Vec::new(),
            created_at: 0,
            state: PermissionState::Open,
            answered_by: None,
            granted: Vec::new(),
        };
        ids.iter().map(permission).collect()
    }

    #[test]
    fn a_script_needs_the_whole_id_and_a_person_sees_what_a_part_means() {
        let ids = ["K7M2Q9XD-1", "K7M2Q9XD-12", "ABCDEFGH-3"];
        let found = |request: &str, interactive: bool| match named(open(&ids), request, interactive) {
            Named::Whole(permission) => format!("whole {}", permission.id),
            Named::Only(permission) => format!("only {}", permission.id),
            Named::Several(all) => format!("{} requests", all.len()),
            Named::None => "none".to_owned(),
        };
        assert_eq!(found("K7M2Q9XD-1", false), "whole K7M2Q9XD-1");
        assert_eq!(found("K7M2Q9XD-1", true), "whole K7M2Q9XD-1");
        for part in ["ABC", "ABCDEFGH-", "K7", ""] {
            assert_eq!(found(part, false), "none", "{part}");
        }
        assert_eq!(found("ABC", true), "only ABCDEFGH-3");
        assert_eq!(found("K7", true), "2 requests");
        assert_eq!(found("", true), "none");
        assert_eq!(found("ZZZ", true), "none");
    }

    #[test]
    fn suggestions_are_counted_from_one() {
        assert_eq!(always(false, &[]), Answer::Allow {});
        assert_eq!(always(true, &[]), Answer::AllowAlways { suggestions: None });
        assert_eq!(always(true, &[1, 3]), Answer::AllowAlways { suggestions: Some(vec![0, 2]) });
    }
}
