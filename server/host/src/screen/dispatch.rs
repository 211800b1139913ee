//! Control sequences as operations. Unknown ones are ignored; queries are left to the viewers' terminals.

use vte::Params;

use super::State;
use super::cell::{Color, Packed, look};
use super::pen::{Extra, link};

/// Applies what the parser finds.
pub(super) struct Performer<'a> {
    pub(super) state: &'a mut State,
}

impl vte::Perform for Performer<'_> {
    fn print(&mut self, character: char) {
        self.state.print(character);
    }

    fn execute(&mut self, byte: u8) {
        self.state.control(byte);
    }

    fn osc_dispatch(&mut self, parameters: &[&[u8]], _: bool) {
        match parameters {
            [b"8", parameters, address @ ..] => {
                self.state.set_extra(Extra {
                    link: link(parameters, &address.join(&b';')),
                    ..self.state.pen.extra.clone()
                });
            }
            _ => self.state.strings.command(parameters),
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        let state = &mut *self.state;
        match (intermediates, byte) {
            ([], b'7') => state.save_cursor(),
            ([], b'8') => state.restore_cursor(),
            ([], b'D') => {
                state.grid.cursor.wrap_next = false;
                state.line_feed();
            }
            ([], b'E') => {
                state.carriage_return();
                state.line_feed();
            }
            ([], b'H') => state.set_tab(true),
            ([], b'M') => state.reverse_line_feed(),
            ([], b'c') => state.reset(),
            ([], b'=') => state.modes.keypad = Some(true),
            ([], b'>') => state.modes.keypad = Some(false),
            ([b'#'], b'8') => state.align(),
            ([b'('], set) => state.charsets.lines[0] = set == b'0',
            ([b')'], set) => state.charsets.lines[1] = set == b'0',
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if !ignore {
            self.state.control_sequence(params, intermediates, action);
        }
    }
}

/// The parameters of a sequence.
struct Numbers<'a>(&'a Params);

impl Numbers<'_> {
    /// The parameter at this index; 0 if it is omitted.
    fn get(&self, place: usize) -> u16 {
        self.0.iter().nth(place).and_then(|parameter| parameter.first().copied()).unwrap_or(0)
    }

    /// A count of at least one.
    fn count(&self) -> u16 {
        self.get(0).max(1)
    }

    /// A position, counted from 0 instead of 1.
    fn place(&self, place: usize) -> u16 {
        self.get(place).saturating_sub(1)
    }
}

impl State {
    fn control_sequence(&mut self, params: &Params, intermediates: &[u8], action: char) {
        let numbers = Numbers(params);
        match (intermediates, action) {
            ([], 'A') => self.go_up(numbers.count()),
            ([], 'B' | 'e') => self.go_down(numbers.count()),
            ([], 'C' | 'a') => self.go_right(numbers.count()),
            ([], 'D') => self.go_left(numbers.count()),
            ([], 'E') => {
                self.go_down(numbers.count());
                self.go_to_column(0);
            }
            ([], 'F') => {
                self.go_up(numbers.count());
                self.go_to_column(0);
            }
            ([], 'G' | '`') => self.go_to_column(numbers.place(0)),
            ([], 'H' | 'f') => self.go_to(numbers.place(0), numbers.place(1)),
            ([], 'I') => self.tab_forward(numbers.count()),
            ([], 'J') => self.erase_in_display(numbers.get(0)),
            ([], 'K') => self.erase_in_line(numbers.get(0)),
            ([], 'L') => self.move_lines(numbers.count(), true),
            ([], 'M') => self.move_lines(numbers.count(), false),
            ([], 'P') => self.delete_cells(numbers.count()),
            ([], 'S') => self.scroll_up(numbers.count().min(self.size.rows)),
            ([], 'T') => self.scroll_down(numbers.count().min(self.size.rows)),
            ([], 'X') => self.erase_cells(numbers.count()),
            ([], 'Z') => self.tab_back(numbers.count()),
            ([], '@') => self.insert_cells(numbers.count()),
            ([], 'b') => self.repeat_last(numbers.count()),
            ([], 'd') => self.go_to_row(numbers.place(0)),
            ([], 'g') => match numbers.get(0) {
                0 => self.set_tab(false),
                3 => self.clear_tabs(),
                _ => {}
            },
            ([], 'h' | 'l') => {
                for parameter in params {
                    self.set_ansi(parameter.first().copied().unwrap_or(0), action == 'h');
                }
            }
            ([b'?'], 'h' | 'l') => {
                for parameter in params {
                    self.set_private(parameter.first().copied().unwrap_or(0), action == 'h');
                }
            }
            ([], 'm') => self.look(params),
            ([b'>'], 'm') if numbers.get(0) == 4 => self.keyboard.modify_other(numbers.get(1)),
            ([], 'r') => self.set_region(numbers.get(0), numbers.get(1)),
            ([], 's') => self.save_cursor(),
            ([], 'u') => self.restore_cursor(),
            ([b'>'], 'u') => self.keyboard.push(numbers.get(0)),
            ([b'<'], 'u') => self.keyboard.pop(numbers.get(0)),
            ([b'='], 'u') => self.keyboard.change(numbers.get(0), numbers.get(1)),
            ([b' '], 'q') => self.modes.cursor_shape = Some(numbers.get(0).min(6) as u8),
            ([b'!'], 'p') => self.reset_softly(),
            _ => {}
        }
    }

    /// Changes the underline's colour or the link of the text that follows.
    fn set_extra(&mut self, extra: Extra) {
        if self.tables.are_full() {
            // The replaced row can be removed.
            self.pen.extra = Extra::default();
            self.tidy();
        }
        self.pen.extra = extra;
        self.tables.settle(&mut self.pen);
    }

    /// Select graphic rendition.
    fn look(&mut self, params: &Params) {
        let mut parameters = params.iter();
        while let Some(parameter) = parameters.next() {
            let &[code, ref sub @ ..] = parameter else { continue };
            match code {
                0 => {
                    self.pen.style = super::cell::Style::default();
                    if self.pen.extra.underline != Color::Default || self.pen.extra.link.is_some() {
                        self.set_extra(Extra { underline: Color::Default, ..self.pen.extra.clone() });
                    }
                }
                1 => self.add(look::BOLD),
                2 => self.add(look::DIM),
                3 => self.add(look::ITALIC),
                4 => self.underline(sub.first().copied().unwrap_or(1)),
                5 | 6 => self.add(look::BLINK),
                7 => self.add(look::INVERSE),
                8 => self.add(look::HIDDEN),
                9 => self.add(look::STRIKE),
                21 => self.underline(2),
                22 => self.take_away(look::BOLD | look::DIM),
                23 => self.take_away(look::ITALIC),
                24 => self.underline(0),
                25 => self.take_away(look::BLINK),
                27 => self.take_away(look::INVERSE),
                28 => self.take_away(look::HIDDEN),
                29 => self.take_away(look::STRIKE),
                53 => self.add(look::OVERLINE),
                55 => self.take_away(look::OVERLINE),
                30..=37 => self.pen.style.foreground = indexed(code - 30),
                39 => self.pen.style.foreground = Packed::default(),
                40..=47 => self.pen.style.background = indexed(code - 40),
                49 => self.pen.style.background = Packed::default(),
                90..=97 => self.pen.style.foreground = indexed(code - 90 + 8),
                100..=107 => self.pen.style.background = indexed(code - 100 + 8),
                59 => self.set_extra(Extra { underline: Color::Default, ..self.pen.extra.clone() }),
                38 | 48 | 58 => {
                    let color = if sub.is_empty() {
                        let mut next = || parameters.next().and_then(|parameter| parameter.first().copied());
                        match next() {
                            Some(5) => next().map(palette),
                            Some(2) => match (next(), next(), next()) {
                                (Some(red), Some(green), Some(blue)) => rgb([red, green, blue]),
                                _ => None,
                            },
                            _ => None,
                        }
                    } else {
                        color_of(sub)
                    };
                    match (code, color) {
                        (_, None) => {}
                        (38, Some(color)) => self.pen.style.foreground = color.into(),
                        (48, Some(color)) => self.pen.style.background = color.into(),
                        (_, Some(underline)) => self.set_extra(Extra { underline, ..self.pen.extra.clone() }),
                    }
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, look: u16) {
        self.pen.style.look |= look;
    }

    fn take_away(&mut self, look: u16) {
        self.pen.style.look &= !look;
    }

    fn underline(&mut self, style: u16) {
        if style <= 5 {
            self.take_away(look::UNDERLINE);
            self.add(style << look::UNDERLINE_AT);
        }
    }
}

fn indexed(index: u16) -> Packed {
    palette(index).into()
}

fn palette(index: u16) -> Color {
    Color::Indexed(index.min(255) as u8)
}

fn rgb(parts: [u16; 3]) -> Option<Color> {
    let [red, green, blue] = parts.map(|part| u8::try_from(part).ok());
    Some(Color::Rgb(red?, green?, blue?))
}

/// A colour in one parameter with colons: 5:INDEX, 2:R:G:B or 2:SPACE:R:G:B.
fn color_of(sub: &[u16]) -> Option<Color> {
    match *sub {
        [5, index, ..] => Some(palette(index)),
        [2, _, red, green, blue, ..] | [2, red, green, blue] => rgb([red, green, blue]),
        _ => None,
    }
}
