//! One cell of a screen, in 16 bytes.

/// A colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Color {
    /// The terminal's own.
    #[default]
    Default,
    /// Of the palette.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// A colour in four bytes: what it is, then its parts.
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

/// How text looks: one bit each, but for the three of the underline's style.
pub(super) mod look {
    pub(in super::super) const BOLD: u16 = 1;
    pub(in super::super) const DIM: u16 = 1 << 1;
    pub(in super::super) const ITALIC: u16 = 1 << 2;
    pub(in super::super) const BLINK: u16 = 1 << 3;
    pub(in super::super) const INVERSE: u16 = 1 << 4;
    pub(in super::super) const HIDDEN: u16 = 1 << 5;
    pub(in super::super) const STRIKE: u16 = 1 << 6;
    pub(in super::super) const OVERLINE: u16 = 1 << 7;
    /// Where the style of the underline stands: 0 for none, else as in SGR 4.
    pub(in super::super) const UNDERLINE_AT: u16 = 8;
    pub(in super::super) const UNDERLINE: u16 = 7 << UNDERLINE_AT;
    /// The first half of a wide character.
    pub(in super::super) const WIDE: u16 = 1 << 14;
    /// The second half of one.
    pub(in super::super) const TAIL: u16 = 1 << 15;
    /// What belongs to the character and not to its look.
    pub(in super::super) const SHAPE: u16 = WIDE | TAIL;
}

/// A character with others over it stands in a table; this bit marks its place there.
const CLUSTER: u32 = 1 << 31;

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) foreground: Packed,
    pub(super) background: Packed,
    pub(super) look: u16,
    /// The place of the underline's colour and the link in their table; 0 for neither.
    pub(super) extra: u16,
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    content: u32,
    pub(super) style: Style,
}

const _: () = assert!(size_of::<Cell>() == 16);

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One character.
    Character(char),
    /// The characters at this place of the table.
    Cluster(usize),
}

impl Default for Cell {
    fn default() -> Cell {
        Cell::blank(Packed::default())
    }
}

impl Cell {
    /// A space on this background: what erasing leaves.
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

    /// Puts what stands at this place of the table in place of its character.
    pub(super) fn set_cluster(&mut self, place: u32) {
        self.content = CLUSTER | place;
    }

    /// A space that looks alike.
    pub(super) fn emptied(self) -> Cell {
        Cell::new(' ', Style { look: self.style.look & !look::SHAPE, ..self.style })
    }

    pub(super) fn is_wide(self) -> bool {
        self.style.look & look::WIDE != 0
    }

    pub(super) fn is_tail(self) -> bool {
        self.style.look & look::TAIL != 0
    }

    /// Nothing is to be painted for it on an empty screen.
    pub(super) fn is_empty(self) -> bool {
        self == Cell::default()
    }
}
