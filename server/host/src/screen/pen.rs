//! What text is written with: its style, the colour of its underline and its link.

use std::rc::Rc;

use super::cell::{Color, Style};

/// Maximum length of a link in bytes.
const LINK_BYTES: usize = 1_024;

/// The colour of an underline, and a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) underline: Color,
    /// The parameters and the address, as they came.
    pub(super) link: Option<Rc<str>>,
}

/// What the next character is written with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pen {
    /// `Tables::settle` keeps its `extra` consistent with [`Pen::extra`].
    pub(super) style: Style,
    pub(super) extra: Extra,
}

/// The link to keep, or `None` if the address is empty, too long or contains control characters.
pub(super) fn link(parameters: &[u8], address: &[u8]) -> Option<Rc<str>> {
    if address.is_empty() || parameters.len() + address.len() >= LINK_BYTES {
        return None;
    }
    let link = format!("{};{}", String::from_utf8_lossy(parameters), String::from_utf8_lossy(address));
    (!link.chars().any(char::is_control)).then(|| link.into())
}
