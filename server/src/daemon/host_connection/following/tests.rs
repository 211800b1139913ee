//! A daemon follows a host by what the host says, the journal and its orders.

use super::*;

/// A connection to a host, and the actions that it demanded and that nothing has carried out.
struct Followed {
    following: Following,
    now: Instant,
    actions: Vec<Action>,
}

fn session() -> SessionId {
    "AAAAAAAA".parse().unwrap()
}

fn state(next: u64) -> ReadState {
    ReadState {
        position: Position { next, line_start: next, line_skip: 0 },
        typed: 0,
        turn: LastTurn::Unknown,
    }
}

fn chunk(facts: Vec<Fact>, progress: Progress) -> Input {
    let next = if let Progress::To(next) = progress { next } else { 0 };
    Input::Read(Chunk { facts, progress, wedged: false, state: state(next) })
}

/// The host reported that its journal has this length.
fn appended(end: u64) -> Input {
    Input::Frame(FromHost::Appended { end })
}

fn is_exited() -> Input {
    Input::Frame(FromHost::State { claude_pid: None, exited: true, end: 100, pending_input: 0 })
}

impl Followed {
    /// A host with a journal of this length, which was read to offset 10.
    fn of(driver: Driver, end: u64) -> Followed {
        let now = Instant::now();
        let poller = (driver == Driver::Terminal).then(|| StatusPoller::new(now));
        let (following, actions) = Following::new(Beginning {
            session: session(),
            launch: 3,
            driver,
            host_pid: 7,
            keyed: true,
            end,
            start: 10,
            state: ReadState { typed: 4, ..state(10) },
            poller,
            stop_by: None,
        });
        Followed { following, now, actions }
    }

    /// A host whose journal was read to its end, with no report under way.
    fn synced(driver: Driver) -> Followed {
        let mut followed = Followed::of(driver, 10);
        while followed.following.reporting {
            followed.input(Input::Reported);
        }
        followed.words();
        followed
    }

    fn input(&mut self, input: Input) -> &mut Followed {
        self.actions.extend(self.following.step(self.now, input));
        self
    }

    /// Time passes; at a deadline the driver says so.
    fn wait(&mut self, time: Duration) -> &mut Followed {
        self.now += time;
        if self.following.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.input(Input::Deadline);
        }
        self
    }

    /// The actions since the last call, in words.
    fn words(&mut self) -> Vec<String> {
        mem::take(&mut self.actions).iter().map(words).collect()
    }
}

fn words(action: &Action) -> String {
    match action {
        Action::Write(frame) => match frame {
            ToHost::Write(_) => "write a message".to_owned(),
            ToHost::Stop { kill_grace_ms: 0, .. } => "stop at once".to_owned(),
            ToHost::Stop { .. } => "stop".to_owned(),
            frame => format!("{frame:?}").to_lowercase(),
        },
        Action::Report(event) => match event {
            Event::Launched { host_pid, .. } => format!("report launched {host_pid}"),
            Event::Facts { facts, position, .. } => format!("report facts {facts:?} at {}", position.next),
            Event::Synced { .. } => "report synced".to_owned(),
            Event::HostStalled { why, .. } => format!("report stalled {why:?}"),
            Event::OrderRefused { .. } => "report refused".to_owned(),
            event => format!("report {event:?}"),
        },
        Action::Read { end } => format!("read to {end}"),
        Action::Poll(_) => "poll".to_owned(),
        Action::KillHost => "kill the host".to_owned(),
        Action::End(end) => format!("end {end:?}").to_lowercase(),
    }
}

fn stop_order() -> Input {
    Input::Order(HostOrder::Stop { at_once: false })
}

#[test]
fn a_new_connection_subscribes_reads_what_it_missed_and_is_synced() {
    let mut followed = Followed::of(Driver::Stream, 30);
    assert_eq!(followed.words(), ["subscribe { from: 10 }", "report launched 7"]);
    assert_eq!(followed.input(Input::Reported).words(), ["read to 30"]);
    followed.input(chunk(vec![Fact::Typed(1)], Progress::To(20)));
    assert_eq!(followed.words(), ["report facts [Typed(1)] at 20"]);
    assert_eq!(followed.input(Input::Reported).words(), ["read to 30"]);
    assert_eq!(followed.input(chunk(vec![], Progress::To(30))).words(), ["report facts [] at 30"]);
    assert_eq!(followed.input(Input::Reported).words(), ["report synced"]);
    assert!(followed.input(Input::Reported).words().is_empty());
}

#[test]
fn the_draft_of_a_terminal_is_reported_once_before_it_is_synced() {
    let mut followed = Followed::of(Driver::Terminal, 10);
    followed.words();
    assert_eq!(followed.input(Input::Reported).words(), ["report facts [Typed(4)] at 10"]);
    assert_eq!(followed.input(Input::Reported).words(), ["report synced"]);
}

#[test]
fn the_journal_is_read_as_it_grows_but_not_while_the_core_is_busy() {
    let mut followed = Followed::synced(Driver::Stream);
    assert_eq!(followed.input(appended(20)).words(), ["read to 20"]);
    followed.input(chunk(vec![], Progress::To(20)));
    followed.words();
    assert!(followed.input(appended(30)).input(appended(40)).input(appended(35)).words().is_empty());
    assert_eq!(followed.input(Input::Reported).words(), ["read to 40"]);
}

#[test]
fn an_order_goes_to_the_host_while_the_core_is_busy() {
    let mut followed = Followed::of(Driver::Stream, 30);
    followed.words();
    assert_eq!(followed.input(Input::Order(HostOrder::Ingested(9))).words(), ["ingested { offset: 9 }"]);
    assert_eq!(followed.input(Input::Order(HostOrder::Stop { at_once: true })).words(), ["stop at once"]);
    let message = ClaudeInput::Initialize { request_id: "r".to_owned() };
    let told = followed.input(Input::Order(HostOrder::Tell(Box::new(message)))).words();
    assert_eq!(told, ["write a message"]);
}

#[test]
fn a_journal_that_cannot_be_read_is_read_again_after_a_pause() {
    let mut followed = Followed::of(Driver::Stream, 30);
    followed.input(Input::Reported).words();
    assert_eq!(followed.input(chunk(vec![], Progress::Failed)).words(), ["report facts [] at 0"]);
    assert!(followed.input(Input::Reported).words().is_empty(), "neither read nor synced");
    assert_eq!(followed.wait(READ_RETRY).words(), ["read to 30"]);
}

#[test]
fn an_announced_end_that_is_not_there_is_not_read_again_and_again() {
    let mut followed = Followed::of(Driver::Stream, 30);
    followed.input(Input::Reported).words();
    followed.input(chunk(vec![], Progress::End)).input(Input::Reported);
    assert_eq!(followed.words(), ["report facts [] at 0", "report synced"]);
    assert_eq!(followed.input(Input::Reported).input(appended(31)).words(), ["read to 31"]);
}

#[test]
fn a_host_whose_journal_hides_its_end_is_asked_for_it_and_released() {
    let mut followed = Followed::of(Driver::Stream, 30);
    followed.input(Input::Reported).words();
    let damaged = Chunk { facts: vec![], progress: Progress::End, wedged: true, state: state(10) };
    followed.input(Input::Read(damaged)).input(Input::Reported).words();
    assert_eq!(followed.wait(READ_RETRY).words(), ["status"]);
    assert_eq!(followed.wait(READ_RETRY).words(), ["status"]);
    assert_eq!(followed.input(is_exited()).words(), ["release"]);
    assert_eq!(followed.input(Input::Broken).words(), ["end broken"], "what it left is cleaned up");
}

#[test]
fn a_host_with_a_sound_journal_is_not_released_because_it_says_that_claude_exited() {
    assert!(Followed::synced(Driver::Stream).input(is_exited()).words().is_empty());
}

#[test]
fn facts_are_reported_before_a_stall_and_a_stall_before_a_refusal() {
    let mut followed = Followed::synced(Driver::Stream);
    followed.input(appended(20));
    followed.input(chunk(vec![], Progress::To(20))).words();
    followed.input(Input::Frame(FromHost::Refused("no".to_owned())));
    followed.input(Input::Frame(FromHost::Stalled(Some("full".to_owned()))));
    followed.input(Input::Frame(FromHost::Stalled(None))).input(appended(30));
    assert!(followed.words().is_empty());
    assert_eq!(followed.input(Input::Reported).words(), ["read to 30"]);
    followed.input(chunk(vec![], Progress::To(30))).words();
    assert_eq!(followed.input(Input::Reported).words(), ["report stalled None"], "the latest one");
    assert_eq!(followed.input(Input::Reported).words(), ["report refused"]);
}

#[test]
fn a_host_that_does_not_stop_is_killed_once() {
    let mut followed = Followed::synced(Driver::Stream);
    followed.input(stop_order());
    followed.wait(STOP_PATIENCE / 2).input(stop_order()).words();
    assert_eq!(followed.wait(STOP_PATIENCE / 2).words(), ["kill the host"]);
    assert!(followed.wait(STOP_PATIENCE).words().is_empty());
}

#[test]
fn a_host_whose_journal_delayed_its_end_has_the_whole_time_again() {
    let mut followed = Followed::synced(Driver::Stream);
    followed.input(stop_order()).input(Input::Frame(FromHost::Stalled(Some("full".to_owned()))));
    followed.input(Input::Reported).words();
    assert!(followed.wait(2 * STOP_PATIENCE).words().is_empty());
    followed.input(Input::Frame(FromHost::Stalled(None))).input(Input::Reported).words();
    assert!(followed.wait(STOP_PATIENCE - READ_RETRY).words().is_empty(), "it records the end of Claude");
    assert_eq!(followed.wait(READ_RETRY).words(), ["kill the host"]);
}

#[test]
fn a_released_host_is_followed_to_its_exit() {
    let mut followed = Followed::synced(Driver::Stream);
    followed.input(Input::Order(HostOrder::Release)).input(Input::OrdersEnded);
    assert_eq!(followed.words(), ["release"]);
    assert!(!followed.following.takes_orders());
    assert_eq!(followed.input(Input::Broken).words(), ["end released"]);
}

#[test]
fn a_host_that_was_not_released_continues_without_this_daemon() {
    assert_eq!(Followed::synced(Driver::Stream).input(Input::OrdersEnded).words(), ["end over"]);
    assert_eq!(Followed::of(Driver::Stream, 10).input(Input::CoreEnded).words().pop().unwrap(), "end over");
}

#[test]
fn a_broken_connection_ends_when_the_core_has_the_last_report() {
    let mut followed = Followed::of(Driver::Stream, 30);
    followed.words();
    assert!(followed.input(Input::Broken).words().is_empty());
    assert!(!followed.following.is_connected() && followed.following.deadline().is_none());
    assert!(followed.input(stop_order()).words().is_empty(), "there is no host to write to");
    assert_eq!(followed.input(Input::Reported).words(), ["end broken"]);
}

#[test]
fn claude_is_polled_when_the_core_knows_the_journal_and_one_poll_at_a_time() {
    let mut followed = Followed::of(Driver::Terminal, 10);
    followed.words();
    while followed.following.reporting {
        assert_eq!(followed.actions.iter().filter(|action| matches!(action, Action::Poll(_))).count(), 0);
        followed.input(Input::Reported);
    }
    assert_eq!(followed.words().last().unwrap(), "poll");
    assert!(followed.wait(Duration::from_secs(60)).words().is_empty(), "the first one hangs");
    assert_eq!(followed.input(appended(20)).words(), ["read to 20"], "it delays nothing");
    followed.input(chunk(vec![], Progress::To(20))).input(Input::Reported).words();
    assert!(followed.input(Input::Polled(None)).words().is_empty());
    assert_eq!(followed.wait(Duration::from_millis(200)).words(), ["poll"]);
}

#[test]
fn a_stream_is_not_polled() {
    let mut followed = Followed::synced(Driver::Stream);
    assert_eq!(followed.following.deadline(), None);
    assert!(followed.wait(Duration::from_secs(60)).words().is_empty());
}
