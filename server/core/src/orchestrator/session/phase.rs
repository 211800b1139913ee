//! The phases of a session's life, and the one table of the transitions between them.

use crate::orchestrator::{Goal, Problem};

/// The phase of a session's life. The store keeps only what a restarted daemon cannot determine again, see
/// [`Lifecycle::restore`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// Waits for a start slot.
    Queued,
    /// Claude's own record of the conversation is being read; holds a start slot.
    Inspecting,
    /// A host was ordered; holds a start slot.
    Launching,
    /// Claude was asked to describe itself, or shows its first screen; holds a start slot.
    Initializing {
        /// Monotonic time by which Claude must be ready.
        deadline: Option<u64>,
    },
    /// Claude is ready.
    Ready,
    /// A start follows.
    BackOff {
        /// Monotonic time of that start.
        until: u64,
    },
    /// Nobody trusts the session's directory: Claude starts when a person does.
    Untrusted,
    /// The daemon looks for a host that should run.
    Adopting {
        /// Claude was ready before.
        ready: bool,
    },
    /// Claude must stop.
    Stopping {
        /// What follows.
        then: Then,
        /// Claude was ready before.
        ready: bool,
    },
    /// Claude has exited, and a person must decide.
    Failed(Problem),
    /// A person terminated the session.
    Terminated,
}

/// What follows when Claude has exited.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Then {
    /// Claude starts again, because a person requested it.
    Restart,
    /// The start counts as failed, and another may follow.
    RetryStart(Problem),
    /// The session fails.
    Fail(Problem),
    /// The session is terminated.
    Terminate,
}

/// What moves a session from one phase to another.
#[derive(Clone, Debug)]
pub(super) enum Transition {
    /// Claude must start when a start slot is free.
    Request,
    /// A start slot is free, and Claude might have a record of the conversation.
    Inspect,
    /// A host is ordered.
    Launch,
    /// Claude runs and is not ready.
    Initialize { deadline: Option<u64> },
    /// The host runs, and has not started Claude yet.
    AwaitClaude,
    /// Claude is ready.
    Ready,
    /// The connection to the host is lost, or a new daemon has started.
    Adopt,
    /// Everything that the host had recorded before it was adopted has been ingested.
    Synced,
    /// Claude must stop; this follows.
    Stop(Then),
    /// Claude has exited. Where the rules must still decide what follows, a start follows in the meantime.
    Gone { now: u64 },
    /// A start follows later.
    BackOff { until: u64 },
    /// A start follows when a person trusts the directory.
    AwaitTrust,
}

impl Then {
    /// The phase of a session without Claude.
    fn phase(self) -> Phase {
        match self {
            Then::Restart => Phase::Queued,
            // The rules decide when; immediately until they have decided.
            Then::RetryStart(_) => Phase::BackOff { until: 0 },
            Then::Fail(problem) => Phase::Failed(problem),
            Then::Terminate => Phase::Terminated,
        }
    }
}

impl Phase {
    /// The transition table: the next phase, or `None` if the transition does not apply in this phase. No arm
    /// covers phases that it does not name, so a new phase must be added to each.
    pub(super) fn after(&self, transition: Transition) -> Option<Phase> {
        use Phase::{
            Adopting, BackOff, Failed, Initializing, Inspecting, Launching, Queued, Ready, Stopping,
            Terminated, Untrusted,
        };
        match (transition, self) {
            (Transition::Request, Queued | Inspecting | BackOff { .. } | Untrusted | Failed(_)) => {
                Some(Queued)
            }
            (
                Transition::Request,
                Launching | Initializing { .. } | Ready | Adopting { .. } | Stopping { .. } | Terminated,
            ) => None,

            (Transition::Inspect, Queued) => Some(Inspecting),
            (
                Transition::Inspect,
                Inspecting
                | Launching
                | Initializing { .. }
                | Ready
                | BackOff { .. }
                | Untrusted
                | Adopting { .. }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::Launch, Queued | Inspecting) => Some(Launching),
            (
                Transition::Launch,
                Launching
                | Initializing { .. }
                | Ready
                | BackOff { .. }
                | Untrusted
                | Adopting { .. }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::Initialize { deadline }, Launching | Adopting { ready: false }) => {
                Some(Initializing { deadline })
            }
            (
                Transition::Initialize { .. },
                Queued
                | Inspecting
                | Initializing { .. }
                | Ready
                | BackOff { .. }
                | Untrusted
                | Adopting { ready: true }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::AwaitClaude, Adopting { ready: false }) => Some(Launching),
            (
                Transition::AwaitClaude,
                Queued
                | Inspecting
                | Launching
                | Initializing { .. }
                | Ready
                | BackOff { .. }
                | Untrusted
                | Adopting { ready: true }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::Ready, Launching | Initializing { .. }) => Some(Ready),
            (Transition::Ready, Adopting { ready: false }) => Some(Adopting { ready: true }),
            (Transition::Ready, Stopping { then, ready: false }) => {
                Some(Stopping { then: then.clone(), ready: true })
            }
            (
                Transition::Ready,
                Queued
                | Inspecting
                | Ready
                | BackOff { .. }
                | Untrusted
                | Adopting { ready: true }
                | Stopping { ready: true, .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::Adopt, Launching | Initializing { .. }) => Some(Adopting { ready: false }),
            (Transition::Adopt, Ready) => Some(Adopting { ready: true }),
            (
                Transition::Adopt,
                Queued
                | Inspecting
                | BackOff { .. }
                | Untrusted
                | Adopting { .. }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::Synced, Adopting { ready: true }) => Some(Ready),
            (
                Transition::Synced,
                Queued
                | Inspecting
                | Launching
                | Initializing { .. }
                | Ready
                | BackOff { .. }
                | Untrusted
                | Adopting { ready: false }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::Stop(then), Launching | Initializing { .. } | Adopting { ready: false }) => {
                Some(Stopping { then, ready: false })
            }
            (Transition::Stop(then), Ready | Adopting { ready: true }) => {
                Some(Stopping { then, ready: true })
            }
            (Transition::Stop(then), Stopping { ready, .. }) => Some(Stopping { then, ready: *ready }),
            (Transition::Stop(then), Queued | Inspecting | BackOff { .. } | Untrusted | Failed(_)) => {
                Some(then.phase())
            }
            (Transition::Stop(_), Terminated) => None,

            (Transition::Gone { .. }, Stopping { then, .. }) => Some(then.clone().phase()),
            (Transition::Gone { now }, Launching | Initializing { .. } | Ready | Adopting { .. }) => {
                Some(BackOff { until: now })
            }
            (
                Transition::Gone { .. },
                Queued | Inspecting | BackOff { .. } | Untrusted | Failed(_) | Terminated,
            ) => None,

            (Transition::BackOff { until }, BackOff { .. }) => Some(BackOff { until }),
            (
                Transition::BackOff { .. },
                Queued
                | Inspecting
                | Launching
                | Initializing { .. }
                | Ready
                | Untrusted
                | Adopting { .. }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,

            (Transition::AwaitTrust, Queued | BackOff { .. }) => Some(Untrusted),
            (
                Transition::AwaitTrust,
                Inspecting
                | Launching
                | Initializing { .. }
                | Ready
                | Untrusted
                | Adopting { .. }
                | Stopping { .. }
                | Failed(_)
                | Terminated,
            ) => None,
        }
    }

    /// Whether a host of the current launch may exist.
    pub(super) fn has_host(&self) -> bool {
        match self {
            Phase::Launching
            | Phase::Initializing { .. }
            | Phase::Ready
            | Phase::Adopting { .. }
            | Phase::Stopping { .. } => true,
            Phase::Queued
            | Phase::Inspecting
            | Phase::BackOff { .. }
            | Phase::Untrusted
            | Phase::Failed(_)
            | Phase::Terminated => false,
        }
    }

    /// Whether Claude of the current launch has been ready.
    pub(super) fn was_ready(&self) -> bool {
        match self {
            Phase::Ready => true,
            Phase::Adopting { ready } | Phase::Stopping { ready, .. } => *ready,
            Phase::Queued
            | Phase::Inspecting
            | Phase::Launching
            | Phase::Initializing { .. }
            | Phase::BackOff { .. }
            | Phase::Untrusted
            | Phase::Failed(_)
            | Phase::Terminated => false,
        }
    }

    pub(super) fn goal(&self) -> Goal {
        match self {
            Phase::Stopping { then: Then::Fail(_), .. } | Phase::Failed(_) => Goal::Fail,
            Phase::Stopping { then: Then::Terminate, .. } | Phase::Terminated => Goal::Terminate,
            Phase::Queued
            | Phase::Inspecting
            | Phase::Launching
            | Phase::Initializing { .. }
            | Phase::Ready
            | Phase::BackOff { .. }
            | Phase::Untrusted
            | Phase::Adopting { .. }
            | Phase::Stopping { then: Then::Restart | Then::RetryStart(_), .. } => Goal::Run,
        }
    }

    pub(super) fn error(&self) -> Option<&Problem> {
        match self {
            Phase::Stopping { then: Then::Fail(problem), .. } | Phase::Failed(problem) => Some(problem),
            Phase::Stopping { then: Then::Restart | Then::RetryStart(_) | Then::Terminate, .. }
            | Phase::Queued
            | Phase::Inspecting
            | Phase::Launching
            | Phase::Initializing { .. }
            | Phase::Ready
            | Phase::BackOff { .. }
            | Phase::Untrusted
            | Phase::Adopting { .. }
            | Phase::Terminated => None,
        }
    }

    /// Whether the session holds a start slot.
    pub(super) fn is_starting(&self) -> bool {
        match self {
            Phase::Inspecting
            | Phase::Launching
            | Phase::Initializing { .. }
            | Phase::Adopting { ready: false } => true,
            Phase::Queued
            | Phase::Ready
            | Phase::BackOff { .. }
            | Phase::Untrusted
            | Phase::Adopting { ready: true }
            | Phase::Stopping { .. }
            | Phase::Failed(_)
            | Phase::Terminated => false,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::orchestrator::ErrorCode;

    fn problem() -> Problem {
        Problem::new(ErrorCode::HostFailed, "It failed.", "Restart it.")
    }

    /// Every phase, with the letter that the table has for it.
    pub(in super::super) fn phases() -> Vec<(char, Phase)> {
        let stopping = |then, ready| Phase::Stopping { then, ready };
        vec![
            ('Q', Phase::Queued),
            ('I', Phase::Inspecting),
            ('L', Phase::Launching),
            ('Z', Phase::Initializing { deadline: None }),
            ('R', Phase::Ready),
            ('B', Phase::BackOff { until: 0 }),
            ('U', Phase::Untrusted),
            ('a', Phase::Adopting { ready: false }),
            ('A', Phase::Adopting { ready: true }),
            ('r', stopping(Then::Restart, false)),
            ('t', stopping(Then::Terminate, false)),
            ('T', stopping(Then::Terminate, true)),
            ('f', stopping(Then::Fail(problem()), false)),
            ('F', Phase::Failed(problem())),
            ('X', Phase::Terminated),
        ]
    }

    #[test]
    fn every_phase_answers_every_transition_as_the_table_says() {
        let table = [
            //                                               Q I L Z R B U a A r t T f F X
            (Transition::Request, "Q Q - - - Q Q - - - - - - Q -"),
            (Transition::Inspect, "I - - - - - - - - - - - - - -"),
            (Transition::Launch, "L L - - - - - - - - - - - - -"),
            (Transition::Initialize { deadline: None }, "- - Z - - - - Z - - - - - - -"),
            (Transition::AwaitClaude, "- - - - - - - L - - - - - - -"),
            (Transition::Adopt, "- - a a A - - - - - - - - - -"),
            (Transition::Synced, "- - - - - - - - R - - - - - -"),
            (Transition::Stop(Then::Terminate), "X X t t T X X t T t t T t X -"),
            (Transition::Gone { now: 0 }, "- - B B B - - B B Q X X F - -"),
            (Transition::BackOff { until: 0 }, "- - - - - B - - - - - - - - -"),
            (Transition::AwaitTrust, "U - - - - U - - - - - - - - -"),
        ];
        for (transition, row) in table {
            for ((_, phase), expected) in phases().into_iter().zip(row.split(' ')) {
                let found = phase.after(transition.clone()).map(|after| {
                    let letter = phases().into_iter().find(|(_, known)| *known == after);
                    letter.unwrap().0.to_string()
                });
                assert_eq!(found.as_deref().unwrap_or("-"), expected, "{transition:?} in {phase:?}");
            }
        }
    }

    #[test]
    fn a_claude_is_ready_once_a_launch_and_that_outlives_the_search_for_its_host() {
        for (letter, phase) in phases() {
            let after = phase.after(Transition::Ready);
            assert_eq!(after.is_some(), "LZartf".contains(letter), "{phase:?}");
            assert!(after.is_none_or(|after| after.was_ready() && after.goal() == phase.goal()), "{phase:?}");
        }
    }
}
