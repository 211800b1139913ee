//! The commands and their arguments, with the help texts.

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

/// Run and watch many Claude Code sessions
#[derive(Debug, Parser)]
#[command(name = "areyouj", version, styles = STYLES, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "ID is the id of a session, MSG of a message, REQUEST of a permission request; any unambiguous \
                        prefix works. If TEXT is -, it is read from standard input.\n\n\
                        Exit codes: 0 done, 1 failed, 2 invalid arguments, 3 timed out."
)]
pub(crate) struct Arguments {
    /// Print one JSON value (`logs`: one per line) and report errors as JSON on standard error
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
            // No rule of clap's expresses this and still accepts `--json` everywhere.
            Command::Queue(Queue { id: Some(_), command: Some(_), .. }) => Err(Arguments::command().error(
                ErrorKind::ArgumentConflict,
                "`areyouj queue` takes a session id or a command, not both",
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
        /// Include terminated sessions
        #[arg(long, short)]
        all: bool,
    },
    /// Show the details of a session
    Show {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Queue a message; it runs when the session is idle
    Send {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// Text of the message; - reads it from standard input
        text: String,
    },
    /// Send a message into the running turn
    Steer {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// Text of the message; - reads it from standard input
        text: String,
    },
    /// List the running and queued messages of a session, or change its queue
    Queue(Queue),
    /// Wait until a session reaches a status
    Wait {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// Status to wait for; idle also requires an empty or paused queue
        #[arg(long = "for", value_name = "STATUS", value_enum, default_value_t = Goal::Idle)]
        goal: Goal,
        /// Stop waiting after this time, with exit code 3
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Print the transcript of a session
    Logs {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// Follow: keep printing new entries until the session terminates
        #[arg(long, short)]
        follow: bool,
    },
    /// List open permission requests, including questions and plans
    Permissions {
        /// List only the requests of this session (id or unambiguous prefix), or only this request (its id)
        #[arg(value_parser = session_id)]
        id: Option<String>,
    },
    /// Allow a permission request; on a terminal, show it and ask first
    #[command(
        after_help = "The request is identified by its whole id. On a terminal, a part of the id shows the requests that \
                            begin with it. In a script, the whole id allows what the request displays at this moment; \
                            with --digest, only what you have seen."
    )]
    Allow {
        /// Id of the request, as listed by `areyouj permissions`
        request: String,
        /// Also allow similar requests from now on, by the rules that Claude suggests
        #[arg(long)]
        always: bool,
        /// With --always: apply this suggestion instead of the rules (number in the list; repeatable)
        #[arg(long, value_name = "N", requires = "always", value_parser = clap::value_parser!(u16).range(1..))]
        suggestion: Vec<u16>,
        /// Allow without a question if the request still has this digest (from `areyouj permissions --json`)
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
    },
    /// Deny a permission request
    Deny {
        /// Id of the request, as listed by `areyouj permissions`
        request: String,
        /// Message to Claude: the reason, or what to do instead; - reads it from standard input
        #[arg(long, short, value_name = "TEXT")]
        message: Option<String>,
    },
    /// Answer a question of Claude
    #[command(
        after_help = "A CHOICE is the number or the label of an option, or your own text. #N is always a number, and \
                            =TEXT is always a label or your own text. A single question takes all CHOICEs. With several \
                            questions give one CHOICE for each, in order; separate several options \
                            of one question by commas."
    )]
    Answer {
        /// Id of the request, as listed by `areyouj permissions`
        request: String,
        /// Number or label of an option, or your own text
        #[arg(required = true, value_name = "CHOICE")]
        choices: Vec<String>,
    },
    /// Interrupt the running turn and wait until it has ended
    Interrupt {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Restart Claude with the same conversation and wait until it is ready
    Restart {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Show the live screen of a terminal session; press Ctrl-\ then d to detach
    Attach {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// Watch without sending keys to Claude
        #[arg(long)]
        read_only: bool,
        /// Number of history lines to show first
        #[arg(long, value_name = "LINES", default_value_t = 1_000)]
        history: usize,
    },
    /// Switch a conversation and its queue to another driver and wait until it is ready
    SwitchDriver {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// Driver to switch to
        driver: DriverArgument,
        /// Interrupt the running turn instead of waiting for its end
        #[arg(long)]
        interrupt: bool,
    },
    /// Add a note to the transcript of a session
    #[command(
        after_help = "A command inside a session adds it to that session. For people; Claude does not read it."
    )]
    Note {
        /// Text of the note; - reads it from standard input
        text: String,
        /// Session id, or an unambiguous prefix
        #[arg(long, value_name = "ID", value_parser = session_id)]
        session: Option<String>,
    },
    /// Show who did what, newest first, and what AreYouJ refused
    Audit {
        /// Show only what concerns this session (id or unambiguous prefix)
        #[arg(value_parser = session_id)]
        id: Option<String>,
        /// Show everything since this long ago, for example 90s, 15m, 2h or 7d
        #[arg(long, value_name = "AGE", value_parser = age)]
        since: Option<u64>,
    },
    /// Terminate a session and every process it started, and wait until it has ended
    Terminate {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Name a session; an empty name removes the name
    Rename {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
        /// New name
        name: String,
    },
    /// Delete a terminated session and its transcript
    Rm {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Serve an editor over standard input and output with the Language Server Protocol
    Lsp,
    /// Start, stop or inspect the daemon
    Daemon {
        #[command(subcommand)]
        command: DaemonCommand,
    },
    /// Print the licence of AreYouJ and those of the software in it
    Licenses,
    /// Check the installation
    Doctor {
        /// Print a report for a bug report, without texts, names and paths
        #[arg(long)]
        report: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// Shell to print the script for
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Directory to work in
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Message to queue at once; can be given several times; - reads it from standard input
    #[arg(long = "message", short = 'm', value_name = "TEXT")]
    pub(crate) messages: Vec<String>,
    /// Name of the session
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How to drive Claude: as a structured transcript (stream) or with its own screen (terminal)
    #[arg(long, value_enum, default_value_t = DriverArgument::Stream)]
    pub(crate) driver: DriverArgument,
    /// Model, as accepted by `claude --model`
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Permission mode, as accepted by `claude --permission-mode`
    #[arg(long, value_name = "MODE")]
    pub(crate) permission_mode: Option<String>,
    /// Wait until the messages are done or Claude needs an answer
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    override_usage = "areyouj queue [OPTIONS] <ID>\n       areyouj queue [OPTIONS] <COMMAND>"
)]
pub(crate) struct Queue {
    /// Session id, or an unambiguous prefix
    #[arg(required = true, value_parser = session_id)]
    pub(crate) id: Option<String>,
    /// Include finished messages
    #[arg(long, short)]
    pub(crate) all: bool,
    #[command(subcommand)]
    pub(crate) command: Option<QueueCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Change the text of a queued message
    Edit {
        /// Message id, as listed by `areyouj queue ID`, or an unambiguous prefix
        #[arg(value_name = "MSG")]
        message: String,
        /// Text of the message; - reads it from standard input
        text: String,
    },
    /// Cancel a queued message
    Rm {
        /// Message id, as listed by `areyouj queue ID`, or an unambiguous prefix
        #[arg(value_name = "MSG")]
        message: String,
    },
    /// Move a queued message; position 0 is next
    Move {
        /// Message id, as listed by `areyouj queue ID`, or an unambiguous prefix
        #[arg(value_name = "MSG")]
        message: String,
        /// Number of queued messages before it
        position: u32,
    },
    /// Pause the queue after the running message
    Pause {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Resume the queue
    Resume {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Cancel all queued messages
    Clear {
        /// Session id, or an unambiguous prefix
        #[arg(value_parser = session_id)]
        id: String,
    },
    /// Ask Claude to continue a message that was interrupted or failed
    Continue {
        /// Message id, as listed by `areyouj queue ID`, or an unambiguous prefix
        #[arg(value_name = "MSG")]
        message: String,
    },
    /// Send a message again that was interrupted or failed
    Again {
        /// Message id, as listed by `areyouj queue ID`, or an unambiguous prefix
        #[arg(value_name = "MSG")]
        message: String,
    },
    /// Skip a message that was interrupted or failed, and resume the queue
    Skip {
        /// Message id, as listed by `areyouj queue ID`, or an unambiguous prefix
        #[arg(value_name = "MSG")]
        message: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Start the daemon if it is not running
    Start,
    /// Stop the daemon; sessions keep running
    Stop {
        /// Terminate every session first
        #[arg(long)]
        sessions: bool,
    },
    /// Show the daemon's status without starting it
    Status,
    /// Restart the daemon; sessions keep running
    Restart,
    /// Run the daemon in this process
    #[command(hide = true)]
    Run,
}

/// The status that `wait` waits for.
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

/// The shells with a completion script.
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

/// Session ids have only capital letters; the argument accepts either case.
fn session_id(argument: &str) -> Result<String, String> {
    if argument.is_empty() { Err("an id must not be empty".to_owned()) } else { Ok(argument.to_uppercase()) }
}

/// An age in seconds.
fn age(argument: &str) -> Result<u64, String> {
    let unit = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    };
    let parsed = argument
        .char_indices()
        .next_back()
        .and_then(|(at, letter)| argument[..at].parse::<u64>().ok()?.checked_mul(unit(letter)?));
    parsed.ok_or_else(|| "expected a number and s, m, h or d, for example 2h".to_owned())
}

fn seconds(argument: &str) -> Result<Duration, String> {
    argument
        .parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, 0 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Command {
        Arguments::try_parse_from(line.split(' ')).unwrap().command
    }

    #[test]
    fn the_definition_is_valid() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn session_ids_are_accepted_in_either_case_and_message_ids_are_kept_as_typed() {
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
    fn json_is_accepted_in_any_position() {
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
    fn a_single_dash_is_accepted_as_a_text() {
        assert!(matches!(parse("areyouj send A -"), Command::Send { text, .. } if text == "-"));
        let Command::New(new) = parse("areyouj new -m - -m two /tmp --wait") else { panic!("not new") };
        assert_eq!(new.messages, ["-", "two"]);
        assert!(new.wait && new.directory == std::path::Path::new("/tmp"));
    }

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        for (text, seconds) in
            [("90s", Some(90)), ("15m", Some(900)), ("2h", Some(7_200)), ("7d", Some(604_800))]
        {
            assert_eq!(age(text).ok(), seconds);
        }
        for text in ["", "h", "2", "-1h", "2w", "1.5h", "99999999999999999999d", "2\u{e4}"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn timeouts_are_in_seconds() {
        assert!(matches!(parse("areyouj wait A --timeout 0.5"),
            Command::Wait { timeout: Some(timeout), goal: Goal::Idle, .. } if timeout == Duration::from_millis(500)));
        assert!(Arguments::try_parse_from(["areyouj", "wait", "A", "--timeout", "nan"]).is_err());
    }
}
