local styled_lines = require("areyouj.views.styled_lines")
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
      "the tiles count sessions by status",
      function() same("counts", sessions.counts(ALL), { total = 3, active = 1, waiting = 1, idle = 0, error = 0 }) end,
    },
    {
      "the newest sessions come first, and the table can be sorted and filtered",
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
      "the table fits the width of its window and leaves out columns",
      function()
        for _, width in ipairs({ 30, 60, 80, 120, 200 }) do
          local layout, built = sessions.layout(width), styled_lines.new()
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
      "a screen column belongs to a column of the table",
      function()
        local layout = sessions.layout(200)
        same("first", sessions.column_at(layout, 1), "status")
        same("second", sessions.column_at(layout, layout[2].start), "name")
        same("beside", sessions.column_at(layout, 500), nil)
      end,
    },
    {
      "names with directional marks, line breaks and wide characters stay in their cells",
      function()
        local hostile = session(
          "E",
          { name = "a\u{202e}b\n日本語日本語日本語日本語日本語", directory = "/x/\n\27[2J" }
        )
        local built = styled_lines.new()
        sessions.row(hostile, sessions.layout(120), built, 10, true)
        same("one line", #built.lines, 1)
        assert(not built.lines[1]:find("[\n\27]") and not built.lines[1]:find("\u{202e}", 1, true), built.lines[1])
      end,
    },
    {
      "a terminal session has a mark, and no cost unless Claude reported one",
      function()
        local function row(icons, more)
          local built = styled_lines.new()
          local one = session("F", vim.tbl_extend("keep", more or {}, { driver = "terminal", unread = 1 }))
          sessions.row(one, sessions.layout(200), built, 10, icons)
          return built.lines[1]
        end
        wait.has("mark", row(true), "F ▣ •")
        wait.has("in ASCII", row(false), "F # +")
        same("cost", row(true):find("$", 1, true), nil)
        wait.has("from its time as a stream", row(true, { costUsd = 0.5 }), "$0.50")
      end,
    },
    {
      "invalid members of a saved view are replaced by defaults",
      function()
        same("good", sessions.restored({ column = "cost", descending = false }).column, "cost")
        same("bad", sessions.restored({ column = "x", descending = 7, terminated = "y" }), sessions.default())
      end,
    },
  },
}
