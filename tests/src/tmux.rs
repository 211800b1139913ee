//! A terminal for tests: tmux, with a separate server for each terminal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::processes;

/// The interval between two reads of the screen: tmux does not report changes, only its exit.
const POLL_INTERVAL: Duration = Duration::from_millis(30);

/// A terminal.
pub struct Terminal {
    server: String,
    /// The directory of tmux's sockets.
    sockets: OsString,
    pid: i32,
}

impl Terminal {
    /// Opens a terminal of this size, with a shell in this directory and environment.
    ///
    /// # Errors
    /// If tmux is missing or does not start.
    pub fn open(
        directory: &Path,
        environment: &BTreeMap<String, OsString>,
        (columns, rows): (u16, u16),
    ) -> Result<Terminal> {
        static TERMINALS: AtomicU32 = AtomicU32::new(0);
        let number = TERMINALS.fetch_add(1, Ordering::Relaxed);
        let server = format!("areyouj-test-{}-{number}", std::process::id());
        let mut command = Command::new("tmux");
        command.args(["-L", &server, "-f", "/dev/null", "new-session", "-d"]);
        command.args(["-x", &columns.to_string(), "-y", &rows.to_string()]);
        command.arg("PS1='$ ' exec sh").current_dir(directory).env_clear().envs(environment);
        // A separate directory for its socket.
        let sockets = environment.get("TMPDIR").cloned().unwrap_or_else(|| std::env::temp_dir().into());
        command.env("TMUX_TMPDIR", &sockets);
        succeeded(&command.output().context("tmux cannot be started")?)?;
        let mut terminal = Terminal { server, sockets, pid: 0 };
        let pid = terminal.tmux(&["display-message", "-p", "#{pid}"])?;
        terminal.pid = pid.trim().parse().context("tmux does not report its process id")?;
        Ok(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("tmux");
        command.env("TMUX_TMPDIR", &self.sockets).args(["-L", &self.server]).args(arguments);
        succeeded(&command.output()?)
    }

    /// Presses keys, by their names.
    ///
    /// # Errors
    /// If the terminal has exited. This applies to all functions below.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        self.tmux(&[&["send-keys"], keys].concat()).map(|_| ())
    }

    /// Types text.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn type_text(&self, text: &str) -> Result<()> {
        self.tmux(&["send-keys", "-l", text]).map(|_| ())
    }

    /// Pastes text, with bracketed paste if the program in the terminal enabled it.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn paste(&self, text: &str) -> Result<()> {
        self.tmux(&["set-buffer", "--", text])?;
        self.tmux(&["paste-buffer", "-p", "-r"]).map(|_| ())
    }

    /// The cells of the screen. Trailing blanks without attributes are removed, because tmux does not distinguish
    /// written blanks from empty cells.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn cells(&self) -> Result<Vec<Vec<Cell>>> {
        Ok(cells(&self.tmux(&["capture-pane", "-p", "-e", "-N"])?))
    }

    /// The text of the screen.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn screen(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The text of the scrollback and of the screen.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn history(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p", "-S", "-"])
    }

    /// The modes of the terminal: mouse, alternate screen, cursor, keypad, scroll region.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn modes(&self) -> Result<String> {
        let modes = "#{alternate_on} #{cursor_x},#{cursor_y} #{cursor_flag} #{keypad_cursor_flag} #{keypad_flag} \
            #{mouse_any_flag} #{mouse_sgr_flag} #{wrap_flag} #{insert_flag} #{origin_flag} #{scroll_region_upper}";
        self.tmux(&["display-message", "-p", modes])
    }

    /// The title that programs set last.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn title(&self) -> Result<String> {
        self.tmux(&["display-message", "-p", "#{pane_title}"]).map(|title| title.trim_end().to_owned())
    }

    /// Records from now on what programs write to the terminal, in this file.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn record(&self, file: &Path) -> Result<()> {
        self.tmux(&["pipe-pane", &format!("exec cat > '{}'", file.display())]).map(drop)
    }

    /// The first difference in modes or cells from another terminal, or `None` if both display the same.
    ///
    /// # Errors
    /// If one of them has exited.
    pub fn difference(&self, other: &Terminal) -> Result<Option<String>> {
        let modes = [self.modes()?, other.modes()?];
        if modes[0] != modes[1] {
            return Ok(Some(format!("{modes:?}")));
        }
        for (row, (one, other)) in (1..).zip(self.cells()?.into_iter().zip(other.cells()?)) {
            if one != other {
                let cells = one.iter().zip(&other).zip(1..).find(|((one, other), _)| one != other);
                return Ok(Some(format!("row {row}, {} and {} cells, {cells:?}", one.len(), other.len())));
            }
        }
        Ok(None)
    }

    /// Changes the size of the terminal.
    ///
    /// # Errors
    /// If the terminal has exited.
    pub fn resize(&self, (columns, rows): (u16, u16)) -> Result<()> {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]).map(|_| ())
    }

    /// Waits until the screen contains this text.
    ///
    /// # Errors
    /// If it does not in time; the error contains the screen.
    pub fn wait_for(&self, text: &str, timeout: Duration) -> Result<()> {
        let what = format!("the screen shows {text:?}");
        self.wait_until(&what, timeout, |terminal| Ok(terminal.screen()?.contains(text)))
    }

    /// Waits until a condition is fulfilled.
    ///
    /// # Errors
    /// If it is not in time; the error contains the screen.
    pub fn wait_until(
        &self,
        what: &str,
        timeout: Duration,
        mut holds: impl FnMut(&Terminal) -> Result<bool>,
    ) -> Result<()> {
        let until = Instant::now() + timeout;
        while !holds(self)? {
            if Instant::now() > until {
                bail!("not in time: {what}. Screen:\n{}", self.screen()?);
            }
            if processes::wait_for_exit(self.pid, POLL_INTERVAL) {
                bail!("the terminal exited before this happened: {what}");
            }
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Killed by process id, so that no other server is affected; programs in it receive SIGHUP.
        if self.pid > 0 {
            let _ = processes::kill(self.pid);
        }
    }
}

/// A character and its attributes: the active SGR codes, by attribute.
pub type Cell = (char, BTreeMap<u16, String>);

/// The characters of the line drawing set, in the order of the letters that encode them, from the grave accent on.
const LINE_CHARACTERS: &str = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";

/// Decodes a character of the line drawing set.
fn line_character(character: char) -> char {
    let place = u32::from(character).checked_sub(u32::from('`'));
    place.and_then(|place| LINE_CHARACTERS.chars().nth(place as usize)).unwrap_or(character)
}

/// The cells of a text with SGR sequences, whose attributes continue across lines. A line character is the same whether
/// it was encoded by its letter or directly.
fn cells(text: &str) -> Vec<Vec<Cell>> {
    let mut attributes = BTreeMap::new();
    let mut line_drawing = false;
    let mut rows = Vec::new();
    for line in text.lines() {
        let mut row = Vec::new();
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            if character == '\u{1b}' {
                let sequence: String =
                    characters.by_ref().take_while(|character| *character != 'm').collect();
                apply(&mut attributes, sequence.trim_start_matches('['));
            } else if matches!(character, '\u{e}' | '\u{f}') {
                line_drawing = character == '\u{e}';
            } else {
                row.push((
                    if line_drawing { line_character(character) } else { character },
                    attributes.clone(),
                ));
            }
        }
        while row
            .last()
            .is_some_and(|(character, attributes): &Cell| *character == ' ' && attributes.is_empty())
        {
            row.pop();
        }
        rows.push(row);
    }
    rows
}

/// Applies one SGR sequence.
fn apply(attributes: &mut BTreeMap<u16, String>, sequence: &str) {
    let mut codes = sequence.split(';');
    while let Some(code) = codes.next() {
        let number: u16 = code.split(':').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        match number {
            0 => attributes.clear(),
            22 => attributes.retain(|attribute, _| !matches!(attribute, 1 | 2)),
            23..=29 => drop(attributes.remove(&(number - 20))),
            39 | 49 | 59 => drop(attributes.remove(&(number - 9))),
            38 | 48 | 58 => {
                let rest: Vec<&str> = match codes.next() {
                    Some("5") => codes.by_ref().take(1).collect(),
                    Some("2") => codes.by_ref().take(3).collect(),
                    _ => Vec::new(),
                };
                attributes.insert(number - 8, format!("{code};{}", rest.join(";")));
            }
            30..=37 | 90..=97 => drop(attributes.insert(30, code.to_owned())),
            40..=47 | 100..=107 => drop(attributes.insert(40, code.to_owned())),
            _ => drop(attributes.insert(number, code.to_owned())),
        }
    }
}

fn succeeded(output: &Output) -> Result<String> {
    if !output.status.success() {
        bail!("tmux: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
