//! The scripted Messages API: what Claude talks to in tests and in the demo, on loopback.
//!
//! What it answers is decided by the text of the prompt alone; see [`script`] for the language. It remembers every
//! prompt in the order of arrival, so that a test can tell that each message ran exactly once, and it holds turns
//! open until it is told to go on, so that no test depends on timing.

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

use request::Asked;
use script::{Reply, Script};

/// A running scripted API. It stops when this is dropped, and breaks off what it was still sending.
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

/// What the newest request with a prompt held.
#[derive(Clone, Debug, Default)]
pub struct Newest {
    /// The model that was asked.
    pub model: String,
    /// Every text of the conversation, in order.
    pub conversation: Vec<String>,
}

impl MessagesApi {
    /// Starts on a free port of 127.0.0.1, on a thread of its own.
    ///
    /// # Errors
    /// When the port cannot be bound or the thread cannot be started.
    pub fn start() -> Result<MessagesApi> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("the scripted API finds no port")?;
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
            // The runtime ends with this block, and with it every answer that is still being sent.
            runtime.block_on(async {
                tokio::select! {
                    _ = serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(MessagesApi { url, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// What `ANTHROPIC_BASE_URL` has to be.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on answers this very prompt by that script: for prompts that a person would write.
    pub fn on(&self, prompt: &str, script: &str) {
        self.shared.record().scripts.insert(prompt.to_owned(), script.to_owned());
    }

    /// Every prompt in the order of arrival, as often as it arrived. The results of tools are no prompts.
    pub fn prompts(&self) -> Vec<String> {
        self.shared.record().prompts.clone()
    }

    /// What the newest request with a prompt held.
    pub fn newest(&self) -> Newest {
        self.shared.record().newest.clone()
    }

    /// Tells how many prompts have arrived, from any thread.
    pub fn counter(&self) -> impl Fn() -> usize + Clone + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.record().prompts.len()
    }

    /// How often this prompt arrived.
    pub fn times_asked(&self, prompt: &str) -> usize {
        self.shared.record().prompts.iter().filter(|known| *known == prompt).count()
    }

    /// Waits until this prompt has arrived.
    ///
    /// # Errors
    /// When it has not within `deadline`; the error lists what did arrive.
    pub fn wait_for_prompt(&self, prompt: &str, deadline: Duration) -> Result<()> {
        self.wait_for_prompts(prompt, 1, deadline)
    }

    /// Waits until this prompt has arrived so many times.
    ///
    /// # Errors
    /// When it has not within `deadline`; the error lists what did arrive.
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

    /// Lets every `hold: NAME` of this name go on, those that come later too.
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

    /// Decides on the answer and remembers the prompt.
    fn answer(&self, request: &Value) -> (u64, Reply) {
        let mut record = self.record();
        record.replies += 1;
        let number = record.replies;
        let prompt = match Asked::of(request) {
            Asked::Prompt(prompt) => prompt,
            Asked::Results(results) => return (number, script::closing(&results)),
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
    failure(StatusCode::NOT_FOUND, "not_found_error", "the scripted API has nothing here")
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
