//! The table of characters in which something can hide, for the extensions.

use std::fmt::Write;

use areyouj_protocol::HIDDEN;

use crate::HEADER;

/// The module of the VS Code extension.
pub(crate) fn typescript() -> String {
    let mut out = format!(
        "// {HEADER}\n\n\
        /** How a character hides something: it reorders or carries text, it has no look of its own, or it looks like a space. */\n\
        export type HiddenKind = \"reorders\" | \"invisible\" | \"blank\";\n\n\
        /** Characters in which something can hide, in ascending order: the first and the last of each range. */\n\
        export const HIDDEN: readonly (readonly [first: number, last: number, kind: HiddenKind])[] = [\n"
    );
    for range in HIDDEN {
        let (first, last) = (u32::from(range.first), u32::from(range.last));
        let _ = writeln!(out, "  [{first:#x}, {last:#x}, \"{}\"],", range.kind.as_str());
    }
    out + "];\n"
}

/// The module of the Neovim plugin.
pub(crate) fn lua() -> String {
    let mut out = format!(
        "-- {HEADER}\n\n\
        ---Characters in which something can hide, in ascending order: the first and the last of each range, and how.\n\
        ---@type {{ [1]: integer, [2]: integer, [3]: \"reorders\"|\"invisible\"|\"blank\" }}[]\n\
        return {{\n"
    );
    for range in HIDDEN {
        let (first, last) = (u32::from(range.first), u32::from(range.last));
        let _ = writeln!(out, "  {{ {first:#x}, {last:#x}, \"{}\" }},", range.kind.as_str());
    }
    out + "}\n"
}
