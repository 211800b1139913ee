//! One cell of a screen, in 16 bytes.

/// A colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Color {
    /// The terminal's default.
    #[default]
    Default,
    /// A colour of the palette.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// A colour in four bytes: its kind, then its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed([u8; 4]);

impl From<Color> for Packed {
    fn from(color: Color) -> Packed {
        Packed(match color {
            Color::Default => [0; 4],
            Color::Indexed(index) => [1, index, 0, 0],
            Color::Rgb(red, green, blue) => [2, red, green, blue],
        })
    }
}

impl From<Packed> for Color {
    fn from(Packed([kind, first, second, third]): Packed) -> Color {
        match kind {
            0 => Color::Default,
            1 => Color::Indexed(first),
            _ => Color::Rgb(first, second, third),
        }
    }
}

/// Attributes of text: one bit each, except three bits for the style of the underline.
pub(super) mod look {
    pub(in super::super) const BOLD: u16 = 1;
    pub(in super::super) const DIM: u16 = 1 << 1;
    pub(in super::super) const ITALIC: u16 = 1 << 2;
    pub(in super::super) const BLINK: u16 = 1 << 3;
    pub(in super::super) const INVERSE: u16 = 1 << 4;
    pub(in super::super) const HIDDEN: u16 = 1 << 5;
    pub(in super::super) const STRIKE: u16 = 1 << 6;
    pub(in super::super) const OVERLINE: u16 = 1 << 7;
    /// The place of the underline's style: 0 for none, otherwise as in SGR 4.
    pub(in super::super) const UNDERLINE_AT: u16 = 8;
    pub(in super::super) const UNDERLINE: u16 = 7 << UNDERLINE_AT;
    /// The first half of a wide character.
    pub(in super::super) const WIDE: u16 = 1 << 14;
    /// The second half of a wide character.
    pub(in super::super) const TAIL: u16 = 1 << 15;
    /// Bits that belong to the character and not to its style.
    pub(in super::super) const SHAPE: u16 = WIDE | TAIL;
}

/// A combined character is in a table; this bit marks its index there.
const CLUSTER: u32 = 1 << 31;

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) foreground: Packed,
    pub(super) background: Packed,
    pub(super) look: u16,
    /// The index of the underline's colour and the link in their table, from 1; 0 for neither.
    pub(super) extra: u16,
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    content: u32,
    pub(super) style: Style,
}

const _: () = assert!(size_of::<Cell>() == 16);

/// The content of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One character.
    Character(char),
    /// The combined character at this index of the table.
    Cluster(usize),
}

impl Default for Cell {
    fn default() -> Cell {
        Cell::blank(Packed::default())
    }
}

impl Cell {
    /// A space on this background, as erasing leaves it.
    pub(super) fn blank(background: Packed) -> Cell {
        Cell { content: u32::from(' '), style: Style { background, ..Style::default() } }
    }

    pub(super) fn new(character: char, style: Style) -> Cell {
        Cell { content: u32::from(character), style }
    }

    /// The second half of a wide character.
    pub(super) fn tail(mut style: Style) -> Cell {
        style.look |= look::TAIL;
        Cell::new(' ', style)
    }

    pub(super) fn content(self) -> Content {
        if self.content & CLUSTER == 0 {
            Content::Character(char::from_u32(self.content).unwrap_or(' '))
        } else {
            Content::Cluster((self.content & !CLUSTER) as usize)
        }
    }

    /// Replaces the character by the combined one at this index of the table.
    pub(super) fn set_cluster(&mut self, place: u32) {
        self.content = CLUSTER | place;
    }

    /// A space with the same style.
    pub(super) fn emptied(self) -> Cell {
        Cell::new(' ', Style { look: self.style.look & !look::SHAPE, ..self.style })
    }

    pub(super) fn is_wide(self) -> bool {
        self.style.look & look::WIDE != 0
    }

    pub(super) fn is_tail(self) -> bool {
        self.style.look & look::TAIL != 0
    }

    /// Nothing must be painted for it on an empty screen.
    pub(super) fn is_empty(self) -> bool {
        self == Cell::default()
    }
}
