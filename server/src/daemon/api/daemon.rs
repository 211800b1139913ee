//! The daemon itself: its status, and its end.

use areyouj_core::orchestrator::{Operation, Outcome, Problem, Query};
use areyouj_protocol::{DaemonStatus, DaemonStopParams, Empty, request};

use super::{Context, Handler, Plan};
use crate::daemon::reply::reply;

impl Handler for request::DaemonStatus {
    async fn plan(_: Empty, context: &Context) -> Result<Plan<Self>, Problem> {
        let status = context.shared.status();
        let numbered = reply(move |outcome| match outcome {
            Outcome::Daemon { sessions, active, max_active } => Some(DaemonStatus {
                sessions,
                active_sessions: active,
                max_active_sessions: max_active,
                ..status
            }),
            _ => None,
        });
        Ok(Plan::Query(Query::Daemon, numbered))
    }
}

impl Handler for request::DaemonStop {
    async fn plan(params: DaemonStopParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let stopping = reply(|outcome| matches!(outcome, Outcome::Done).then_some(Empty {}));
        Ok(Plan::Operation(Operation::StopDaemon { sessions: params.sessions }, stopping))
    }
}
