//! The commands and their arguments.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{Styles, styling::AnsiColor};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// Run and watch many Claude Code sessions.
#[derive(Debug, Parser)]
#[command(name = "areyouj", version, styles = STYLES, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "ID is a session's id, MSG a message's and REQUEST a prompt's, or an unambiguous beginning of \
                        one. TEXT of - is read from standard input.\n\n\
                        Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 timed out."
)]
pub(crate) struct Arguments {
    /// Print JSON: one value (`logs`: one a line); errors too, on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Parses the arguments, the program's own name first.
    pub(crate) fn read(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
        let parsed = Arguments::try_parse_from(arguments)?;
        match &parsed.command {
            // clap has no rule for this that leaves `--json` its freedom.
            Command::Queue(Queue { id: Some(_), command: Some(_), .. }) => Err(Arguments::command().error(
                ErrorKind::ArgumentConflict,
                "`areyouj queue` takes a session's id or a command, not both",
            )),
            _ => Ok(parsed),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a session in a directory and print its id
    New(New),
    /// List sessions, newest first
    Ls {
        /// Terminated sessions too
        #[arg(long, short)]
        all: bool,
    },
    /// Show everything about a session
    Show {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Queue a message; it runs when the session is idle
    Send {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// What to tell Claude; - reads it from standard input
        text: String,
    },
    /// Put a message into the running turn
    Steer {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// What to tell Claude; - reads it from standard input
        text: String,
    },
    /// List the messages of a session that run and wait, or change its queue
    Queue(Queue),
    /// Wait until a session has come to a status
    Wait {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// The status; idle means that nothing waits in its queue either
        #[arg(long = "for", value_name = "STATUS", value_enum, default_value_t = Goal::Idle)]
        goal: Goal,
        /// Give up after this time, with exit code 3
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Print the transcript of a session
    Logs {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// Go on with what comes, until the session is terminated
        #[arg(long, short)]
        follow: bool,
    },
    /// List what waits for an answer: permissions, questions and plans
    Permissions {
        /// Only of this session
        #[arg(value_parser = session_id)]
        id: Option<String>,
    },
    /// Allow what a prompt asks for
    Allow {
        /// The prompt's id, as `areyouj permissions` lists it, or a beginning of it
        request: String,
        /// From now on, by the rule that Claude suggests
        #[arg(long)]
        always: bool,
    },
    /// Deny what a prompt asks for
    Deny {
        /// The prompt's id, as `areyouj permissions` lists it, or a beginning of it
        request: String,
        /// What Claude is told
        #[arg(long, short, value_name = "TEXT")]
        message: Option<String>,
    },
    /// Answer a question that Claude asked
    #[command(
        after_help = "A CHOICE is a choice's number or label, or words of your own. One question takes all \
                            CHOICEs; several questions take one CHOICE each, with commas between several choices of \
                            one question."
    )]
    Answer {
        /// The prompt's id, as `areyouj permissions` lists it, or a beginning of it
        request: String,
        /// Numbers, labels or words of your own
        #[arg(required = true, value_name = "CHOICE")]
        choices: Vec<String>,
    },
    /// Break off the running turn, and wait until it has ended
    Interrupt {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Start Claude again with the same conversation, and wait until it is ready
    Restart {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Show the live screen of a terminal session; Ctrl-\ and then d leaves it
    Attach {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// Only look: what is typed does not reach Claude
        #[arg(long)]
        read_only: bool,
        /// How many lines of history to show first
        #[arg(long, value_name = "LINES", default_value_t = 1_000)]
        history: usize,
    },
    /// Move a conversation to the other driver, with its queue, and wait until it is ready there
    SwitchDriver {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// The driver
        driver: DriverArgument,
        /// Break off the running turn instead of waiting for its end
        #[arg(long)]
        interrupt: bool,
    },
    /// End a session and everything it started, and wait until it has ended
    Terminate {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Name a session; an empty name takes the name away
    Rename {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
        /// The new name
        name: String,
    },
    /// Remove a terminated session and its transcript for good
    Rm {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Serve an editor at standard input and output, with the Language Server Protocol
    Lsp,
    /// Start, stop or look at the daemon
    Daemon {
        #[command(subcommand)]
        command: DaemonCommand,
    },
    /// Tell everything that a bug report needs, and what is wrong
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The directory to work in
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// A first message; may be given several times
    #[arg(long = "message", short = 'm', value_name = "TEXT")]
    pub(crate) messages: Vec<String>,
    /// A name for the session
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How Claude is driven
    #[arg(long, value_enum, default_value_t = DriverArgument::Stream)]
    pub(crate) driver: DriverArgument,
    /// The model, as `claude --model` takes it
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The permission mode, as `claude --permission-mode` takes it
    #[arg(long, value_name = "MODE")]
    pub(crate) permission_mode: Option<String>,
    /// Wait until the messages are done or an answer is needed
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    override_usage = "areyouj queue [OPTIONS] <ID>\n       areyouj queue [OPTIONS] <COMMAND>"
)]
pub(crate) struct Queue {
    /// The session's id, or an unambiguous beginning of it
    #[arg(required = true, value_parser = session_id)]
    pub(crate) id: Option<String>,
    /// Finished messages too
    #[arg(long, short)]
    pub(crate) all: bool,
    #[command(subcommand)]
    pub(crate) command: Option<QueueCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Change the text of a waiting message
    Edit {
        /// The message's id, as `areyouj queue ID` lists it, or a beginning of it
        #[arg(value_name = "MSG")]
        message: String,
        /// What to tell Claude; - reads it from standard input
        text: String,
    },
    /// Cancel a waiting message
    Rm {
        /// The message's id, as `areyouj queue ID` lists it, or a beginning of it
        #[arg(value_name = "MSG")]
        message: String,
    },
    /// Move a waiting message; position 0 is next
    Move {
        /// The message's id, as `areyouj queue ID` lists it, or a beginning of it
        #[arg(value_name = "MSG")]
        message: String,
        /// How many waiting messages go before it
        position: u32,
    },
    /// Hand over no more messages after the running one
    Pause {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Go on handing over messages
    Resume {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Cancel all waiting messages
    Clear {
        /// The session's id, or an unambiguous beginning of it
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Ask Claude to go on with a message that was cut off or failed
    Continue {
        /// The message's id, as `areyouj queue ID` lists it, or a beginning of it
        #[arg(value_name = "MSG")]
        message: String,
    },
    /// Run a message once more that was cut off or failed
    Again {
        /// The message's id, as `areyouj queue ID` lists it, or a beginning of it
        #[arg(value_name = "MSG")]
        message: String,
    },
    /// Leave a message that was cut off or failed, and go on with the queue
    Skip {
        /// The message's id, as `areyouj queue ID` lists it, or a beginning of it
        #[arg(value_name = "MSG")]
        message: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Start the daemon, unless one runs
    Start,
    /// Stop the daemon; sessions go on without it
    Stop {
        /// Terminate every session first
        #[arg(long)]
        sessions: bool,
    },
    /// Tell how the daemon is, starting nothing
    Status,
    /// Stop the daemon and start it again; sessions go on
    Restart,
    /// Be the daemon
    #[command(hide = true)]
    Run,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    Idle,
    Waiting,
    Active,
    Error,
    Terminated,
}

/// How Claude is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriverArgument {
    Stream,
    Terminal,
}

/// The shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl From<Shell> for clap_complete::Shell {
    fn from(shell: Shell) -> clap_complete::Shell {
        match shell {
            Shell::Bash => clap_complete::Shell::Bash,
            Shell::Zsh => clap_complete::Shell::Zsh,
            Shell::Fish => clap_complete::Shell::Fish,
        }
    }
}

/// Session ids have capital letters only; people need not type them so.
fn session_id(typed: &str) -> Result<String, String> {
    if typed.is_empty() { Err("an id is not empty".to_owned()) } else { Ok(typed.to_uppercase()) }
}

fn seconds(typed: &str) -> Result<Duration, String> {
    typed
        .parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a time is a number of seconds, 0 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Command {
        Arguments::try_parse_from(line.split(' ')).unwrap().command
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn session_ids_may_be_typed_in_small_letters_and_message_ids_stay_as_typed() {
        assert!(matches!(parse("areyouj show k7m2"), Command::Show { id } if id == "K7M2"));
        let Command::Queue(queue) = parse("areyouj queue rm 3fAb") else { panic!("not a queue command") };
        assert!(matches!(queue.command, Some(QueueCommand::Rm { message }) if message == "3fAb"));
    }

    #[test]
    fn queue_takes_an_id_or_a_command() {
        let Command::Queue(queue) = parse("areyouj queue k7m2 --all") else { panic!("not a queue command") };
        assert_eq!((queue.id.as_deref(), queue.all), (Some("K7M2"), true));
        for line in [
            "areyouj queue edit MSG text",
            "areyouj queue move MSG 0",
            "areyouj --json queue pause ID",
            "areyouj queue --json pause ID",
            "areyouj queue resume ID --json",
            "areyouj queue clear ID",
            "areyouj queue continue MSG",
            "areyouj queue again MSG",
            "areyouj queue skip MSG",
        ] {
            let Command::Queue(queue) = parse(line) else { panic!("not a queue command: {line}") };
            assert!(queue.id.is_none() && queue.command.is_some(), "{line}");
        }
        let both: Vec<OsString> = "areyouj queue ID pause ID".split(' ').map(OsString::from).collect();
        assert_eq!(Arguments::read(&both).unwrap_err().kind(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn json_may_stand_anywhere() {
        for line in [
            "areyouj --json ls",
            "areyouj ls --json",
            "areyouj logs A -f --json",
            "areyouj daemon status --json",
        ] {
            assert!(Arguments::try_parse_from(line.split(' ')).unwrap().json, "{line}");
        }
    }

    #[test]
    fn a_lone_dash_is_a_text() {
        assert!(matches!(parse("areyouj send A -"), Command::Send { text, .. } if text == "-"));
        let Command::New(new) = parse("areyouj new -m - -m two /tmp --wait") else { panic!("not new") };
        assert_eq!(new.messages, ["-", "two"]);
        assert!(new.wait && new.directory == std::path::Path::new("/tmp"));
    }

    #[test]
    fn time_outs_are_seconds() {
        assert!(matches!(parse("areyouj wait A --timeout 0.5"),
            Command::Wait { timeout: Some(timeout), goal: Goal::Idle, .. } if timeout == Duration::from_millis(500)));
        assert!(Arguments::try_parse_from(["areyouj", "wait", "A", "--timeout", "nan"]).is_err());
    }
}
