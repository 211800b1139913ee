//! The language server: translates messages of the Language Server Protocol to the daemon's contract, and back.
//!
//! Handlers change the state before they wait for anything, so that messages take effect in the order of their arrival.
//! They perform no I/O: they leave [`Order`]s.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use areyouj_protocol::{self as wire, Method, Notification, PermissionState, Request, notification, request};
use futures::channel::oneshot;
use futures::future::{BoxFuture, FutureExt};
use ls_types::notification::{Cancel, Progress};
use ls_types::request::{Request as _, ShowMessageRequest, WorkDoneProgressCreate};
use ls_types::{
    CancelParams, CodeActionParams, CodeActionProviderCapability, CodeActionResponse,
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, ExecuteCommandOptions, ExecuteCommandParams, InitializeParams,
    InitializeResult, InitializedParams, LSPAny, MessageType, NumberOrString, OneOf, ProgressParams,
    ProgressParamsValue, ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd, WorkspaceFolder,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use tower_lsp_server::jsonrpc;
use tower_lsp_server::{Client, LanguageServer};
use tower_service::Service;
use uuid::Uuid;

use super::actions;
use super::daemon_connection::{Event, away};
use super::documents::{Documents, Encoding};
use super::message::rpc_error;
use super::permission_requests::{PermissionRequests, Question};
use super::progress::{Starts, Step};
use crate::client::{Failure, unexpected};
use crate::file_uri;
use crate::rpc::envelope::{self, Envelope};

/// An order of a handler.
pub(super) enum Order {
    /// An event for the connection to the daemon.
    Daemon(Event),
    /// Background work.
    Run(BoxFuture<'static, ()>),
    /// The editor's response to this request is no longer needed.
    Forget(String),
}

/// The daemon's result for a request of a handler, as JSON.
type Answer = Result<String, Failure>;

/// The language server of one editor. Clones share their state.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The editor's information for the daemon.
    initialize_params: wire::InitializeParams,
    /// Whether the editor supports progress.
    progress: bool,
    /// Whether the editor supports the daemon's own notifications.
    native: bool,
    /// Whether notifications must be translated: the editor does not support them, and has sent `initialized`.
    translates: bool,
    documents: Documents,
    permissions: PermissionRequests,
    starts: Starts,
    orders: Vec<Order>,
    /// Handlers that wait for the daemon, by the number of their request.
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    next: u64,
}

impl Server {
    /// A server for the editor of this client.
    pub(super) fn new(client: Client) -> Server {
        // No other connection of this editor uses such ids.
        let prefix = format!("areyouj-{}", Uuid::new_v4());
        let state = State {
            initialize_params: wire::InitializeParams::default(),
            progress: false,
            native: false,
            translates: false,
            documents: Documents::default(),
            permissions: PermissionRequests::new(prefix.clone()),
            starts: Starts::new(prefix),
            orders: Vec::new(),
            waiting: HashMap::new(),
            next: 0,
        };
        Server { client, state: Arc::new(Mutex::new(state)) }
    }

    /// The orders of the handlers, in order.
    pub(super) fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.lock().orders)
    }

    /// Delivers the daemon's response to a handler.
    pub(super) fn answered(&self, request: u64, answer: Answer) {
        if let Some(waiting) = self.lock().waiting.remove(&request) {
            // A cancelled handler no longer waits.
            let _ = waiting.send(answer);
        }
    }

    /// Processes a notification of the daemon.
    pub(super) fn notified(&self, body: &[u8]) {
        let Ok(envelope) = envelope::read::<Envelope<'_>>(body) else { return };
        let (Some(method), Some(params)) = (envelope.method, envelope.params) else { return };
        let mut state = self.lock();
        if !state.translates {
            return;
        }
        match method.as_ref() {
            notification::PermissionUpdate::METHOD => {
                if let Ok(update) = serde_json::from_str::<wire::PermissionUpdate>(params.get()) {
                    self.permission(&mut state, &update.permission);
                }
            }
            notification::SessionCreated::METHOD => {
                if let Ok(created) = serde_json::from_str::<wire::SessionCreated>(params.get()) {
                    self.session(&mut state, &created.session);
                }
            }
            notification::SessionListUpdate::METHOD => {
                match serde_json::from_str::<wire::SessionListUpdate>(params.get()) {
                    Ok(wire::SessionListUpdate { session: Some(session), .. }) => {
                        self.session(&mut state, &session);
                    }
                    Ok(update) => {
                        let step = state.starts.removed(&update.session_id);
                        self.show(&mut state, step);
                    }
                    Err(_) => {}
                }
            }
            notification::Resync::METHOD => self.follow(&mut state),
            _ => {}
        }
    }

    /// The daemon has exited: its permission requests cannot be answered, and the state of its sessions is unknown.
    pub(super) fn lost(&self) {
        let mut state = self.lock();
        let questions = state.permissions.close_all();
        let shown = state.starts.end_all();
        self.withdraw(&mut state, questions);
        self.show(&mut state, shown);
    }

    /// A new daemon is connected.
    pub(super) fn restored(&self) {
        let mut state = self.lock();
        if state.translates {
            self.follow(&mut state);
        }
    }

    fn follow(&self, state: &mut State) {
        state.orders.push(Order::Run(self.clone().catch_up().boxed()));
    }

    /// Displays the current permission requests and starts, and withdraws outdated ones.
    async fn catch_up(self) {
        // A daemon that does not respond has exited; the next one receives the request again.
        let Ok(list) = self.ask::<request::PermissionList>(&wire::PermissionListParams::default()).await
        else {
            return;
        };
        {
            let mut state = self.lock();
            let open: HashSet<&str> =
                list.permissions.iter().map(|permission| permission.id.as_str()).collect();
            let closed = state.permissions.keep_only(&open);
            self.withdraw(&mut state, closed);
            list.permissions.iter().for_each(|permission| self.permission(&mut state, permission));
        }
        let Ok(list) = self.ask::<request::SessionList>(&wire::SessionListParams::default()).await else {
            return;
        };
        let mut state = self.lock();
        let known: HashSet<&str> = list.sessions.iter().map(|session| session.id.as_str()).collect();
        let ended = state.starts.keep_only(&known);
        self.show(&mut state, ended);
        list.sessions.iter().for_each(|session| self.session(&mut state, session));
    }

    /// Displays a question for an open permission request, and withdraws it when the request is no longer open.
    fn permission(&self, state: &mut State, permission: &wire::Permission) {
        if permission.state == PermissionState::Open {
            if let Some(question) = state.permissions.open(permission) {
                state.orders.push(Order::Run(self.clone().question(question).boxed()));
            }
        } else {
            let question = state.permissions.close(&permission.id);
            self.withdraw(state, question);
        }
    }

    async fn question(self, question: Question) {
        let asked = jsonrpc::Request::build(ShowMessageRequest::METHOD)
            .id(question.id.clone())
            .params(json!(question.text))
            .finish();
        let Ok(Some(response)) = self.client.clone().call(asked).await else { return };
        let title = response.result().and_then(|result| result["title"].as_str());
        let Some(answered) = self.lock().permissions.answered(question, title) else { return };
        let params = wire::PermissionAnswerParams {
            request_id: Uuid::new_v4().to_string(),
            permission_id: answered.permission,
            digest: answered.digest,
            answer: answered.answer,
        };
        match self.ask::<request::PermissionAnswer>(&params).await {
            // If the request is still open, the question is displayed again for the next daemon.
            Err(failure) if !failure.retryable => {
                let hint = failure.remedy.map(|remedy| remedy.hint()).unwrap_or_default();
                self.client.show_message(MessageType::WARNING, format!("{} {hint}", failure.message)).await;
            }
            _ => {}
        }
    }

    /// Withdraws questions from the editor.
    fn withdraw(&self, state: &mut State, questions: impl IntoIterator<Item = String>) {
        for id in questions {
            let client = self.client.clone();
            let params = CancelParams { id: NumberOrString::String(id.clone()) };
            state.orders.push(Order::Forget(id));
            let cancel = async move { client.send_notification::<Cancel>(params).await };
            state.orders.push(Order::Run(cancel.boxed()));
        }
    }

    fn session(&self, state: &mut State, session: &wire::Session) {
        if state.progress {
            let step = state.starts.session(session);
            self.show(state, step);
        }
    }

    /// Displays the progress of starting sessions.
    fn show(&self, state: &mut State, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            match step {
                Step::Create { token, title } => {
                    let begin = self.clone().begin(token, title);
                    state.orders.push(Order::Run(begin.boxed()));
                }
                Step::End { token, message } => {
                    let end =
                        self.clone().report(token, WorkDoneProgress::End(WorkDoneProgressEnd { message }));
                    state.orders.push(Order::Run(end.boxed()));
                }
                Step::Withdraw { token } => self.withdraw(state, [token]),
            }
        }
    }

    async fn begin(self, token: String, title: String) {
        let asked = jsonrpc::Request::build(WorkDoneProgressCreate::METHOD)
            .id(token.clone())
            .params(json!({ "token": token }))
            .finish();
        let answer = self.client.clone().call(asked).await;
        let has_room = matches!(answer, Ok(Some(response)) if response.is_ok());
        if has_room && self.lock().starts.begin(&token) {
            let begin = WorkDoneProgressBegin { title, ..WorkDoneProgressBegin::default() };
            self.report(token, WorkDoneProgress::Begin(begin)).await;
        }
    }

    async fn report(self, token: String, value: WorkDoneProgress) {
        let token = NumberOrString::String(token);
        let params = ProgressParams { token, value: ProgressParamsValue::WorkDone(value) };
        self.client.send_notification::<Progress>(params).await;
    }

    /// Sends a request to the daemon.
    async fn ask<R: Request>(&self, params: &R::Params) -> Result<R::Result, Failure> {
        let answer = self.expect(|request| Event::Ask { request, method: R::METHOD, params: json!(params) });
        parse(R::METHOD, &received(answer).await?)
    }

    /// Queues an event, and returns the receiver of the daemon's response.
    fn expect(&self, event: impl FnOnce(u64) -> Event) -> oneshot::Receiver<Answer> {
        let (sender, answer) = oneshot::channel();
        let mut state = self.lock();
        state.next += 1;
        let request = state.next;
        state.waiting.insert(request, sender);
        state.orders.push(Order::Daemon(event(request)));
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The paths of the editor's folders.
    fn folders(&self) -> Vec<String> {
        let folders = self.initialize_params.workspace_folders.iter().flatten();
        folders.filter_map(|folder| file_uri::path(&folder.uri)).collect()
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> jsonrpc::Result<InitializeResult> {
        let capabilities = params.capabilities;
        let native = capabilities.experimental.is_some_and(|ours| ours["areyouj"].is_object());
        let offered = capabilities.general.and_then(|general| general.position_encodings).unwrap_or_default();
        let encoding = Encoding::choose(&offered);
        let initialize_params = wire::InitializeParams {
            client_info: params
                .client_info
                .map(|client| wire::ClientInfo { name: client.name, version: client.version }),
            workspace_folders: params
                .workspace_folders
                .map(|folders| folders.into_iter().map(folder).collect()),
            quiet: false,
            status_changes: false,
        };
        {
            let mut state = self.lock();
            state.initialize_params = initialize_params.clone();
            state.progress = capabilities.window.and_then(|window| window.work_done_progress) == Some(true);
            state.native = native;
            state.documents = Documents::new(encoding);
        }
        let answer = self.expect(|request| Event::Initialize { request, params: initialize_params, native });
        let answer = received(answer).await.and_then(|result| parse(Method::Initialize, &result));
        let daemon: wire::InitializeResult = answer.map_err(|failure| rpc_error(&failure))?;
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                position_encoding: (!offered.is_empty()).then(|| encoding.kind()),
                text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
                    open_close: Some(true),
                    change: Some(TextDocumentSyncKind::INCREMENTAL),
                    ..TextDocumentSyncOptions::default()
                })),
                code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
                execute_command_provider: Some(ExecuteCommandOptions {
                    commands: actions::COMMANDS.map(str::to_owned).to_vec(),
                    ..ExecuteCommandOptions::default()
                }),
                workspace: Some(WorkspaceServerCapabilities {
                    workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                        supported: Some(true),
                        change_notifications: Some(OneOf::Left(true)),
                    }),
                    file_operations: None,
                }),
                experimental: Some(json!(daemon.capabilities.experimental)),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo {
                name: daemon.server_info.name,
                version: Some(daemon.server_info.version),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        let mut state = self.lock();
        if !state.native {
            state.translates = true;
            self.follow(&mut state);
        }
    }

    async fn shutdown(&self) -> jsonrpc::Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        self.lock().documents.open(document.uri.as_str(), document.text);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.lock().documents.change(params.text_document.uri.as_str(), params.content_changes);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.lock().documents.close(params.text_document.uri.as_str());
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let mut state = self.lock();
        let (added, removed) = (params.event.added, params.event.removed);
        let folders = state.initialize_params.workspace_folders.get_or_insert_default();
        folders.retain(|folder| removed.iter().all(|removed| removed.uri.as_str() != folder.uri));
        folders.extend(added.into_iter().map(folder));
        let initialize_params = state.initialize_params.clone();
        state.orders.push(Order::Daemon(Event::Reinitialize(initialize_params)));
    }

    async fn code_action(&self, params: CodeActionParams) -> jsonrpc::Result<Option<CodeActionResponse>> {
        let list = self.ask::<request::SessionList>(&wire::SessionListParams::default()).await;
        let list = list.map_err(|failure| rpc_error(&failure))?;
        let folders = self.lock().folders();
        Ok(Some(actions::offered(&params, &folders, &list.sessions)))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> jsonrpc::Result<Option<LSPAny>> {
        let planned = {
            let state = self.lock();
            actions::plan(params, &state.documents, &state.folders())
        };
        let actions::Planned { method, params } = planned.map_err(|failure| rpc_error(&failure))?;
        let answer = self.expect(|request| Event::Ask { request, method, params });
        let answer = received(answer).await.and_then(|result| parse(method, &result));
        answer.map(Some).map_err(|failure| rpc_error(&failure))
    }
}

async fn received(answer: oneshot::Receiver<Answer>) -> Answer {
    answer.await.unwrap_or_else(|_| Err(away()))
}

fn parse<T: DeserializeOwned>(method: Method, result: &str) -> Result<T, Failure> {
    serde_json::from_str(result).map_err(|error| unexpected(method.as_str(), &error))
}

fn folder(folder: WorkspaceFolder) -> wire::WorkspaceFolder {
    wire::WorkspaceFolder { uri: folder.uri.as_str().to_owned(), name: folder.name }
}
