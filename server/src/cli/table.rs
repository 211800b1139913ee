//! Aligned tables that fit the terminal: columns first shrink, then the least important ones are dropped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::screen::{Colour, Paint};

const GAP: &str = "  ";
const ELLIPSIS: &str = "\u{2026}";

/// How a column's text can be shortened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shorten {
    /// Not at all.
    Never,
    /// In the middle, to at least this width: for paths.
    Middle(usize),
    /// At the end, to at least this width: for sentences.
    End(usize),
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: &'static str,
    /// Whether the text is aligned to the right, as numbers are.
    pub(crate) right: bool,
    /// How its text can be shortened.
    pub(crate) shorten: Shorten,
    /// When the column is dropped for lack of space: the highest number first; 0 is never dropped.
    pub(crate) drop_order: u8,
}

/// The text in one column of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// One line, sanitized.
    pub(crate) text: String,
    /// Its colour.
    pub(crate) colour: Option<Colour>,
}

impl Cell {
    /// Text in a colour.
    pub(crate) fn coloured(colour: Colour, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), colour: Some(colour) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), colour: None }
    }
}

/// The table as text. Without a width every column has its full width.
pub(crate) fn render(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>, paint: Paint) -> String {
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let widest = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.width()).max();
            widest.unwrap_or(0).max(column.title.width())
        })
        .collect();
    let layout = layout(columns, &natural, width);
    let mut table = String::new();
    let titles = columns.iter().map(|column| Cell::coloured(Colour::Dim, column.title)).collect::<Vec<_>>();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for (position, &(index, width)) in layout.iter().enumerate() {
            let (column, cell) = (&columns[index], row.get(index).cloned().unwrap_or_default());
            let text = match column.shorten {
                Shorten::Middle(_) => shorten_middle(&cell.text, width),
                Shorten::End(_) | Shorten::Never => shorten_end(&cell.text, width),
            };
            let padding = " ".repeat(width.saturating_sub(text.width()));
            let text = cell.colour.map_or(text.clone(), |colour| paint.paint(colour, &text));
            if position > 0 {
                line.push_str(GAP);
            }
            if column.right {
                line.push_str(&padding);
            }
            line.push_str(&text);
            if !column.right {
                line.push_str(&padding);
            }
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// The indexes of the remaining columns, with their widths.
fn layout(columns: &[Column], natural: &[usize], width: Option<usize>) -> Vec<(usize, usize)> {
    let mut layout: Vec<(usize, usize)> = natural.iter().copied().enumerate().collect();
    let Some(available) = width else { return layout };
    loop {
        shrink(columns, &mut layout, available);
        let least_important = layout.iter().map(|(index, _)| columns[*index].drop_order).max().unwrap_or(0);
        if total(&layout) <= available || least_important == 0 {
            return layout;
        }
        layout.retain(|(index, _)| columns[*index].drop_order != least_important);
        // The remaining columns can have their full width again.
        for (index, width) in &mut layout {
            *width = natural[*index];
        }
    }
}

fn total(layout: &[(usize, usize)]) -> usize {
    layout.iter().map(|(_, width)| width).sum::<usize>() + GAP.len() * layout.len().saturating_sub(1)
}

/// Narrows the widest column that can shrink, until the table fits or no column can shrink.
fn shrink(columns: &[Column], layout: &mut [(usize, usize)], available: usize) {
    while total(layout) > available {
        let widest = layout
            .iter_mut()
            .filter(|(index, width)| match columns[*index].shorten {
                Shorten::Never => false,
                Shorten::Middle(least) | Shorten::End(least) => *width > least,
            })
            .max_by_key(|(_, width)| *width);
        match widest {
            Some((_, width)) => *width -= 1,
            None => return,
        }
    }
}

/// The text, shortened at the end with an ellipsis if it is wider than this.
pub(crate) fn shorten_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    format!("{}{ELLIPSIS}", beginning(text.chars(), width.saturating_sub(1)))
}

/// The text, shortened in the middle with an ellipsis if it is wider than this.
pub(crate) fn shorten_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let available = width.saturating_sub(1);
    // The end of a path says more than its beginning.
    let end: String = beginning(text.chars().rev(), available - available / 3).chars().rev().collect();
    format!("{}{ELLIPSIS}{end}", beginning(text.chars(), available / 3))
}

fn beginning(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    characters
        .take_while(|next| {
            used += next.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { title: "ID", right: false, shorten: Shorten::Never, drop_order: 0 },
        Column { title: "PATH", right: false, shorten: Shorten::Middle(8), drop_order: 0 },
        Column { title: "TASK", right: false, shorten: Shorten::End(6), drop_order: 1 },
        Column { title: "COST", right: true, shorten: Shorten::Never, drop_order: 2 },
    ];

    fn table(width: Option<usize>) -> String {
        let rows = [
            vec![
                "K7M2Q9XD".into(),
                "~/work/alpha/beta/gamma".into(),
                "write the tests".into(),
                "$1.20".into(),
            ],
            vec![
                "ABCDEFGH".into(),
                "~/\u{65e5}\u{672c}\u{8a9e}".into(),
                "No active task".into(),
                "$0.00".into(),
            ],
        ];
        render(COLUMNS, &rows, width, Paint(false))
    }

    fn widths(table: &str) -> Vec<usize> {
        table.lines().map(UnicodeWidthStr::width).collect()
    }

    #[test]
    fn columns_are_aligned_however_wide_the_characters_are() {
        assert_eq!(
            table(None),
            "ID        PATH                     TASK              COST\n\
             K7M2Q9XD  ~/work/alpha/beta/gamma  write the tests  $1.20\n\
             ABCDEFGH  ~/\u{65e5}\u{672c}\u{8a9e}                 No active task   $0.00\n"
        );
    }

    #[test]
    fn a_table_that_fits_is_unchanged() {
        assert_eq!(table(Some(200)), table(None));
    }

    #[test]
    fn columns_shrink_before_any_is_dropped() {
        let table = table(Some(45));
        assert!(widths(&table).iter().all(|width| *width <= 45), "{table}");
        assert!(table.contains("COST") && table.contains('\u{2026}'), "{table}");
    }

    #[test]
    fn the_least_important_columns_are_dropped_in_a_narrow_terminal() {
        let table = table(Some(26));
        assert!(widths(&table).iter().all(|width| *width <= 26), "{table}");
        assert!(!table.contains("COST"), "{table}");
        assert!(table.contains("K7M2Q9XD"), "{table}");
    }

    #[test]
    fn colours_have_no_width() {
        let rows = [vec![Cell::coloured(Colour::Red, "x"), "path".into()]];
        let table = render(COLUMNS, &rows, None, Paint(true));
        assert!(table.contains("\u{1b}[31mx\u{1b}[0m   path"), "{table:?}");
    }

    #[test]
    fn texts_are_shortened_by_columns_instead_of_bytes() {
        assert_eq!(shorten_end("\u{65e5}\u{672c}\u{8a9e}", 5), "\u{65e5}\u{672c}\u{2026}");
        assert_eq!(shorten_end("\u{65e5}\u{672c}\u{8a9e}", 4), "\u{65e5}\u{2026}");
        assert_eq!(shorten_end("short", 5), "short");
        assert_eq!(shorten_middle("~/a/long/way/home", 10), "~/a\u{2026}y/home");
        assert_eq!(shorten_middle("abc", 0), "\u{2026}");
    }
}
