local page = require("areyouj.views.styled_lines")
local sessions = require("areyouj.views.dashboard.table")
local samples = require("lib.samples")
local wait = require("lib.wait")
local same = wait.same

local function session(id, more)
  return samples.session(id, vim.tbl_extend("keep", more or {}, { directory = "/work/" .. id:lower() }))
end

local ALL = {
  session("A", { createdAt = 3, status = "waiting", name = "Zebra", costUsd = 1 }),
  session("B", { createdAt = 2, status = "active", currentTask = "fix the parser", costUsd = 2 }),
  session("C", { createdAt = 1, status = "terminated" }),
  session("D", { createdAt = 4, status = "starting", name = "apple" }),
}

local function ids(change)
  local view = vim.tbl_extend("force", sessions.default(), change or {})
  return table.concat(vim.tbl_map(function(one) return one.id end, sessions.arrange(ALL, view)))
end

return {
  tests = {
    {
      "sessions are counted as on the tiles",
      function() same("counts", sessions.counts(ALL), { total = 3, active = 1, waiting = 1, idle = 0, error = 0 }) end,
    },
    {
      "the newest come first, and everything can be sorted and filtered",
      function()
        same("newest", ids(), "DAB")
        same("with the terminated", ids({ terminated = true }), "DABC")
        same("by status", ids({ column = "status", descending = false }), "ABD")
        same("by name", ids({ column = "name", descending = false }), "DBA")
        same("by cost", ids({ column = "cost" }), "BAD")
        same("tile", ids({ tile = "waiting" }), "A")
        same("words", ids({ words = "PARSER fix" }), "B")
        same("no such words", ids({ words = "parser zebra" }), "")
      end,
    },
    {
      "a table is as wide as its window, and leaves out what there is no room for",
      function()
        for _, width in ipairs({ 30, 60, 80, 120, 200 }) do
          local layout, built = sessions.layout(width), page.new()
          sessions.head(layout, sessions.default(), built, true)
          sessions.row(ALL[1], layout, built, 10, true)
          for _, line in ipairs(built.lines) do
            local wide = vim.fn.strdisplaywidth((line:gsub("%s+$", "")))
            assert(wide <= math.max(width, 42), ("%d columns in %d: %s"):format(wide, width, line))
          end
        end
        same("narrow", #sessions.layout(30), 2)
        same("wide", #sessions.layout(200), 9)
      end,
    },
    {
      "a click is on a column",
      function()
        local layout = sessions.layout(200)
        same("first", sessions.column_at(layout, 1), "status")
        same("second", sessions.column_at(layout, layout[2].start), "name")
        same("beside", sessions.column_at(layout, 500), nil)
      end,
    },
    {
      "names with marks of direction, line breaks and wide letters stay in their cells",
      function()
        local nasty = session(
          "E",
          { name = "a\u{202e}b\n日本語日本語日本語日本語日本語", directory = "/x/\n\27[2J" }
        )
        local built = page.new()
        sessions.row(nasty, sessions.layout(120), built, 10, true)
        same("one line", #built.lines, 1)
        assert(not built.lines[1]:find("[\n\27]") and not built.lines[1]:find("\u{202e}", 1, true), built.lines[1])
      end,
    },
    {
      "a session at a terminal has a mark, and no cost that nobody told",
      function()
        local function row(icons, more)
          local built = page.new()
          local one = session("F", vim.tbl_extend("keep", more or {}, { driver = "terminal", unread = 1 }))
          sessions.row(one, sessions.layout(200), built, 10, icons)
          return built.lines[1]
        end
        wait.has("mark", row(true), "F ▣ •")
        wait.has("in ASCII", row(false), "F # +")
        same("cost", row(true):find("$", 1, true), nil)
        wait.has("of its time as a stream", row(true, { costUsd = 0.5 }), "$0.50")
      end,
    },
    {
      "a view that was kept is taken as far as it is one",
      function()
        same("good", sessions.checked({ column = "cost", descending = false }).column, "cost")
        same("bad", sessions.checked({ column = "x", descending = 7, terminated = "y" }), sessions.default())
      end,
    },
  },
}
