//! The scripted Messages API: the API for Claude in tests and in the demo, on loopback.
//!
//! Only the text of the prompt determines the response; see [`script`] for the language. The API records every prompt
//! in the order of arrival, so that a test can check that each message ran exactly once. It can hold turns open until
//! the test releases them, so that no test depends on timing.

mod request;
pub mod script;
mod stream;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

use request::UserContent;
use script::{Reply, Script};

/// A running scripted API. On drop it stops, and interrupts responses that it is still sending.
pub struct MessagesApi {
    url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    record: Mutex<Record>,
    arrived: Condvar,
    released: watch::Sender<HashSet<String>>,
}

#[derive(Default)]
struct Record {
    prompts: Vec<String>,
    newest: Newest,
    scripts: HashMap<String, String>,
    failures: HashMap<String, u32>,
    replies: u64,
}

/// The contents of the newest request with a prompt.
#[derive(Clone, Debug, Default)]
pub struct Newest {
    /// The requested model.
    pub model: String,
    /// Every text of the conversation, in order.
    pub conversation: Vec<String>,
}

impl MessagesApi {
    /// Starts on a free port of 127.0.0.1, in a separate thread.
    ///
    /// # Errors
    /// If the port cannot be bound or the thread cannot be started.
    pub fn start() -> Result<MessagesApi> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("the scripted API cannot bind a port")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            record: Mutex::default(),
            arrived: Condvar::new(),
            released: watch::Sender::new(HashSet::new()),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let router = Router::new()
            .route("/v1/messages", post(messages))
            .route("/v1/messages/count_tokens", post(count_tokens))
            .fallback(not_found)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("messages-api".into()).spawn(move || {
            // The runtime ends with this block, and with it every response that is still being sent.
            runtime.block_on(async {
                tokio::select! {
                    _ = serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(MessagesApi { url, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The value for `ANTHROPIC_BASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers this prompt with this script from now on, so that a prompt can be natural language.
    pub fn set_script(&self, prompt: &str, script: &str) {
        self.shared.record().scripts.insert(prompt.to_owned(), script.to_owned());
    }

    /// All prompts in the order of arrival, including repeated ones. Tool results are not prompts.
    pub fn prompts(&self) -> Vec<String> {
        self.shared.record().prompts.clone()
    }

    /// The contents of the newest request with a prompt.
    pub fn newest(&self) -> Newest {
        self.shared.record().newest.clone()
    }

    /// A function that returns the number of prompts so far, for any thread.
    pub fn prompt_counter(&self) -> impl Fn() -> usize + Clone + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.record().prompts.len()
    }

    /// The number of times that this prompt arrived.
    pub fn prompt_count_of(&self, prompt: &str) -> usize {
        self.shared.record().prompts.iter().filter(|known| *known == prompt).count()
    }

    /// Waits until this prompt has arrived.
    ///
    /// # Errors
    /// If it has not arrived within `deadline`; the error lists the prompts that arrived.
    pub fn wait_for_prompt(&self, prompt: &str, deadline: Duration) -> Result<()> {
        self.wait_for_prompts(prompt, 1, deadline)
    }

    /// Waits until this prompt has arrived this many times.
    ///
    /// # Errors
    /// If it has not arrived within `deadline`; the error lists the prompts that arrived.
    pub fn wait_for_prompts(&self, prompt: &str, times: usize, deadline: Duration) -> Result<()> {
        let end = Instant::now() + deadline;
        let mut record = self.shared.record();
        while record.prompts.iter().filter(|known| *known == prompt).count() < times {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "the prompt {prompt:?} did not arrive {times}× in {deadline:?}; arrived: {:#?}",
                    record.prompts
                );
            }
            record = self.shared.arrived.wait_timeout(record, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Releases every `hold: NAME` with this name, including later ones.
    pub fn release(&self, name: &str) {
        self.shared.released.send_modify(|released| {
            released.insert(name.to_owned());
        });
    }
}

impl Drop for MessagesApi {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Determines the response and records the prompt.
    fn answer(&self, request: &Value) -> (u64, Reply) {
        let mut record = self.record();
        record.replies += 1;
        let number = record.replies;
        let prompt = match UserContent::of(request) {
            UserContent::Prompt(prompt) => prompt,
            UserContent::Results(results) => return (number, script::closing(&results)),
        };
        record.prompts.push(prompt.clone());
        let model = request["model"].as_str().unwrap_or_default().to_owned();
        record.newest = Newest { model, conversation: request::texts(request) };
        self.arrived.notify_all();
        let script = Script::parse(record.scripts.get(&prompt).unwrap_or(&prompt));
        let failures = match &script {
            Script::Error { .. } => {
                let failures = record.failures.entry(prompt).or_default();
                *failures += 1;
                *failures
            }
            _ => 0,
        };
        (number, script.reply(failures))
    }
}

async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
}

async fn messages(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return failure(StatusCode::BAD_REQUEST, "invalid_request_error", "the body is not JSON");
    };
    let (number, reply) = shared.answer(&request);
    let blocks = match reply {
        Reply::Blocks(blocks) => blocks,
        Reply::Error(failure) => return scripted_failure(&failure),
    };
    let message = stream::Message::new(number, &request, blocks);
    let released = shared.released.subscribe();
    if request["stream"] == json!(true) {
        let events = Body::from_stream(message.into_stream(released));
        ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response()
    } else {
        Json(message.whole(released).await).into_response()
    }
}

async fn count_tokens(body: Bytes) -> Json<Value> {
    Json(json!({ "input_tokens": request::tokens(body.len()) }))
}

async fn not_found() -> Response {
    failure(StatusCode::NOT_FOUND, "not_found_error", "the scripted API does not have this path")
}

fn scripted_failure(scripted: &script::Failure) -> Response {
    let status = scripted.status;
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = failure(code, kind, &format!("scripted error {status}"));
    if let Some(seconds) =
        scripted.retry_after.as_deref().and_then(|seconds| HeaderValue::from_str(seconds).ok())
    {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn failure(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, Json(json!({ "type": "error", "error": { "type": kind, "message": message } }))).into_response()
}
