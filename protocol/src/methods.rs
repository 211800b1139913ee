//! The one method table: every request and notification, its direction, parameters and result.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::*;

/// A request's name, parameters and result, as types.
pub trait Request {
    /// Its name on the wire.
    const METHOD: Method;
    /// Its parameters.
    type Params: Serialize + DeserializeOwned;
    /// Its result.
    type Result: Serialize + DeserializeOwned;
}

/// A notification's name and parameters, as types.
pub trait Notification {
    /// Its name on the wire.
    const METHOD: &'static str;
    /// Its parameters.
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
            /// All of them, in the order of the documentation.
            pub const ALL: &[Method] = &[$(Method::$request,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Method::$request => $rname,)+ }
            }

            /// The method of this name.
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

        /// The table as data, for the generator: name, description, schema of the parameters, schema of the result.
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
    /// From client to daemon, answered.
    pub requests: Vec<TableRow>,
    /// From daemon to client, not answered.
    pub notifications: Vec<TableRow>,
}

/// One method of the table.
#[cfg(feature = "schema")]
pub struct TableRow {
    /// Its name on the wire.
    pub method: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The schema of its parameters.
    pub params: schemars::Schema,
    /// The schema of its result; notifications have none.
    pub result: Option<schemars::Schema>,
}

method_table! {
    requests {
        /// Opens the connection; the first request. Sent again, it replaces what the client said of itself.
        Initialize = "initialize" (InitializeParams) -> InitializeResult;
        /// Announces the end of the connection; sessions go on.
        Shutdown = "shutdown" (Option<Empty>) -> Option<Empty>;
        /// Creates a session and answers at once with status `starting`.
        SessionCreate = "areyouj/session/create" (SessionCreateParams) -> SessionCreateResult;
        /// Lists sessions, newest first.
        SessionList = "areyouj/session/list" (SessionListParams) -> SessionList;
        /// One session.
        SessionGet = "areyouj/session/get" (SessionParams) -> Session;
        /// Ends a session: asks Claude to finish, then signals, then kills its whole process tree.
        SessionTerminate = "areyouj/session/terminate" (SessionActionParams) -> Session;
        /// Breaks off the running turn. Waiting messages stay, and the queue pauses.
        SessionInterrupt = "areyouj/session/interrupt" (SessionActionParams) -> Session;
        /// Stops Claude if it runs and starts it again with the same conversation.
        SessionRestart = "areyouj/session/restart" (SessionActionParams) -> Session;
        /// Moves the conversation to the other driver: once the running turn has ended, or breaking it off, Claude is ended and
        /// goes on there. Refused with `conversation_open` while another Claude has the conversation open.
        SessionSwitch = "areyouj/session/switch" (SessionSwitchParams) -> Session;
        /// Names a session.
        SessionRename = "areyouj/session/rename" (SessionRenameParams) -> Session;
        /// Removes a terminated session, with its transcript and journal, for good.
        SessionDelete = "areyouj/session/delete" (SessionActionParams) -> Empty;
        /// Marks everything in a session as seen.
        SessionRead = "areyouj/session/read" (SessionParams) -> Session;
        /// Returns the newest entries and sends `areyouj/claudeOutput` from there on.
        SessionAttach = "areyouj/session/attach" (AttachParams) -> AttachResult;
        /// Ends what attach began.
        SessionDetach = "areyouj/session/detach" (SessionParams) -> Empty;
        /// The directories in a directory, to choose one for a session.
        DirectoryList = "areyouj/directory/list" (DirectoryListParams) -> DirectoryList;
        /// Checks whether a session could be created in a directory. What is wrong comes as an error.
        DirectoryValidate = "areyouj/directory/validate" (DirectoryParams) -> DirectoryValid;
        /// A page of a session's transcript.
        TranscriptRead = "areyouj/transcript/read" (TranscriptReadParams) -> TranscriptPage;
        /// Queues a message. It is on disk before the answer.
        QueueAdd = "areyouj/queue/add" (QueueAddParams) -> Message;
        /// Puts a message into the running turn; without a running turn, at the head of the queue. Of a message that waits
        /// already, its id and its text are given.
        QueueSteer = "areyouj/queue/steer" (QueueAddParams) -> Message;
        /// The messages of a session.
        QueueList = "areyouj/queue/list" (QueueListParams) -> Queue;
        /// Changes the text of a waiting message.
        QueueEdit = "areyouj/queue/edit" (QueueEditParams) -> Message;
        /// Cancels a waiting message.
        QueueRemove = "areyouj/queue/remove" (MessageParams) -> Message;
        /// Moves a waiting message.
        QueueMove = "areyouj/queue/move" (QueueMoveParams) -> Message;
        /// Stops handing over messages after the running one.
        QueuePause = "areyouj/queue/pause" (SessionActionParams) -> Queue;
        /// Goes on handing over messages.
        QueueResume = "areyouj/queue/resume" (SessionActionParams) -> Queue;
        /// Cancels every waiting message.
        QueueClear = "areyouj/queue/clear" (SessionActionParams) -> Queue;
        /// Decides about a message that failed or was cut off, and resumes the queue.
        QueueRecover = "areyouj/queue/recover" (QueueRecoverParams) -> Message;
        /// Open prompts, oldest first.
        PermissionList = "areyouj/permission/list" (PermissionListParams) -> PermissionList;
        /// Answers a prompt, once.
        PermissionAnswer = "areyouj/permission/answer" (PermissionAnswerParams) -> Permission;
        /// The daemon itself.
        DaemonStatus = "areyouj/daemon/status" (Empty) -> DaemonStatus;
        /// Stops the daemon. Sessions go on unless asked otherwise.
        DaemonStop = "areyouj/daemon/stop" (DaemonStopParams) -> Empty;
    }
    notifications {
        /// The list of sessions, or one of them, changed.
        SessionListUpdate = "areyouj/sessionListUpdate" (SessionListUpdate);
        /// A session was created.
        SessionCreated = "areyouj/sessionCreated" (SessionCreated);
        /// A session was terminated.
        SessionTerminated = "areyouj/sessionTerminated" (SessionTerminated);
        /// A session's status changed. Only for clients that asked for it.
        SessionStatusChanged = "areyouj/sessionStatusChanged" (SessionStatusChanged);
        /// A session's queue changed.
        QueueUpdate = "areyouj/queueUpdate" (QueueUpdate);
        /// A prompt was asked, answered or withdrawn.
        PermissionUpdate = "areyouj/permissionUpdate" (PermissionUpdate);
        /// Output of a session that this client attached to.
        ClaudeOutput = "areyouj/claudeOutput" (ClaudeOutput);
        /// This client was too slow; list and attach again.
        Resync = "areyouj/resync" (Resync);
        /// From `areyouj lsp` itself: its connection to the daemon was lost, or is there again.
        ConnectionChanged = "areyouj/connectionChanged" (ConnectionChanged);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The methods that open and end a connection.
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
            assert!(seen.insert(name), "{name} stands for two requests");
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
            assert!(seen.insert(row.method), "{} stands for two notifications", row.method);
            let event = row.method.strip_prefix("areyouj/").unwrap();
            assert!(event.bytes().all(|byte| byte.is_ascii_alphabetic()), "{event} is not one word");
            assert!(row.result.is_none());
        }
        assert!(table.requests.iter().all(|row| row.result.is_some()));
        assert!(table.requests.iter().chain(&table.notifications).all(|row| row.description.ends_with('.')));
    }
}
