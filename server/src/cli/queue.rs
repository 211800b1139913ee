//! Commands about messages: `send`, `steer`, `queue`.

use areyouj_protocol::{
    Message, MessageParams, MessageState, NewMessage, Queue, QueueAddParams, QueueEditParams,
    QueueListParams, QueueMoveParams, QueueRecoverParams, RecoverChoice, SessionActionParams, Timestamp,
    request,
};

use super::arguments::{Queue as QueueArguments, QueueCommand};
use super::screen::{Colour, Screen};
use super::table::{self, Cell, Column, Shorten};
use super::{CommandError, Context, fresh_id, plain, status, text_argument, time};

const COLUMNS: &[Column] = &[
    Column { title: "MSG", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "STATE", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "POSITION", right: true, shorten: Shorten::Never, drop_order: 2 },
    Column { title: "AGE", right: true, shorten: Shorten::Never, drop_order: 1 },
    // The last column has no padding. A text can be long, and a pipe gets all of it.
    Column { title: "TEXT", right: false, shorten: Shorten::End(14), drop_order: 0 },
];

/// Queues a message, or sends it into the running turn.
pub(super) fn send(context: &Context, id: String, text: &str, steer: bool) -> Result<(), CommandError> {
    let params = QueueAddParams {
        session_id: Some(id),
        message: NewMessage { id: fresh_id(), text: text_argument(text)? },
    };
    let mut client = context.connect()?;
    let message = if steer {
        client.call::<request::QueueSteer>(&params)?
    } else {
        client.call::<request::QueueAdd>(&params)?
    };
    print(&context.screen, &message)
}

/// Lists or changes a queue.
pub(super) fn run(context: &Context, arguments: QueueArguments) -> Result<(), CommandError> {
    match arguments.command {
        None => list(context, arguments.id, arguments.all),
        Some(command) => change(context, command),
    }
}

fn list(context: &Context, session_id: Option<String>, all: bool) -> Result<(), CommandError> {
    let queue = context.connect()?.call::<request::QueueList>(&QueueListParams { session_id, all })?;
    context.screen.show(&queue.messages, || render(&queue, time::now(), &context.screen))
}

fn change(context: &Context, command: QueueCommand) -> Result<(), CommandError> {
    let screen = &context.screen;
    let action = |id| SessionActionParams { request_id: fresh_id(), session_id: Some(id) };
    let recover = |message_id, choice| QueueRecoverParams { request_id: fresh_id(), message_id, choice };
    // The text is read first, so that no daemon is started for a text that cannot be read.
    let text = match &command {
        QueueCommand::Edit { text, .. } => text_argument(text)?,
        _ => String::new(),
    };
    let mut client = context.connect()?;
    let message = match command {
        QueueCommand::Edit { message, .. } => {
            let params = QueueEditParams { request_id: fresh_id(), message_id: message, text };
            client.call::<request::QueueEdit>(&params)?
        }
        QueueCommand::Rm { message } => client
            .call::<request::QueueRemove>(&MessageParams { request_id: fresh_id(), message_id: message })?,
        QueueCommand::Move { message, position } => {
            let params = QueueMoveParams { request_id: fresh_id(), message_id: message, position };
            client.call::<request::QueueMove>(&params)?
        }
        QueueCommand::Continue { message } => {
            client.call::<request::QueueRecover>(&recover(message, RecoverChoice::Continue))?
        }
        QueueCommand::Again { message } => {
            client.call::<request::QueueRecover>(&recover(message, RecoverChoice::Again))?
        }
        QueueCommand::Skip { message } => {
            let skipped = client.call::<request::QueueRecover>(&recover(message, RecoverChoice::Skip))?;
            return screen
                .show(&skipped, || format!("{} was skipped", status::short_message_id(&skipped.id)));
        }
        QueueCommand::Pause { id } => return show(screen, &client.call::<request::QueuePause>(&action(id))?),
        QueueCommand::Resume { id } => {
            return show(screen, &client.call::<request::QueueResume>(&action(id))?);
        }
        QueueCommand::Clear { id } => return show(screen, &client.call::<request::QueueClear>(&action(id))?),
    };
    print(screen, &message)
}

fn show(screen: &Screen, queue: &Queue) -> Result<(), CommandError> {
    screen.show(queue, || render(queue, time::now(), screen))
}

fn print(screen: &Screen, message: &Message) -> Result<(), CommandError> {
    screen.show(message, || sentence(message))
}

pub(super) fn sentence(message: &Message) -> String {
    let place = match message.position {
        Some(0) => ", next to run".to_owned(),
        Some(position) => format!(", {position} ahead of it"),
        None => String::new(),
    };
    format!("{} is {}{place}", status::short_message_id(&message.id), message.state.as_str())
}

pub(super) fn render(queue: &Queue, now: Timestamp, screen: &Screen) -> String {
    let mut text = String::new();
    if let Some(reason) = &queue.paused {
        let paused = screen.out.paint(Colour::Yellow, "paused:");
        let next =
            screen.out.paint(Colour::Cyan, &format!("areyouj show {}", plain::line(&queue.session_id)));
        text.push_str(&format!("{paused} {} (see {next})\n", plain::line(reason)));
    }
    if queue.messages.is_empty() {
        text.push_str("The queue is empty.\n");
        return text;
    }
    let rows: Vec<Vec<Cell>> = queue.messages.iter().map(|message| row(message, now)).collect();
    text + &table::render(COLUMNS, &rows, screen.width, screen.out)
}

fn row(message: &Message, now: Timestamp) -> Vec<Cell> {
    let colour = match message.state {
        MessageState::Queued => Colour::Cyan,
        MessageState::Running => Colour::Green,
        MessageState::Done | MessageState::Cancelled => Colour::Dim,
        MessageState::Failed => Colour::Red,
        MessageState::Interrupted => Colour::Yellow,
    };
    let text = match &message.error {
        Some(error) => format!("{} ({})", plain::line(&message.text), plain::line(error)),
        None => plain::line(&message.text),
    };
    vec![
        Cell::coloured(Colour::Bold, status::short_message_id(&message.id)),
        Cell::coloured(colour, message.state.as_str()),
        Cell::from(message.position.map_or_else(|| "-".to_owned(), |position| position.to_string())),
        Cell::from(time::age(now, message.created_at)),
        Cell::from(text),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(state: MessageState, position: Option<u32>) -> Message {
        Message {
            id: "3f2a9c1b-0000-4000-8000-000000000000".to_owned(),
            session_id: "K7M2Q9XD".to_owned(),
            text: "fix\nthe \u{1b}[31mparser".to_owned(),
            state,
            position,
            created_at: 0,
            started_at: None,
            finished_at: None,
            error: None,
        }
    }

    #[test]
    fn a_paused_queue_is_listed_with_the_reason() {
        let mut failed = message(MessageState::Failed, None);
        failed.error = Some("overloaded".to_owned());
        let queue = Queue {
            session_id: "K7M2Q9XD".to_owned(),
            paused: Some("a message failed".to_owned()),
            messages: vec![failed, message(MessageState::Queued, Some(0))],
        };
        assert_eq!(
            render(&queue, 60_000, &Screen::bare(None)),
            "paused: a message failed (see areyouj show K7M2Q9XD)\n\
             MSG       STATE   POSITION  AGE  TEXT\n\
             3f2a9c1b  failed         -   1m  fix the parser (overloaded)\n\
             3f2a9c1b  queued         0   1m  fix the parser\n"
        );
    }

    #[test]
    fn an_empty_queue_is_reported() {
        let queue = Queue { session_id: "K7M2Q9XD".to_owned(), paused: None, messages: Vec::new() };
        assert_eq!(render(&queue, 0, &Screen::bare(None)), "The queue is empty.\n");
    }
}
