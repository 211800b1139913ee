//! Ends what outlived a host: processes that a process of the session moved out of the host's reach.

use areyouj_core::orchestrator::{Event, SessionId};
use areyouj_host::peer::{Survivor, kill_survivors};
use areyouj_host::tree;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::daemon::launch;

/// Kills the processes of a session whose host is gone and has not recorded Claude's end, and reports those that remain.
pub(super) async fn end_lost(session: SessionId, inbox: &mpsc::Sender<Event>) {
    let mark = launch::mark(session);
    let _ = spawn_blocking(move || tree::kill_marked(&mark)).await;
    end(session, inbox).await;
}

/// Kills the processes inside the session that no living host is above of, and reports those that remain. Spares what
/// only the environment marks: the next launch can have started it.
pub(super) async fn end(session: SessionId, inbox: &mpsc::Sender<Event>) {
    let name = session.to_string();
    match spawn_blocking(move || kill_survivors(&name)).await {
        Ok(Ok(survivors)) if survivors.is_empty() => {}
        Ok(Ok(survivors)) => {
            let processes = survivors.iter().map(words).collect::<Vec<_>>().join(", ");
            tracing::warn!(%session, processes, "processes outlived their host and cannot be killed");
            let _ = inbox.send(Event::Survived { session, processes }).await;
        }
        Ok(Err(error)) => tracing::warn!(%session, %error, "survivors of a host cannot be searched for"),
        Err(error) => tracing::warn!(%session, %error, "the search for survivors of a host broke down"),
    }
}

/// A process for people. It chose its program's name itself.
fn words(survivor: &Survivor) -> String {
    format!("{} ({})", survivor.pid, survivor.program.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_cannot_control_a_terminal() {
        let survivor = Survivor { pid: 7, program: "a\u{1b}[2J\n\u{202e}b".to_owned() };
        assert_eq!(words(&survivor), r"7 (a\u{1b}[2J\n\u{202e}b)");
    }
}
