//! The one method table: every request and notification, its direction, parameters and result.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::*;

/// A request's name, parameters and result, as types.
pub trait Request {
    /// The name on the wire.
    const METHOD: Method;
    /// The parameters.
    type Params: Serialize + DeserializeOwned;
    /// The result.
    type Result: Serialize + DeserializeOwned;
}

/// A notification's name and parameters, as types.
pub trait Notification {
    /// The name on the wire.
    const METHOD: &'static str;
    /// The parameters.
    type Params: Serialize + DeserializeOwned;
}

macro_rules! method_table {
    (
        requests { $($(#[doc = $rdoc:literal])+ $request:ident = $rname:literal ($rparams:ty) -> $result:ty;)+ }
        notifications { $($(#[doc = $ndoc:literal])+ $notification:ident = $nname:literal ($nparams:ty);)+ }
    ) => {
        /// Every request from a client to the daemon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {
            $($(#[doc = $rdoc])+ $request,)+
        }

        impl Method {
            /// All methods, in the order of the documentation.
            pub const ALL: &[Method] = &[$(Method::$request,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Method::$request => $rname,)+ }
            }

            /// The method with this name.
            pub fn parse(name: &str) -> Option<Method> {
                match name { $($rname => Some(Method::$request),)+ _ => None }
            }
        }

        /// The requests as types, for [`Request`].
        pub mod request {
            $($(#[doc = $rdoc])+ #[derive(Debug)] pub struct $request;)+
        }
        $(impl Request for request::$request {
            const METHOD: Method = Method::$request;
            type Params = $rparams;
            type Result = $result;
        })+

        /// The notifications from the daemon as types, for [`Notification`].
        pub mod notification {
            $($(#[doc = $ndoc])+ #[derive(Debug)] pub struct $notification;)+
        }
        $(impl Notification for notification::$notification {
            const METHOD: &'static str = $nname;
            type Params = $nparams;
        })+

        /// Calls a macro with the names of all requests, as they are in [`Method`] and [`request`]:
        /// `each_request!(callback)` expands to `callback!(Initialize Shutdown …)`.
        #[macro_export]
        macro_rules! each_request {
            ($callback:ident) => { $callback!($($request)+) };
        }

        /// The table as data for the generator: name, description, schema of the parameters, schema of the result.
        #[cfg(feature = "schema")]
        pub fn table(generator: &mut schemars::SchemaGenerator) -> Table {
            Table {
                requests: vec![$(TableRow {
                    method: $rname,
                    description: concat!($($rdoc,)+).trim(),
                    params: generator.subschema_for::<$rparams>(),
                    result: Some(generator.subschema_for::<$result>()),
                },)+],
                notifications: vec![$(TableRow {
                    method: $nname,
                    description: concat!($($ndoc,)+).trim(),
                    params: generator.subschema_for::<$nparams>(),
                    result: None,
                },)+],
            }
        }
    };
}

/// The method table as data.
#[cfg(feature = "schema")]
pub struct Table {
    /// From client to daemon, each with a response.
    pub requests: Vec<TableRow>,
    /// From daemon to client, without a response.
    pub notifications: Vec<TableRow>,
}

/// One method of the table.
#[cfg(feature = "schema")]
pub struct TableRow {
    /// The name on the wire.
    pub method: &'static str,
    /// The doc comment.
    pub description: &'static str,
    /// The schema of the parameters.
    pub params: schemars::Schema,
    /// The schema of the result; `None` for notifications.
    pub result: Option<schemars::Schema>,
}

method_table! {
    requests {
        /// Opens the connection. It must be the first request. A second one replaces the client's information and
        /// folders.
        Initialize = "initialize" (InitializeParams) -> InitializeResult;
        /// Announces the end of the connection. Sessions keep running.
        Shutdown = "shutdown" (Option<Empty>) -> Option<Empty>;
        /// Creates a session and returns immediately, with status `starting`.
        SessionCreate = "areyouj/session/create" (SessionCreateParams) -> SessionCreateResult;
        /// Lists sessions, newest first.
        SessionList = "areyouj/session/list" (SessionListParams) -> SessionList;
        /// Returns one session.
        SessionGet = "areyouj/session/get" (SessionParams) -> Session;
        /// Terminates a session: asks Claude to finish, then sends signals, then kills the whole process tree.
        SessionTerminate = "areyouj/session/terminate" (SessionActionParams) -> Session;
        /// Interrupts the running turn. Queued messages stay, and the queue pauses.
        SessionInterrupt = "areyouj/session/interrupt" (SessionActionParams) -> Session;
        /// Stops Claude if it is running, and starts it again with the same conversation.
        SessionRestart = "areyouj/session/restart" (SessionActionParams) -> Session;
        /// Switches the session to the other driver. The daemon waits for the running turn or interrupts it, stops
        /// Claude, and starts it with the other driver in the same conversation. Fails with `conversation_open` while
        /// another Claude process has the conversation open.
        SessionSwitch = "areyouj/session/switch" (SessionSwitchParams) -> Session;
        /// Sets or removes the name of a session.
        SessionRename = "areyouj/session/rename" (SessionRenameParams) -> Session;
        /// Adds a note to a session's transcript, which names its author. A process inside a session can add some to its
        /// own session.
        SessionNote = "areyouj/session/note" (SessionNoteParams) -> Empty;
        /// Deletes a terminated session permanently, with its transcript and journal.
        SessionDelete = "areyouj/session/delete" (SessionActionParams) -> Empty;
        /// Marks everything in a session as read.
        SessionRead = "areyouj/session/read" (SessionParams) -> Session;
        /// Returns the newest entries and subscribes to `areyouj/claudeOutput` from there.
        SessionAttach = "areyouj/session/attach" (AttachParams) -> AttachResult;
        /// Ends the subscription of `areyouj/session/attach`.
        SessionDetach = "areyouj/session/detach" (SessionParams) -> Empty;
        /// Lists the directories in a directory, to choose one for a session.
        DirectoryList = "areyouj/directory/list" (DirectoryListParams) -> DirectoryList;
        /// Checks whether a session can be created in a directory. A problem is reported as an error.
        DirectoryValidate = "areyouj/directory/validate" (DirectoryParams) -> DirectoryValid;
        /// Returns a page of a session's transcript.
        TranscriptRead = "areyouj/transcript/read" (TranscriptReadParams) -> TranscriptPage;
        /// Queues a message. The message is on disk before the daemon responds.
        QueueAdd = "areyouj/queue/add" (QueueAddParams) -> Message;
        /// Puts a message into the running turn or, without a running turn, at the head of the queue. To steer with a
        /// queued message, send its id and its text.
        QueueSteer = "areyouj/queue/steer" (QueueAddParams) -> Message;
        /// Returns the messages of a session.
        QueueList = "areyouj/queue/list" (QueueListParams) -> Queue;
        /// Changes the text of a queued message.
        QueueEdit = "areyouj/queue/edit" (QueueEditParams) -> Message;
        /// Cancels a queued message.
        QueueRemove = "areyouj/queue/remove" (MessageParams) -> Message;
        /// Moves a queued message to another position.
        QueueMove = "areyouj/queue/move" (QueueMoveParams) -> Message;
        /// Stops delivering messages after the running one.
        QueuePause = "areyouj/queue/pause" (SessionActionParams) -> Queue;
        /// Resumes delivering messages.
        QueueResume = "areyouj/queue/resume" (SessionActionParams) -> Queue;
        /// Cancels every queued message.
        QueueClear = "areyouj/queue/clear" (SessionActionParams) -> Queue;
        /// Decides what happens to a failed or interrupted message, and resumes the queue.
        QueueRecover = "areyouj/queue/recover" (QueueRecoverParams) -> Message;
        /// Lists open permission requests, oldest first.
        PermissionList = "areyouj/permission/list" (PermissionListParams) -> PermissionList;
        /// Answers a permission request. Only the first answer counts.
        PermissionAnswer = "areyouj/permission/answer" (PermissionAnswerParams) -> Permission;
        /// Returns a page of the audit trail, newest first.
        AuditList = "areyouj/audit/list" (AuditListParams) -> AuditPage;
        /// Returns the state of the daemon.
        DaemonStatus = "areyouj/daemon/status" (Empty) -> DaemonStatus;
        /// Stops the daemon. Sessions keep running unless `sessions` is set.
        DaemonStop = "areyouj/daemon/stop" (DaemonStopParams) -> Empty;
    }
    notifications {
        /// The list of sessions, or a session in it, changed.
        SessionListUpdate = "areyouj/sessionListUpdate" (SessionListUpdate);
        /// A session was created.
        SessionCreated = "areyouj/sessionCreated" (SessionCreated);
        /// A session was terminated.
        SessionTerminated = "areyouj/sessionTerminated" (SessionTerminated);
        /// A session's status changed. Only for clients that asked for it.
        SessionStatusChanged = "areyouj/sessionStatusChanged" (SessionStatusChanged);
        /// A session's queue changed.
        QueueUpdate = "areyouj/queueUpdate" (QueueUpdate);
        /// A permission request was opened, answered or withdrawn.
        PermissionUpdate = "areyouj/permissionUpdate" (PermissionUpdate);
        /// Output of a session to which this client is attached.
        ClaudeOutput = "areyouj/claudeOutput" (ClaudeOutput);
        /// This client was too slow: it must list and attach again.
        Resync = "areyouj/resync" (Resync);
        /// Sent by `areyouj lsp`: it lost its connection to the daemon, or restored it.
        ConnectionChanged = "areyouj/connectionChanged" (ConnectionChanged);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The methods that open and close a connection.
    const STANDARD: &[&str] = &["initialize", "shutdown"];

    #[test]
    fn every_method_parses_back_from_its_name() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(*method));
        }
        assert_eq!(Method::parse("areyouj/session/fly"), None);
        assert_eq!(Method::parse(""), None);
    }

    #[test]
    fn names_of_requests_are_unique_and_standard_or_a_noun_and_a_verb() {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let mut seen = HashSet::new();
        for name in Method::ALL.iter().map(|method| method.as_str()) {
            assert!(seen.insert(name), "{name} names two requests");
            let is_own = matches!(
                name.split('/').collect::<Vec<_>>()[..],
                ["areyouj", noun, verb] if is_word(noun) && is_word(verb)
            );
            assert!(is_own || STANDARD.contains(&name), "{name} is not areyouj/<noun>/<verb>");
        }
    }

    #[test]
    fn a_request_type_knows_its_row_of_the_table() {
        assert_eq!(<request::SessionCreate as Request>::METHOD.as_str(), "areyouj/session/create");
        assert_eq!(<notification::ClaudeOutput as Notification>::METHOD, "areyouj/claudeOutput");
    }

    #[cfg(feature = "schema")]
    #[test]
    fn the_table_describes_every_method_and_names_events_apart_from_requests() {
        let table = table(&mut schemars::SchemaGenerator::default());
        let requests: Vec<&str> = table.requests.iter().map(|row| row.method).collect();
        assert_eq!(requests, Method::ALL.iter().map(|method| method.as_str()).collect::<Vec<_>>());

        let mut seen = HashSet::new();
        for row in &table.notifications {
            assert!(seen.insert(row.method), "{} names two notifications", row.method);
            let event = row.method.strip_prefix("areyouj/").unwrap();
            assert!(event.bytes().all(|byte| byte.is_ascii_alphabetic()), "{event} is not one word");
            assert!(row.result.is_none());
        }
        assert!(table.requests.iter().all(|row| row.result.is_some()));
        assert!(table.requests.iter().chain(&table.notifications).all(|row| row.description.ends_with('.')));
    }
}
