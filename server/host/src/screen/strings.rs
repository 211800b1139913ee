//! What programs set by operating system commands: the title, and colours.

use std::collections::BTreeMap;

/// Maximum length of a title in bytes.
const TITLE_BYTES: usize = 512;

/// Maximum length of a colour's name in bytes.
const COLOR_BYTES: usize = 64;

/// The commands that set the colours of text, background and cursor; a hundred more resets each.
const DYNAMIC: std::ops::RangeInclusive<u16> = 10..=12;
const RESET: u16 = 100;

/// The strings that programs have set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Strings {
    title: Option<Box<str>>,
    /// By the command; `None` after a reset.
    dynamic: BTreeMap<u16, Option<Box<str>>>,
    /// By the colour's number.
    palette: BTreeMap<u8, Option<Box<str>>>,
}

impl Strings {
    /// Applies the parameters of a command.
    pub(super) fn command(&mut self, parameters: &[&[u8]]) {
        let Some((command, rest)) = parameters.split_first() else { return };
        let Some(command) = number(command) else { return };
        match command {
            0 | 2 => {
                let title = rest.join(&b';');
                self.title = Some(bounded(&title, TITLE_BYTES));
            }
            4 => {
                for pair in rest.chunks_exact(2) {
                    if let (Some(index), Some(color)) = (number(pair[0]), color(pair[1])) {
                        self.set_palette(index, Some(color));
                    }
                }
            }
            104 if rest.iter().all(|index| index.is_empty()) => {
                self.palette.values_mut().for_each(|color| *color = None);
            }
            104 => {
                for index in rest.iter().copied().filter_map(number) {
                    self.set_palette(index, None);
                }
            }
            // Further colours are for the commands that follow.
            command if DYNAMIC.contains(&command) => {
                for (command, value) in (command..=*DYNAMIC.end()).zip(rest) {
                    if let Some(color) = color(value) {
                        self.dynamic.insert(command, Some(color));
                    }
                }
            }
            command if command >= RESET && DYNAMIC.contains(&(command - RESET)) => {
                self.dynamic.insert(command - RESET, None);
            }
            _ => {}
        }
    }

    fn set_palette(&mut self, index: u16, color: Option<Box<str>>) {
        if let Ok(index) = u8::try_from(index) {
            self.palette.insert(index, color);
        }
    }

    /// Writes the commands that set the same.
    pub(super) fn write(&self, out: &mut String) {
        if let Some(title) = &self.title {
            out.push_str(&format!("\x1b]2;{title}\x1b\\"));
        }
        for (command, color) in &self.dynamic {
            match color {
                Some(color) => out.push_str(&format!("\x1b]{command};{color}\x1b\\")),
                None => out.push_str(&format!("\x1b]{}\x1b\\", command + RESET)),
            }
        }
        for (index, color) in &self.palette {
            match color {
                Some(color) => out.push_str(&format!("\x1b]4;{index};{color}\x1b\\")),
                None => out.push_str(&format!("\x1b]104;{index}\x1b\\")),
            }
        }
    }
}

fn number(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The colour to keep; `None` if it is a query, or too long.
fn color(value: &[u8]) -> Option<Box<str>> {
    let plain = !value.is_empty() && value.len() <= COLOR_BYTES && value.iter().all(u8::is_ascii_graphic);
    (plain && value != b"?").then(|| bounded(value, COLOR_BYTES))
}

fn bounded(bytes: &[u8], most: usize) -> Box<str> {
    let text: String =
        String::from_utf8_lossy(bytes).chars().filter(|character| !character.is_control()).collect();
    text[..text.floor_char_boundary(most)].into()
}
