//! The table of hidden characters, for the extensions.

use std::fmt::Write;

use areyouj_protocol::HIDDEN;

use crate::HEADER;

/// The module of the VS Code extension.
pub(crate) fn typescript() -> String {
    let mut out = format!(
        "// {HEADER}\n\n\
        /** How a character hides content: it reorders or carries text, it is not displayed, or it looks like a space. */\n\
        export type HiddenKind = \"reorders\" | \"invisible\" | \"blank\";\n\n\
        /** Hidden characters in ascending order: the first and the last of each range, and the kind. */\n\
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
        ---Hidden characters in ascending order: the first and the last of each range, and the kind.\n\
        ---@type {{ [1]: integer, [2]: integer, [3]: \"reorders\"|\"invisible\"|\"blank\" }}[]\n\
        return {{\n"
    );
    for range in HIDDEN {
        let (first, last) = (u32::from(range.first), u32::from(range.last));
        let _ = writeln!(out, "  {{ {first:#x}, {last:#x}, \"{}\" }},", range.kind.as_str());
    }
    out + "}\n"
}
