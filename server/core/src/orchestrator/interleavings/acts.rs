//! What people, hosts, Claudes, crashes and clocks do, at random.

use proptest::prelude::*;

use super::in_effect::Change;

/// One event. The numbers select among the existing sessions, messages or requests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Create,
    Send {
        session: usize,
        steer: bool,
    },
    Repeat {
        message: usize,
    },
    Remove {
        message: usize,
    },
    Move {
        message: usize,
        to: u32,
    },
    Pause {
        session: usize,
    },
    Resume {
        session: usize,
    },
    Interrupt {
        session: usize,
    },
    Restart {
        session: usize,
    },
    Terminate {
        session: usize,
    },
    Answer {
        request: usize,
    },
    Recover {
        session: usize,
        again: bool,
    },
    /// Claude continues by one step.
    Claude {
        session: usize,
        ask: bool,
    },
    /// The connection to the host ingests this many facts.
    Ingest {
        session: usize,
        facts: usize,
    },
    ClaudeDies {
        session: usize,
    },
    /// A person or Claude changes what is in effect in Claude.
    Changes {
        session: usize,
        what: Change,
    },
    /// Claude's next starts are in a wider permission mode than requested, or in the requested mode again.
    Widens {
        session: usize,
    },
    /// Claude's record of a conversation disappears, or is back.
    RecordMoves {
        session: usize,
    },
    /// The host dies, and loses Claude's output that it had not recorded.
    HostDies {
        session: usize,
        unsaid: bool,
    },
    /// The connection to the host breaks. Everything that the daemon sends is lost until it notices.
    LinkBreaks {
        session: usize,
    },
    /// The daemon dies: before the commit of the step, after it, or between two steps.
    DaemonDies {
        when: u8,
    },
    /// Claude no longer calls the directory trusted.
    Distrust,
    /// Something else would run in the directory.
    OtherHooks,
    Clock {
        ms: u64,
    },
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let n = 0usize..8;
    let act = prop_oneof![
        1 => Just(Act::Create),
        5 => (n.clone(), prop::bool::weighted(0.15)).prop_map(|(session, steer)| Act::Send { session, steer }),
        1 => n.clone().prop_map(|message| Act::Repeat { message }),
        1 => n.clone().prop_map(|message| Act::Remove { message }),
        1 => (n.clone(), 0u32..4).prop_map(|(message, to)| Act::Move { message, to }),
        1 => n.clone().prop_map(|session| Act::Pause { session }),
        2 => n.clone().prop_map(|session| Act::Resume { session }),
        1 => n.clone().prop_map(|session| Act::Interrupt { session }),
        1 => n.clone().prop_map(|session| Act::Restart { session }),
        1 => n.clone().prop_map(|session| Act::Terminate { session }),
        3 => n.clone().prop_map(|request| Act::Answer { request }),
        2 => (n.clone(), any::<bool>()).prop_map(|(session, again)| Act::Recover { session, again }),
        14 => (n.clone(), prop::bool::weighted(0.2)).prop_map(|(session, ask)| Act::Claude { session, ask }),
        14 => (n.clone(), 1usize..6).prop_map(|(session, facts)| Act::Ingest { session, facts }),
        1 => n.clone().prop_map(|session| Act::ClaudeDies { session }),
        2 => (n.clone(), Change::any()).prop_map(|(session, what)| Act::Changes { session, what }),
        1 => n.clone().prop_map(|session| Act::Widens { session }),
        1 => n.clone().prop_map(|session| Act::RecordMoves { session }),
        1 => (n, any::<bool>()).prop_map(|(session, unsaid)| Act::HostDies { session, unsaid }),
        1 => (0usize..8).prop_map(|session| Act::LinkBreaks { session }),
        2 => (0u8..3).prop_map(|when| Act::DaemonDies { when }),
        1 => Just(Act::Distrust),
        1 => Just(Act::OtherHooks),
        2 => (0u64..20_000).prop_map(|ms| Act::Clock { ms }),
    ];
    prop::collection::vec(act, 1..120)
}
