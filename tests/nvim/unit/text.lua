local text = require("areyouj.text")
local wait = require("lib.wait")
local same = wait.same

return {
  tests = {
    {
      "control characters, escape sequences and directional marks are removed from displayed text",
      function()
        same("colour", text.clean("a\27[31mred\27[0m"), "ared")
        same("title", text.clean("a\27]0;title\7b"), "ab")
        same("link", text.clean("a\27]8;;http://x\27\\b\27]8;;\27\\c"), "abc")
        same("an unfinished title hides nothing", text.clean("a\27]0;rm -rf b\nc"), "a␛]0;rm -rf b\nc")
        same("nor before another escape", text.clean("a\27Ptitle\27[31mb"), "a␛Ptitleb")
        same("nor with a backslash in it", text.clean("a\27]0;x\\y"), "a␛]0;x\\y")
        local long = ("x"):rep(5000)
        same("a long title hides nothing", text.clean("a\27]0;" .. long .. "\7b"), "a␛]0;" .. long .. " b")
        same("the end of the text", text.clean("a\27"), "a␛")
        same("direction", text.clean("a\u{202e}b"), "a b")
        same("controls", text.clean("a\1b\127c\u{9b}d"), "a b c d")
        same("tags", text.clean("a\u{e0041}b"), "a b")
        same("what stays", text.clean("é — ✓ 日本 🦀\tx\ny"), "é — ✓ 日本 🦀\tx\ny")
        same("line ends", text.clean("a\r\nb"), "a\nb")
        same("no text", text.clean(nil), "")
      end,
    },
    {
      "in text that a person decides about, invisible characters become visible",
      function()
        same("escape", text.exact("ls\27[8m rm"), "ls␛[8m rm")
        same("direction", text.exact("a\u{202e}b"), "a<U+202E>b")
        same(
          "invisible",
          text.exact("a\u{200b}\u{ad}\u{3164}\u{fe0f}\u{e0001}b"),
          "a<U+200B><U+00AD><U+3164><U+FE0F><U+E0001>b"
        )
        same("delete", text.exact("a\127"), "a␡")
        same("lines", text.exact_line("a\nb\tc"), "a␊b␉c")
        same("what stays", text.exact("é 日本 🦀"), "é 日本 🦀")
      end,
    },
    {
      "every hidden character is visible in exact text and removed from plain text",
      function()
        for _, range in ipairs(require("areyouj.hidden")) do
          local first, last, kind = range[1], range[2], range[3]
          for point = first, last do
            local name = ("U+%04X"):format(point)
            local raw = "a" .. vim.fn.nr2char(point, true) .. "b"
            same(name .. " exact", text.exact(raw), "a<" .. name .. ">b")
            same(name .. " clean", text.clean(raw), kind == "reorders" and "a b" or raw)
            same(name .. " plain", text.plain(raw, 10), "a b")
          end
        end
        same("emoji", text.clean("👩‍💻 ✔️"), "👩‍💻 ✔️")
      end,
    },
    {
      "a line is truncated, however long it is",
      function()
        same("short", text.plain("  a \n b  ", 10), "a b")
        same("long", text.plain("abcdef", 4), "abc…")
        same("huge", #text.plain(("x"):rep(10000000), 10), 9 + #"…")
      end,
    },
    {
      "widths are screen columns, not bytes",
      function()
        same("wide", text.fit("日本語", 5), "日本…")
        same("padded", text.pad("é", 3), "é  ")
        same("right", text.pad("12", 4, true), "  12")
        same("nothing", text.fit("abc", 0), "")
      end,
    },
    {
      "times, costs and sizes have the same format as in the other clients",
      function()
        same("now", text.ago(1000, 2000), "just now")
        same("minutes", text.ago(0, 5 * 60000 + 1), "5m ago")
        same("days", text.ago(0, 2 * 86400000 + 3600000), "2d ago")
        same("duration", text.duration(3 * 3600000 + 12 * 60000), "3h 12m")
        same("since", text.since(65000), "1m 5s")
        same("elapsed", text.elapsed(1234), "1.2s")
        same("cost", text.cost(0.0123), "$0.012")
        same("nothing", text.cost(0.0001), "$0")
        same("tokens", text.tokens(1200000), "1.2M")
        same("size", text.size(12345), "12 KB")
      end,
    },
    {
      "an excerpt cannot close its own code block",
      function()
        local excerpt = { path = "a.md", first = 2, last = 2, language = "markdown", text = "````\nx\n````" }
        same("excerpt", text.excerpt(excerpt), "@a.md#L2\n`````markdown\n````\nx\n````\n`````\n")
      end,
    },
    {
      "ids are random UUIDs",
      function()
        assert(text.uuid():match("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"))
        assert(text.uuid() ~= text.uuid())
      end,
    },
    {
      "a percent sign in a name is escaped for the status line",
      function() same("escaped", text.statusline("100%!v:lua.os.exit()"), "100%%!v:lua.os.exit()") end,
    },
  },
}
