//! A terminal for tests: tmux, with a server of its own for each.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::processes;

/// Between two looks at the screen: tmux tells nobody when it changes, only when it ends.
const LOOK: Duration = Duration::from_millis(30);

/// A terminal.
pub struct Terminal {
    server: String,
    /// Where the sockets of tmux are.
    sockets: OsString,
    pid: i32,
}

impl Terminal {
    /// A terminal of this size with a shell in this directory and environment.
    ///
    /// # Errors
    /// When tmux is not there or does not start.
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
        // Its socket is where that of nobody else is.
        let sockets = environment.get("TMPDIR").cloned().unwrap_or_else(|| std::env::temp_dir().into());
        command.env("TMUX_TMPDIR", &sockets);
        succeeded(&command.output().context("tmux cannot be started")?)?;
        let mut terminal = Terminal { server, sockets, pid: 0 };
        let pid = terminal.tmux(&["display-message", "-p", "#{pid}"])?;
        terminal.pid = pid.trim().parse().context("tmux does not tell its process id")?;
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
    /// When the terminal is gone, as for all that follow.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        self.tmux(&[&["send-keys"], keys].concat()).map(|_| ())
    }

    /// Types text.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn type_in(&self, text: &str) -> Result<()> {
        self.tmux(&["send-keys", "-l", text]).map(|_| ())
    }

    /// Pastes text, with bracketed paste if the program in the terminal turned that on.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn paste(&self, text: &str) -> Result<()> {
        self.tmux(&["set-buffer", "--", text])?;
        self.tmux(&["paste-buffer", "-p", "-r"]).map(|_| ())
    }

    /// What stands on the screen, cell by cell. Whether a blank at the end of a row was written nobody sees.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn cells(&self) -> Result<Vec<Vec<Cell>>> {
        Ok(cells(&self.tmux(&["capture-pane", "-p", "-e", "-N"])?))
    }

    /// What stands on the screen.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn screen(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    /// What went off the top of the screen, and what stands on it.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn history(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p", "-S", "-"])
    }

    /// What the terminal is to report: mouse, bracketed paste, the alternate screen, the cursor.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn modes(&self) -> Result<String> {
        let modes = "#{alternate_on} #{cursor_x},#{cursor_y} #{cursor_flag} #{keypad_cursor_flag} #{keypad_flag} \
            #{mouse_any_flag} #{mouse_sgr_flag} #{wrap_flag} #{insert_flag} #{origin_flag} #{scroll_region_upper}";
        self.tmux(&["display-message", "-p", modes])
    }

    /// What programs called it last.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn title(&self) -> Result<String> {
        self.tmux(&["display-message", "-p", "#{pane_title}"]).map(|title| title.trim_end().to_owned())
    }

    /// The first of the modes, or of the cells, in which it differs from another terminal; none if both show the same.
    ///
    /// # Errors
    /// When one of them is gone.
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

    /// Gives the terminal another size.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, (columns, rows): (u16, u16)) -> Result<()> {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]).map(|_| ())
    }

    /// Waits until the screen holds this.
    ///
    /// # Errors
    /// When it does not in time, with what stands there instead.
    pub fn wait_for(&self, text: &str, patience: Duration) -> Result<()> {
        let what = format!("the screen shows {text:?}");
        self.wait_until(&what, patience, |terminal| Ok(terminal.screen()?.contains(text)))
    }

    /// Waits until this holds.
    ///
    /// # Errors
    /// When it does not in time, with what stands on the screen.
    pub fn wait_until(
        &self,
        what: &str,
        patience: Duration,
        mut holds: impl FnMut(&Terminal) -> Result<bool>,
    ) -> Result<()> {
        let until = Instant::now() + patience;
        while !holds(self)? {
            if Instant::now() > until {
                bail!("not in time: {what}. The screen:\n{}", self.screen()?);
            }
            if processes::wait_for_exit(self.pid, LOOK) {
                bail!("the terminal ended, not so that {what}");
            }
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // By its id, so that nothing else can be meant; what runs in it gets a hang-up.
        if self.pid > 0 {
            let _ = processes::kill(self.pid);
        }
    }
}

/// A character and its look: the codes that are on, by what they are about.
pub type Cell = (char, BTreeMap<u16, String>);

/// The characters that letters stand for in the set of line drawings, from the grave accent on.
const LINES: &str = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";

/// What a character of that set looks like.
fn drawn(character: char) -> char {
    let place = u32::from(character).checked_sub(u32::from('`'));
    place.and_then(|place| LINES.chars().nth(place as usize)).unwrap_or(character)
}

/// The cells of a text with select graphic rendition sequences, which go on from line to line. A line that was drawn by its
/// letter is one that was drawn by its character.
fn cells(text: &str) -> Vec<Vec<Cell>> {
    let mut look = BTreeMap::new();
    let mut draws = false;
    let mut rows = Vec::new();
    for line in text.lines() {
        let mut row = Vec::new();
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            if character == '\u{1b}' {
                let sequence: String =
                    characters.by_ref().take_while(|character| *character != 'm').collect();
                change(&mut look, sequence.trim_start_matches('['));
            } else if matches!(character, '\u{e}' | '\u{f}') {
                draws = character == '\u{e}';
            } else {
                row.push((if draws { drawn(character) } else { character }, look.clone()));
            }
        }
        while row.last().is_some_and(|(character, look): &Cell| *character == ' ' && look.is_empty()) {
            row.pop();
        }
        rows.push(row);
    }
    rows
}

/// Carries out one sequence.
fn change(look: &mut BTreeMap<u16, String>, sequence: &str) {
    let mut codes = sequence.split(';');
    while let Some(code) = codes.next() {
        let number: u16 = code.split(':').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        match number {
            0 => look.clear(),
            22 => look.retain(|about, _| !matches!(about, 1 | 2)),
            23..=29 => drop(look.remove(&(number - 20))),
            39 | 49 | 59 => drop(look.remove(&(number - 9))),
            38 | 48 | 58 => {
                let rest: Vec<&str> = match codes.next() {
                    Some("5") => codes.by_ref().take(1).collect(),
                    Some("2") => codes.by_ref().take(3).collect(),
                    _ => Vec::new(),
                };
                look.insert(number - 8, format!("{code};{}", rest.join(";")));
            }
            30..=37 | 90..=97 => drop(look.insert(30, code.to_owned())),
            40..=47 | 100..=107 => drop(look.insert(40, code.to_owned())),
            _ => drop(look.insert(number, code.to_owned())),
        }
    }
}

fn succeeded(output: &Output) -> Result<String> {
    if !output.status.success() {
        bail!("tmux: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
