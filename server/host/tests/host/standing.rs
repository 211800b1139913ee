//! Who may do what on the host's socket.

use std::io::{Read, Write};

use areyouj_host::key::{KEY_BYTES, Key};
use areyouj_host::launch::Sizing;
use areyouj_host::wire::{CONTRACT, FromHost, ToHost};
use areyouj_journal::{Kind, Origin, Record, Refused, Tried};

use crate::session::{Controller, KEY, Session};
use crate::viewer::{SIZE, Viewer, at_terminal};

fn refusals(records: &[Record]) -> Vec<Refused> {
    let refused = records.iter().filter(|record| record.kind == Kind::Refused);
    refused.map(|record| Refused::decode(&record.payload).unwrap()).collect()
}

/// What was refused, once there are so many.
fn refused(session: &Session, controller: &mut Controller, count: usize) -> Vec<Refused> {
    let records =
        controller.records_until(&mut session.journal(), |records| refusals(records).len() >= count);
    refusals(&records)
}

/// Sends these frames, and expects to be refused and hung up on.
fn is_refused(mut connection: Controller, frames: &[ToHost]) {
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| frame.encode(&mut bytes));
    // The host can have closed the connection before it was written to.
    let _ = connection.stream.write_all(&bytes);
    match connection.try_receive() {
        Some(FromHost::Refused(_)) => assert_eq!(connection.try_receive(), None),
        // What the host did not read makes the kernel drop what it sent.
        None => {}
        other => panic!("{other:?}"),
    }
}

fn hello(key: Option<Key>) -> ToHost {
    ToHost::Hello { contract: CONTRACT, key }
}

/// Everything that a program could want from a host.
fn attempts() -> [Vec<ToHost>; 4] {
    let write = ToHost::Write(b"forged\n".to_vec());
    let stop = ToHost::Stop { close_grace_ms: 0, kill_grace_ms: 0 };
    let answer = ToHost::AnswerHook { hook: 0, bytes: b"{}".to_vec() };
    let attach = ToHost::Attach { contract: CONTRACT, size: SIZE, read_only: false };
    [
        vec![hello(None), write.clone(), answer],
        vec![hello(Some(Key::new([1; KEY_BYTES]))), stop],
        vec![hello(Some(Key::new(KEY))), write],
        vec![attach, ToHost::Typed(b"forged\r".to_vec())],
    ]
}

#[test]
fn a_host_obeys_no_daemon_without_the_key() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let [without, wrong, ..] = attempts();
    is_refused(session.connect_silently(), &without);
    is_refused(session.connect_silently(), &wrong);
    let refused = refused(&session, &mut controller, 2);
    for refused in refused {
        assert_eq!((refused.origin, refused.tried), (Origin::Outside, Tried::WrongKey));
        assert_eq!(refused.pid, std::process::id());
        assert!(!refused.name.is_empty());
    }
    // The daemon that has the key is not disturbed.
    controller.write("genuine\n");
    assert_eq!(controller.output(&mut session.journal(), 8), b"genuine\n");
}

#[test]
fn a_host_without_a_key_obeys_any_daemon_of_the_person() {
    let mut session = Session::of("/bin/cat", &[]);
    session.key = None;
    session.start();
    let mut other = session.connect_silently();
    other.send(&hello(Some(Key::new([1; KEY_BYTES]))));
    assert!(matches!(other.receive(), Some(FromHost::Welcome { contract: CONTRACT, .. })));
}

#[test]
fn a_process_inside_the_session_gives_no_orders_even_with_the_key() {
    for orphan in [false, true] {
        let mut session = at_terminal("while read -r line; do echo \"got $line\"; done", Sizing::Smallest);
        session.run_relay(orphan);
        let mut controller = session.start();
        for attempt in attempts() {
            is_refused(session.connect_inside(), &attempt);
        }
        let refused = refused(&session, &mut controller, 4);
        assert!(refused.iter().all(|refused| refused.origin == Origin::OwnSession), "{refused:?}");
        let tried: Vec<Tried> = refused.iter().map(|refused| refused.tried).collect();
        assert_eq!(tried, [Tried::Orders, Tried::Orders, Tried::Orders, Tried::Attach]);
        let mut viewer = Viewer::of(&session, SIZE, false);
        viewer.types("genuine\r");
        viewer.waits_for("got genuine");
        assert!(!viewer.shows("forged"));
    }
}

#[test]
fn a_process_inside_another_session_does_not_even_report_as_a_hook() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    for orphan in [false, true] {
        let mut other = Session::shell("read -r line");
        other.run_relay_to(&session.path("socket"), orphan);
        let _other_controller = other.start();
        let forged = ToHost::Hook { waits: true, bytes: b"{}".to_vec() };
        for attempt in attempts().into_iter().chain([vec![forged]]) {
            is_refused(other.connect_inside(), &attempt);
        }
    }
    let name = |refused: &Refused| (refused.origin, refused.tried, refused.name.clone());
    let refused = refused(&session, &mut controller, 10);
    let expected = (Origin::OtherSession, Tried::Connect, "python3".to_owned());
    assert!(refused.iter().all(|refused| name(refused) == expected), "{refused:?}");
    assert!(refused.iter().all(|refused| !refused.session.is_empty()), "{refused:?}");
    controller.write("genuine\n");
    assert_eq!(controller.output(&mut session.journal(), 8), b"genuine\n");
}

#[test]
fn a_process_outside_of_the_session_does_not_report_as_a_hook() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let forged = ToHost::Hook { waits: true, bytes: b"{}".to_vec() };
    is_refused(session.connect_silently(), &[forged]);
    let refused = refused(&session, &mut controller, 1);
    assert_eq!((refused[0].origin, refused[0].tried), (Origin::Outside, Tried::Hook));
}

#[test]
fn refusals_beyond_a_bound_are_counted() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    for _ in 0..40 {
        is_refused(session.connect_silently(), &[hello(None)]);
    }
    controller.send(&ToHost::Stop { close_grace_ms: 0, kill_grace_ms: 0 });
    let refusals = refusals(&session.records_to_the_end(&mut controller));
    assert_eq!(refusals.len(), 17);
    assert_eq!(refusals.last().unwrap().more, 24);
}

#[test]
fn a_first_frame_that_is_not_allowed_costs_no_memory() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    // A frame of 60 MB of each kind, which an older host read to its end before it checked it.
    for kind in [1, 3, 10, 13, 200_u8] {
        let mut stranger = session.connect_silently();
        let length = 60_000_000_u32.to_le_bytes();
        stranger.stream.write_all(&[&length[..], &[kind]].concat()).unwrap();
        let piece = vec![0; 1 << 20];
        let all_read = (0..57).all(|_| stranger.stream.write_all(&piece).is_ok());
        assert!(!all_read, "kind {kind}");
    }
    controller.write("genuine\n");
    assert_eq!(controller.output(&mut session.journal(), 8), b"genuine\n");
}

#[test]
fn the_connections_of_one_process_are_bounded_and_end_when_it_says_nothing() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let mut silent: Vec<Controller> = (0..12).map(|_| session.connect_silently()).collect();
    for excess in &mut silent[8..] {
        assert!(matches!(excess.receive(), Some(FromHost::Refused(_))));
        assert_eq!(excess.receive(), None);
    }
    // The others reach their deadline.
    for connection in &mut silent[..8] {
        assert_eq!(connection.stream.read(&mut [0; 1]).unwrap(), 0);
    }
    controller.write("genuine\n");
    assert_eq!(controller.output(&mut session.journal(), 8), b"genuine\n");
}

#[test]
fn the_key_is_in_no_file_argument_or_environment_of_the_host() {
    let mut session = Session::of("/bin/cat", &[]);
    let mut controller = session.start();
    let claude = controller.status().0.unwrap();
    let host = session.host_pid();
    let mut readable = vec![std::fs::read(session.path("launch")).unwrap_or_default()];
    for file in ["cmdline", "environ"] {
        readable.push(std::fs::read(format!("/proc/{host}/{file}")).unwrap_or_default());
        readable.push(std::fs::read(format!("/proc/{claude}/{file}")).unwrap());
    }
    for bytes in readable {
        assert!(!bytes.windows(KEY_BYTES).any(|window| window == KEY));
    }
    assert!(std::fs::read_link(format!("/proc/{host}/fd/0")).map_or(true, |input| input.ends_with("null")));
}
