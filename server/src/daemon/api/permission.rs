//! Permission requests: listing and answering them.

use areyouj_core::orchestrator::{
    ErrorCode, Operation, Outcome, PermissionId, Problem, Query, SeenPermission, SessionRef,
};
use areyouj_protocol::{Permission, PermissionAnswerParams, PermissionList, PermissionListParams, request};
use areyouj_store::ReaderPool;

use super::{Context, Handler, Plan, idempotent};
use crate::daemon::reply::{Rendered, reply, reply_or_explain};
use crate::daemon::to_wire;

impl Handler for request::PermissionList {
    async fn plan(params: PermissionListParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let list = reply(|outcome| match outcome {
            Outcome::Permissions(rows) => {
                Some(PermissionList { permissions: rows.into_iter().map(to_wire::permission).collect() })
            }
            _ => None,
        });
        Ok(Plan::Query(Query::Permissions(params.session_id.map(SessionRef::Id)), list))
    }
}

impl Handler for request::PermissionAnswer {
    async fn plan(params: PermissionAnswerParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let id = params.permission_id;
        let of = idempotent(params.request_id, SeenPermission { id: id.clone(), digest: params.digest });
        let operation = Operation::Answer(of, to_wire::answer(params.answer));
        let explain = move |problem, reader: &ReaderPool| explain_missing(problem, &id, reader);
        Ok(Plan::Operation(operation, reply_or_explain(permission, explain)))
    }
}

fn permission(outcome: Outcome) -> Rendered<Permission> {
    Rendered::expected(match outcome {
        Outcome::Permission(row) => Some(to_wire::permission(*row)),
        _ => None,
    })
}

/// Says more than "not found" about a permission request that has an answer.
fn explain_missing(problem: Problem, id: &str, reader: &ReaderPool) -> Problem {
    if problem.code != ErrorCode::PermissionNotFound {
        return problem;
    }
    let id = id.to_ascii_uppercase().parse::<PermissionId>().ok();
    let row = id.and_then(|id| reader.read(|reader| reader.permission(id)).ok().flatten());
    row.map_or(problem, |row| Problem::already_answered(row.state, row.answered_by.as_deref()))
}
