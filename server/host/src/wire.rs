//! The protocol between the host and the daemon, viewers of its terminal, and hooks: frames on the host's socket.
//!
//! A frame is a `u32` length (little endian, as every number here) of what follows, a kind byte and a payload. The
//! frames of contract 1 stay valid; later contracts add kinds, and fields at the end of a payload. An older side
//! ignores both.

use super::key::Key;

/// The newest contract that this program speaks. Contract 2 added [`FromHost::Stalled`]; contract 3 added terminals,
/// viewers and hooks; contract 4 added the key.
pub const CONTRACT: u32 = 4;

/// The first contract in which a host reports that its journal cannot be written.
pub const REPORTS_STALLS: u32 = 2;

/// Maximum bytes after a frame's length: room for the largest message with pictures that Claude accepts, and no more
/// than a host can hold for a moment.
pub const MAX_FRAME: usize = areyouj_journal::MAX_PAYLOAD;

/// Maximum bytes after the length of a frame from a viewer: more keys than a person pastes at once.
pub const MAX_VIEWER_FRAME: usize = 1 << 20;

/// Maximum bytes after the length of the first frame of a daemon or viewer: room for the fields of later contracts.
pub const MAX_INTRODUCTION: usize = 1 << 10;

/// Bytes before a frame's kind.
const LENGTH: usize = 4;

/// From the daemon to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToHost {
    /// The first frame of a connection, which replaces an earlier connection. Answered by Welcome, or by Refused if the
    /// host has another key.
    Hello {
        /// The newest contract that the daemon speaks.
        contract: u32,
        /// The key of the launch, if the daemon has it. Since contract 4.
        key: Option<Key>,
    },
    /// Asks for [`FromHost::Appended`] whenever the journal grows beyond this offset.
    Subscribe {
        /// The length that the daemon knows.
        from: u64,
    },
    /// Bytes for Claude's standard input, at most [`MAX_FRAME`] less one.
    Write(Vec<u8>),
    /// Ends Claude: closes its input, then SIGTERM, then SIGKILL.
    Stop {
        /// Milliseconds between the first and the second.
        close_grace_ms: u32,
        /// Milliseconds between the second and the third.
        kill_grace_ms: u32,
    },
    /// The daemon has ingested the journal up to this offset; the part before it can be deleted.
    Ingested {
        /// The offset.
        offset: u64,
    },
    /// Asks for State.
    Status,
    /// The daemon has ingested the end of Claude: the host can exit.
    Release,
    /// The first frame of a viewer's connection: asks for the terminal's screen. Answered by Screen or Refused. Since
    /// contract 3, as all that follows.
    Attach {
        /// The newest contract that the viewer speaks.
        contract: u32,
        /// The size of the viewer's own terminal.
        size: Size,
        /// The viewer only watches: the host ignores what it types and its size.
        read_only: bool,
    },
    /// From a viewer: keys that a person pressed.
    Typed(Vec<u8>),
    /// From a viewer: its terminal's new size.
    Resize(Size),
    /// The first frame of a hook's connection: Claude's report. Answered by HookDone, at once or, if it `waits`, when
    /// the daemon has sent AnswerHook.
    Hook {
        /// Claude waits for an answer.
        waits: bool,
        /// What Claude wrote to the hook's standard input.
        bytes: Vec<u8>,
    },
    /// From the daemon: releases a waiting hook.
    AnswerHook {
        /// The offset of the hook's record in the journal.
        hook: u64,
        /// What the hook must print; empty for nothing.
        bytes: Vec<u8>,
    },
    /// A kind of a later contract.
    Unknown(u8),
}

/// The size of a terminal, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its width.
    pub columns: u16,
    /// Its height.
    pub rows: u16,
}

/// From the host to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromHost {
    /// The answer to Hello.
    Welcome {
        /// The contract to use: the newest that both speak.
        contract: u32,
        /// The number of the launch.
        launch: u32,
        /// The host's process id.
        host_pid: u32,
        /// Claude's process id while it runs.
        claude_pid: Option<u32>,
        /// The end of the journal.
        end: u64,
        /// The host has a key, and obeys no daemon without it. Since contract 4.
        keyed: bool,
    },
    /// The journal has grown. The host combines growth in quick succession.
    Appended {
        /// The end of the journal.
        end: u64,
    },
    /// The answer to Status.
    State {
        /// Claude's process id while it runs.
        claude_pid: Option<u32>,
        /// Claude's end, or the failure to start it, is in the journal and on disk.
        exited: bool,
        /// The end of the journal.
        end: u64,
        /// Bytes that wait for Claude to read them.
        pending_input: u64,
    },
    /// The host did not carry out a Write, AnswerHook or Release, and why.
    Refused(String),
    /// Why the journal cannot be written; `None` when it can be again. Meanwhile Claude's output stays in its pipes,
    /// and the host keeps a Write until it can be recorded. Since contract 2.
    Stalled(Option<String>),
    /// To a viewer: bytes that make its terminal show the screen, whatever it showed before. Sent first, after a
    /// change of the terminal's size, and in place of output that the viewer was too slow for. Since contract 3, as
    /// all that follows.
    Screen {
        /// The terminal's size.
        size: Size,
        /// What to write to the viewer's terminal. The beginning only of a huge screen, whose rest is sent as output.
        bytes: Vec<u8>,
    },
    /// To a viewer: more of Claude's output.
    Output(Vec<u8>),
    /// To a hook: what to print. The hook is done.
    HookDone(Vec<u8>),
    /// A kind of a later contract.
    Unknown(u8),
}

/// The bytes are not a frame. The connection cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The length is out of bounds.
    #[error("invalid frame length: {0} bytes")]
    Length(u32),
    /// The payload is shorter than its kind demands.
    #[error("a frame of kind {0} is too short")]
    Short(u8),
}

mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const SUBSCRIBE: u8 = 2;
    pub(super) const WRITE: u8 = 3;
    // 4 and 5 closed Claude's input and sent it a signal. No daemon ever sent them. Hosts of contracts 1 to 3 obey them,
    // so these numbers must not get another meaning.
    pub(super) const STOP: u8 = 6;
    pub(super) const INGESTED: u8 = 7;
    pub(super) const STATUS: u8 = 8;
    pub(super) const RELEASE: u8 = 9;
    pub(super) const ATTACH: u8 = 10;
    pub(super) const TYPED: u8 = 11;
    pub(super) const RESIZE: u8 = 12;
    pub(super) const HOOK: u8 = 13;
    pub(super) const ANSWER_HOOK: u8 = 14;
    pub(super) const WELCOME: u8 = 129;
    pub(super) const APPENDED: u8 = 130;
    pub(super) const STATE: u8 = 131;
    pub(super) const REFUSED: u8 = 132;
    pub(super) const STALLED: u8 = 133;
    pub(super) const SCREEN: u8 = 134;
    pub(super) const OUTPUT: u8 = 135;
    pub(super) const HOOK_DONE: u8 = 136;
}

impl ToHost {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            ToHost::Hello { contract, key } => {
                let key = key.as_ref().map_or(&[][..], |key| key.bytes());
                frame(out, kind::HELLO, &[&contract.to_le_bytes(), key]);
            }
            ToHost::Subscribe { from } => frame(out, kind::SUBSCRIBE, &[&from.to_le_bytes()]),
            ToHost::Write(bytes) => frame(out, kind::WRITE, &[bytes]),
            ToHost::Stop { close_grace_ms, kill_grace_ms } => {
                frame(out, kind::STOP, &[&close_grace_ms.to_le_bytes(), &kill_grace_ms.to_le_bytes()]);
            }
            ToHost::Ingested { offset } => frame(out, kind::INGESTED, &[&offset.to_le_bytes()]),
            ToHost::Status => frame(out, kind::STATUS, &[]),
            ToHost::Release => frame(out, kind::RELEASE, &[]),
            ToHost::Attach { contract, size, read_only } => {
                frame(out, kind::ATTACH, &[&contract.to_le_bytes(), &size.encode(), &[u8::from(*read_only)]]);
            }
            ToHost::Typed(bytes) => frame(out, kind::TYPED, &[bytes]),
            ToHost::Resize(size) => frame(out, kind::RESIZE, &[&size.encode()]),
            ToHost::Hook { waits, bytes } => frame(out, kind::HOOK, &[&[u8::from(*waits)], bytes]),
            ToHost::AnswerHook { hook, bytes } => {
                frame(out, kind::ANSWER_HOOK, &[&hook.to_le_bytes(), bytes]);
            }
            ToHost::Unknown(kind) => frame(out, *kind, &[]),
        }
    }

    /// Reads the first frame of the buffer, and returns it with its length in bytes; `None` while it is incomplete.
    pub fn decode(buffer: &[u8]) -> Result<Option<(ToHost, usize)>, WireError> {
        let Some(Raw { kind, payload, taken }) = split(buffer)? else { return Ok(None) };
        let mut fields = Fields { kind, rest: payload };
        let frame = match kind {
            kind::HELLO => ToHost::Hello { contract: fields.u32()?, key: fields.key() },
            kind::SUBSCRIBE => ToHost::Subscribe { from: fields.u64()? },
            kind::WRITE => ToHost::Write(payload.to_vec()),
            kind::STOP => ToHost::Stop { close_grace_ms: fields.u32()?, kill_grace_ms: fields.u32()? },
            kind::INGESTED => ToHost::Ingested { offset: fields.u64()? },
            kind::STATUS => ToHost::Status,
            kind::RELEASE => ToHost::Release,
            kind::ATTACH => {
                ToHost::Attach { contract: fields.u32()?, size: fields.size()?, read_only: fields.flag()? }
            }
            kind::TYPED => ToHost::Typed(payload.to_vec()),
            kind::RESIZE => ToHost::Resize(fields.size()?),
            kind::HOOK => ToHost::Hook { waits: fields.flag()?, bytes: fields.rest.to_vec() },
            kind::ANSWER_HOOK => ToHost::AnswerHook { hook: fields.u64()?, bytes: fields.rest.to_vec() },
            unknown => ToHost::Unknown(unknown),
        };
        Ok(Some((frame, taken)))
    }
}

impl FromHost {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            FromHost::Welcome { contract, launch, host_pid, claude_pid, end, keyed } => frame(
                out,
                kind::WELCOME,
                &[
                    &contract.to_le_bytes(),
                    &launch.to_le_bytes(),
                    &host_pid.to_le_bytes(),
                    &claude_pid.unwrap_or(0).to_le_bytes(),
                    &end.to_le_bytes(),
                    if *keyed { &[1] } else { &[] },
                ],
            ),
            FromHost::Appended { end } => frame(out, kind::APPENDED, &[&end.to_le_bytes()]),
            FromHost::State { claude_pid, exited, end, pending_input } => frame(
                out,
                kind::STATE,
                &[
                    &claude_pid.unwrap_or(0).to_le_bytes(),
                    &[u8::from(*exited)],
                    &end.to_le_bytes(),
                    &pending_input.to_le_bytes(),
                ],
            ),
            FromHost::Refused(why) => frame(out, kind::REFUSED, &[why.as_bytes()]),
            FromHost::Stalled(why) => {
                frame(out, kind::STALLED, &[why.as_deref().unwrap_or_default().as_bytes()]);
            }
            FromHost::Screen { size, bytes } => frame(out, kind::SCREEN, &[&size.encode(), bytes]),
            FromHost::Output(bytes) => frame(out, kind::OUTPUT, &[bytes]),
            FromHost::HookDone(bytes) => frame(out, kind::HOOK_DONE, &[bytes]),
            FromHost::Unknown(kind) => frame(out, *kind, &[]),
        }
    }

    /// The first bytes of an Output frame with so many bytes, which are sent from where they are.
    pub fn output_header(length: usize) -> [u8; LENGTH + 1] {
        let [a, b, c, d] = u32::try_from(1 + length).unwrap_or(u32::MAX).to_le_bytes();
        [a, b, c, d, kind::OUTPUT]
    }

    /// The payload of the first frame of the buffer, and the frame's length; `None` if it is incomplete or not an
    /// Output.
    pub fn output(buffer: &[u8]) -> Option<(&[u8], usize)> {
        let Raw { kind, payload, taken } = split(buffer).ok()??;
        (kind == kind::OUTPUT).then_some((payload, taken))
    }

    /// Reads the first frame of the buffer, and returns it with its length in bytes; `None` while it is incomplete.
    pub fn decode(buffer: &[u8]) -> Result<Option<(FromHost, usize)>, WireError> {
        let Some(Raw { kind, payload, taken }) = split(buffer)? else { return Ok(None) };
        let mut fields = Fields { kind, rest: payload };
        let frame = match kind {
            kind::WELCOME => FromHost::Welcome {
                contract: fields.u32()?,
                launch: fields.u32()?,
                host_pid: fields.u32()?,
                claude_pid: fields.pid()?,
                end: fields.u64()?,
                keyed: fields.flag().unwrap_or(false),
            },
            kind::APPENDED => FromHost::Appended { end: fields.u64()? },
            kind::STATE => FromHost::State {
                claude_pid: fields.pid()?,
                exited: fields.flag()?,
                end: fields.u64()?,
                pending_input: fields.u64()?,
            },
            kind::REFUSED => FromHost::Refused(String::from_utf8_lossy(payload).into_owned()),
            kind::STALLED => FromHost::Stalled(
                (!payload.is_empty()).then(|| String::from_utf8_lossy(payload).into_owned()),
            ),
            kind::SCREEN => FromHost::Screen { size: fields.size()?, bytes: fields.rest.to_vec() },
            kind::OUTPUT => FromHost::Output(payload.to_vec()),
            kind::HOOK_DONE => FromHost::HookDone(payload.to_vec()),
            unknown => FromHost::Unknown(unknown),
        };
        Ok(Some((frame, taken)))
    }
}

impl Size {
    /// The columns, then the rows.
    pub(super) fn encode(self) -> [u8; 4] {
        let ([first, second], [third, fourth]) = (self.columns.to_le_bytes(), self.rows.to_le_bytes());
        [first, second, third, fourth]
    }
}

/// Appends one frame whose payload is these parts in order.
fn frame(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    // A length beyond the limit saturates instead of wrapping, so that the other side rejects it.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// The first frame of a connection: it decides what the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Introduction {
    /// A daemon that wants to give orders.
    Hello,
    /// A viewer.
    Attach,
    /// A hook.
    Hook,
    /// Anything else.
    Other,
}

/// What the first frame of the buffer is, and the number of bytes after its length, before the rest is there; `None` until
/// its kind is.
pub(super) fn introduction(buffer: &[u8]) -> Option<(Introduction, usize)> {
    let (length, rest) = buffer.split_first_chunk::<LENGTH>()?;
    let introduction = match *rest.first()? {
        kind::HELLO => Introduction::Hello,
        kind::ATTACH => Introduction::Attach,
        kind::HOOK => Introduction::Hook,
        _ => Introduction::Other,
    };
    Some((introduction, usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX)))
}

/// A frame with an unread payload.
struct Raw<'a> {
    kind: u8,
    payload: &'a [u8],
    /// The bytes of the whole frame.
    taken: usize,
}

/// The first frame, if it is complete.
fn split(buffer: &[u8]) -> Result<Option<Raw<'_>>, WireError> {
    let Some((length, rest)) = buffer.split_first_chunk::<LENGTH>() else { return Ok(None) };
    let announced = u32::from_le_bytes(*length);
    let length = usize::try_from(announced).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_FRAME {
        return Err(WireError::Length(announced));
    }
    Ok(rest.get(..length).and_then(|body| {
        let (kind, payload) = body.split_first()?;
        Some(Raw { kind: *kind, payload, taken: LENGTH + length })
    }))
}

/// The fields of a payload, read in order.
struct Fields<'a> {
    kind: u8,
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(WireError::Short(self.kind))?;
        self.rest = rest;
        Ok(*field)
    }

    fn u32(&mut self) -> Result<u32, WireError> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, WireError> {
        self.take().map(u64::from_le_bytes)
    }

    fn flag(&mut self) -> Result<bool, WireError> {
        Ok(self.take::<1>()? != [0])
    }

    fn size(&mut self) -> Result<Size, WireError> {
        let [columns, rows] = [self.take()?, self.take()?].map(u16::from_le_bytes);
        Ok(Size { columns, rows })
    }

    /// A side without a key, or of an earlier contract, sends none.
    fn key(&mut self) -> Option<Key> {
        self.take().map(Key::new).ok()
    }

    fn pid(&mut self) -> Result<Option<u32>, WireError> {
        self.u32().map(|pid| (pid != 0).then_some(pid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KEY_BYTES;
    use proptest::prelude::*;

    fn to_host() -> impl Strategy<Value = ToHost> {
        prop_oneof![
            (any::<u32>(), proptest::option::of(any::<[u8; KEY_BYTES]>()))
                .prop_map(|(contract, key)| ToHost::Hello { contract, key: key.map(Key::new) }),
            any::<u64>().prop_map(|from| ToHost::Subscribe { from }),
            any::<Vec<u8>>().prop_map(ToHost::Write),
            any::<(u32, u32)>()
                .prop_map(|(close_grace_ms, kill_grace_ms)| ToHost::Stop { close_grace_ms, kill_grace_ms }),
            any::<u64>().prop_map(|offset| ToHost::Ingested { offset }),
            Just(ToHost::Status),
            Just(ToHost::Release),
            (any::<u32>(), size(), any::<bool>()).prop_map(|(contract, size, read_only)| ToHost::Attach {
                contract,
                size,
                read_only
            }),
            any::<Vec<u8>>().prop_map(ToHost::Typed),
            size().prop_map(ToHost::Resize),
            any::<(bool, Vec<u8>)>().prop_map(|(waits, bytes)| ToHost::Hook { waits, bytes }),
            any::<(u64, Vec<u8>)>().prop_map(|(hook, bytes)| ToHost::AnswerHook { hook, bytes }),
            (200_u8..).prop_map(ToHost::Unknown),
        ]
    }

    fn size() -> impl Strategy<Value = Size> {
        any::<(u16, u16)>().prop_map(|(columns, rows)| Size { columns, rows })
    }

    fn pid() -> impl Strategy<Value = Option<u32>> {
        proptest::option::of(1_u32..)
    }

    fn from_host() -> impl Strategy<Value = FromHost> {
        prop_oneof![
            (any::<(u32, u32, u32, u64, bool)>(), pid()).prop_map(
                |((contract, launch, host_pid, end, keyed), claude_pid)| FromHost::Welcome {
                    contract,
                    launch,
                    host_pid,
                    claude_pid,
                    end,
                    keyed
                }
            ),
            any::<u64>().prop_map(|end| FromHost::Appended { end }),
            (any::<(bool, u64, u64)>(), pid()).prop_map(|((exited, end, pending_input), claude_pid)| {
                FromHost::State { claude_pid, exited, end, pending_input }
            }),
            any::<String>().prop_map(FromHost::Refused),
            proptest::option::of(".+").prop_map(FromHost::Stalled),
            (size(), any::<Vec<u8>>()).prop_map(|(size, bytes)| FromHost::Screen { size, bytes }),
            any::<Vec<u8>>().prop_map(FromHost::Output),
            any::<Vec<u8>>().prop_map(FromHost::HookDone),
            (200_u8..).prop_map(FromHost::Unknown),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            to in proptest::collection::vec(to_host(), 0..8),
            from in proptest::collection::vec(from_host(), 0..8),
        ) {
            let mut buffer = Vec::new();
            to.iter().for_each(|frame| frame.encode(&mut buffer));
            let mut rest = &buffer[..];
            for frame in &to {
                let (decoded, taken) = ToHost::decode(rest).unwrap().unwrap();
                prop_assert_eq!(&decoded, frame);
                rest = &rest[taken..];
            }
            prop_assert!(rest.is_empty());

            let mut buffer = Vec::new();
            from.iter().for_each(|frame| frame.encode(&mut buffer));
            let mut rest = &buffer[..];
            for frame in &from {
                let (decoded, taken) = FromHost::decode(rest).unwrap().unwrap();
                prop_assert_eq!(&decoded, frame);
                rest = &rest[taken..];
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn a_frame_cut_anywhere_is_not_complete_yet(frame in to_host()) {
            let mut buffer = Vec::new();
            frame.encode(&mut buffer);
            for cut in 0..buffer.len() {
                prop_assert_eq!(ToHost::decode(&buffer[..cut]), Ok(None));
            }
        }

        #[test]
        fn no_bytes_can_upset_the_decoders(
            bytes in any::<Vec<u8>>(),
            kind in any::<u8>(),
            payload in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let _ = ToHost::decode(&bytes);
            let _ = FromHost::decode(&bytes);
            let mut framed = Vec::new();
            frame(&mut framed, kind, &[&payload]);
            if let Ok(Some((_, taken))) = ToHost::decode(&framed) {
                prop_assert_eq!(taken, framed.len());
            }
            if let Ok(Some((_, taken))) = FromHost::decode(&framed) {
                prop_assert_eq!(taken, framed.len());
            }
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_its_bytes_arrive() {
        let length = (MAX_FRAME as u32 + 1).to_le_bytes();
        assert_eq!(ToHost::decode(&length), Err(WireError::Length(MAX_FRAME as u32 + 1)));
        assert_eq!(FromHost::decode(&[0, 0, 0, 0]), Err(WireError::Length(0)));
    }

    #[test]
    fn the_retired_kinds_are_ignored_like_unknown_ones() {
        for retired in [4, 5] {
            let mut framed = Vec::new();
            frame(&mut framed, retired, &[&15_i32.to_le_bytes()]);
            assert_eq!(ToHost::decode(&framed), Ok(Some((ToHost::Unknown(retired), framed.len()))));
        }
    }

    #[test]
    fn fields_of_a_later_contract_are_passed_over() {
        let mut framed = Vec::new();
        frame(&mut framed, kind::HELLO, &[&7_u32.to_le_bytes(), b"more"]);
        let hello = ToHost::Hello { contract: 7, key: None };
        assert_eq!(ToHost::decode(&framed), Ok(Some((hello, framed.len()))));
        assert_eq!(ToHost::decode(&framed[..7]), Ok(None));
    }
}
