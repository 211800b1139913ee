//! The command line: the same protocol as the editors, for people and scripts.
//!
//! Every command prints text for people, or with `--json` one JSON value. Exit codes: 0 done, 1 failed, 2 usage,
//! 3 timed out.

mod arguments;
mod attach;
mod audit;
mod choices;
mod daemon;
mod display;
mod doctor;
mod hook;
mod logs;
mod permission_request;
mod permissions;
mod queue;
mod remedy;
mod screen;
mod sessions;
mod spinner;
mod status;
mod table;
#[cfg(test)]
pub(crate) mod texts;
mod time;
mod transcript;
mod trust;
mod wait;

use std::ffi::OsString;
use std::io::{self, Read};
use std::process::ExitCode;

use areyouj_protocol::ErrorCode;
use clap::CommandFactory;
use clap::error::ErrorKind;
use serde_json::json;
use uuid::Uuid;

use crate::client::{Client, Failure};
use crate::edge;
use crate::paths::Paths;
use areyouj_core::text::plain;
use arguments::{Arguments, Command, DaemonCommand};
use screen::{Screen, visible_json, write_stderr};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const TIMED_OUT: u8 = 3;

/// How much is read from standard input. It is more than the largest message, so that the daemon reports its limit.
const MAX_INPUT_BYTES: u64 = 2 * 1024 * 1024;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// The command failed for this reason, which is not reported yet.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// The command failed and has reported why.
    #[error("the command failed")]
    Reported,
}

/// What every command uses.
struct Context {
    screen: Screen,
    paths: Paths,
}

impl Context {
    /// Connects to the daemon; starts it if it is not running.
    fn connect(&self) -> Result<Client, Failure> {
        Client::connect(&self.paths, true)
    }
}

/// Runs the command that these arguments name. The first argument is the program's own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if hook::is_meant(&arguments) {
        return hook::run();
    }
    let parsed = match Arguments::read(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return ExitCode::from(refuse(&error, &arguments)),
    };
    let screen = Screen::of_process(parsed.json);
    let paths = match Paths::from_environment(|name| std::env::var_os(name)) {
        Ok(paths) => paths,
        Err(error) => {
            screen.fail(&error.into());
            return ExitCode::from(FAILED);
        }
    };
    if let Command::Daemon { command: DaemonCommand::Run } = parsed.command {
        return daemon::run(&paths);
    }
    if let Command::Lsp = parsed.command {
        return edge::lsp::run(&paths);
    }
    let context = Context { screen, paths };
    match execute(&context, parsed.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(report(&context.screen, error)),
    }
}

fn execute(context: &Context, command: Command) -> Result<(), CommandError> {
    match command {
        Command::New(new) => sessions::new(context, new),
        Command::Ls { all } => sessions::list(context, all),
        Command::Show { id } => sessions::show(context, id),
        Command::Send { id, text } => queue::send(context, id, &text, false),
        Command::Steer { id, text } => queue::send(context, id, &text, true),
        Command::Queue(arguments) => queue::run(context, arguments),
        Command::Wait { id, goal, timeout } => wait::run(context, id, goal, timeout),
        Command::Logs { id, follow } => logs::run(context, id, follow),
        Command::Permissions { id } => permissions::list(context, id),
        Command::Allow { request, always, suggestion, digest } => {
            permissions::allow(context, &request, permissions::always(always, &suggestion), digest)
        }
        Command::Deny { request, message } => {
            let message = message.as_deref().map(text_argument).transpose()?;
            permissions::deny(context, &request, message)
        }
        Command::Answer { request, choices } => permissions::answer(context, &request, &choices),
        Command::Interrupt { id } => sessions::interrupt(context, id),
        Command::Restart { id } => sessions::restart(context, id),
        Command::SwitchDriver { id, driver, interrupt } => sessions::switch(context, id, driver, interrupt),
        Command::Attach { id, read_only, history } => attach::run(context, id, read_only, history),
        Command::Note { text, session } => audit::note(context, session, &text),
        Command::Audit { id, since } => audit::list(context, id.as_deref(), since),
        Command::Terminate { id } => sessions::terminate(context, id),
        Command::Rename { id, name } => sessions::rename(context, id, name),
        Command::Rm { id } => sessions::remove(context, id),
        // `run` handles it earlier, because its standard output belongs to the editor.
        Command::Lsp => Ok(()),
        Command::Daemon { command } => daemon::control(context, &command),
        Command::Doctor { report } => doctor::run(context, report),
        Command::Licenses => licences(&context.screen),
        Command::Completions { shell } => completions(&context.screen, shell),
    }
}

/// Prints the licence of AreYouJ and those of the software of others in it.
fn licences(screen: &Screen) -> Result<(), CommandError> {
    const OWN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../LICENSE"));
    const OF_OTHERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/THIRD-PARTY-NOTICES.txt"));
    let value = json!({"license": OWN, "thirdPartyNotices": OF_OTHERS});
    screen.show(&value, || plain::text(&format!("{OWN}\n{OF_OTHERS}")))
}

fn completions(screen: &Screen, shell: arguments::Shell) -> Result<(), CommandError> {
    let mut script = Vec::new();
    let shell = clap_complete::Shell::from(shell);
    clap_complete::generate(shell, &mut Arguments::command(), "areyouj", &mut script);
    let script = String::from_utf8_lossy(&script);
    screen.show(&json!({"shell": shell.to_string(), "script": script}), || script.clone().into_owned())
}

/// Reports invalid arguments, or prints the requested help. Returns the exit code.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let requested = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !requested
        && arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
    {
        let rendered = error.to_string();
        let (message, _) = rendered.split_once("\n\n").unwrap_or((&rendered, ""));
        let message =
            message.trim().trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
        let error = json!({
            "code": ErrorCode::InvalidParams.as_str(), "message": message, "hint": "Run `areyouj help` for the commands and their arguments."
        });
        write_stderr(&format!("{}\n", visible_json(&json!({"error": error}).to_string())));
    } else if !requested && plain::exact(&error.to_string()) != error.to_string() {
        // An argument can be a text of others.
        write_stderr(&plain::exact(&error.to_string()));
    } else {
        // There is no other place to report that this cannot be written.
        let _ = error.print();
    }
    if requested { 0 } else { USAGE }
}

/// Reports why a command failed. Returns the exit code.
fn report(screen: &Screen, error: CommandError) -> u8 {
    match error {
        CommandError::Failure(failure) => {
            screen.fail(&failure);
            exit_code(&failure)
        }
        // The reader closed the pipe because it has enough, for example `areyouj logs ID | head`.
        CommandError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        CommandError::Output(error) => {
            screen.fail(&output_failed(&error));
            FAILED
        }
        CommandError::Reported => FAILED,
    }
}

fn output_failed(error: &io::Error) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("cannot write to standard output: {error}"),
        "Check where the output goes, for example whether the disk is full.",
    )
}

fn exit_code(failure: &Failure) -> u8 {
    if failure.code == ErrorCode::Timeout.as_str() { TIMED_OUT } else { FAILED }
}

/// A new id for a request or a message, chosen once per command.
fn fresh_id() -> String {
    Uuid::new_v4().to_string()
}

/// The text of an argument. For `-` it is standard input without the newline at its end.
fn text_argument(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut bytes);
    // A text that is truncated here might no longer be UTF-8, and the error would name the wrong reason.
    if bytes.len() as u64 == MAX_INPUT_BYTES {
        return Err(input_too_large());
    }
    let text = read.and_then(|_| String::from_utf8(bytes).map_err(io::Error::other));
    let text = text.map_err(|error| input_unreadable(&error))?;
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}

fn input_too_large() -> Failure {
    Failure::new(
        ErrorCode::MessageTooLarge,
        format!(
            "the text on standard input has {MAX_INPUT_BYTES} bytes or more, which is too large for a message"
        ),
        "Write the text to a file in the session's directory and send the name of the file.",
    )
}

fn input_unreadable(error: &io::Error) -> Failure {
    let message = format!("cannot read the text from standard input: {error}");
    Failure::new(ErrorCode::InvalidParams, message, "Pass UTF-8 text on standard input.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> u8 {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Arguments::read(&arguments).map_or_else(|error| refuse(&error, &arguments), |_| 0)
    }

    #[test]
    fn invalid_arguments_are_a_usage_error_and_help_is_not() {
        for line in [
            "areyouj",
            "areyouj frobnicate",
            "areyouj ls --al",
            "areyouj --json show",
            "areyouj show A B",
            "areyouj queue",
            "areyouj queue move M first",
            "areyouj wait A --for bored",
            "areyouj wait A --timeout -1",
            "areyouj new --driver telepathy",
            "areyouj answer K-1",
            "areyouj attach",
            "areyouj switch-driver A telepathy",
        ] {
            assert_eq!(code(line), USAGE, "{line}");
        }
        for line in ["areyouj --help", "areyouj --version", "areyouj help queue", "areyouj queue --help"] {
            assert_eq!(code(line), 0, "{line}");
        }
    }

    #[test]
    fn a_timeout_has_its_own_exit_code() {
        assert_eq!(exit_code(&Failure::new(ErrorCode::Timeout, "late", "")), TIMED_OUT);
        assert_eq!(exit_code(&Failure::new(ErrorCode::ClaudeStartTimeout, "late", "")), FAILED);
        let screen = Screen::bare(None);
        assert_eq!(report(&screen, io::Error::from(io::ErrorKind::BrokenPipe).into()), 0);
        assert_eq!(report(&screen, io::Error::from(io::ErrorKind::StorageFull).into()), FAILED);
        assert_eq!(report(&screen, CommandError::Reported), FAILED);
    }

    #[test]
    fn a_text_other_than_a_single_dash_is_taken_literally() {
        assert_eq!(text_argument("--").unwrap(), "--");
        assert_eq!(text_argument("fix it\n").unwrap(), "fix it\n");
    }
}
