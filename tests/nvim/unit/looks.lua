local block = require("areyouj.views.transcript.block")
local foot = require("areyouj.views.automation.foot")
local markdown = require("areyouj.markdown")
local wait = require("lib.wait")
local winbar = require("areyouj.views.winbar")
local same = wait.same

local function look(body, more)
  local context = { directory = "/p", icons = true, working = false, permission = function() end }
  return block.look(
    vim.tbl_extend("force", { entry = { seq = 1, at = 0, body = body }, depth = 0 }, more or {}),
    context
  )
end

local function session(more)
  return vim.tbl_extend("force", {
    id = "K7M2Q9XD",
    directory = "/work/engine",
    status = "idle",
    statusSince = 0,
    costUsd = 0.5,
    contextUsed = 170000,
    contextMax = 200000,
    queued = 0,
    unread = 0,
  }, more or {})
end

---What people see of a winbar.
local function seen(line) return vim.trim(vim.api.nvim_eval_statusline(line, { use_winbar = true, maxwidth = 200 }).str) end

---What the foot of an automation says.
local function says(more, decisions, queue, problem)
  local model = {
    connection = { state = "connected" },
    session = function() return session(more) end,
    decisions = function() return decisions or {} end,
    permissions = function() return {} end,
    queue = function() return queue end,
  }
  return table.concat(foot.page(model, "K7M2Q9XD", problem).lines, "\n")
end

return {
  tests = {
    {
      "a call folds to one line that says what it is about and how it ended",
      function()
        local call =
          { kind = "toolCall", toolUseId = "t", tool = "Read", input = { file_path = "/p/src/a.rs", limit = 3 } }
        local result = { kind = "toolResult", toolUseId = "t", isError = true, text = "no such file", truncated = true }
        local found = look(call, { result = result })
        same("head", found.lines[1], "✗ Read  src/a.rs  Failed")
        same("fold", { found.fold, found.open }, { true, false })
        wait.has("body", table.concat(found.lines, "\n"), "no such file\n  The output was longer and was cut off here.")
        local edit = {
          kind = "toolCall",
          toolUseId = "t",
          tool = "Edit",
          input = { file_path = "/p/a", old_string = "a", new_string = "b" },
        }
        same("counts", look(edit).lines, { "● Edit  a  +1 -1", "  - a", "  + b" })
        same("open", look(edit).open, true)
      end,
    },
    {
      "every kind of entry has a look, and none that is not known",
      function()
        same(
          "turn",
          look({ kind = "turnEnd", ok = false, outcome = "x", error = "boom", costUsd = 0, durationMs = 61000 }).lines,
          { "", "✗ Ended with an error · 1m 1s", "  boom" }
        )
        same(
          "end",
          look({ kind = "permissionEnd", permissionId = "p", outcome = "denied", by = "Neovim", message = "no" }).lines,
          { "✗ Denied in Neovim — no" }
        )
        same("notice", look({ kind = "notice", level = "warning", text = "retrying" }).lines, { "▲ retrying" })
        same("thinking", look({ kind = "thinking", text = "hm" }).lines, { "∴ Thinking", "  hm" })
        same("unknown", block.known({ seq = 1, at = 0, body = { kind = "tomorrow" } }), false)
      end,
    },
    {
      "code in Markdown is marked until its fence, however long the fence is",
      function()
        local state = {}
        local groups = vim.tbl_map(
          function(mark) return mark.row .. mark.group end,
          markdown.marks({ "````lua", "```", "x", "````", "**y** `z`" }, state)
        )
        same(
          "marks",
          groups,
          { "0AreYouJFence", "1AreYouJCode", "2AreYouJCode", "3AreYouJFence", "4AreYouJCode", "4AreYouJBold" }
        )
        markdown.marks({ "```" }, state)
        same("open", state.fence, "```")
      end,
    },
    {
      "the winbar says where one is, how the session stands and how the connection does",
      function()
        local line =
          seen(winbar.line("K7M2Q9XD", session({ name = "my 100% name" }), { state = "connected" }, "Automation"))
        wait.has("crumbs", line, "Orchestration › engine › Automation  my 100% name")
        wait.has("status", line, "○ idle")
        wait.has("facts", line, "$0.50  85%")
        local lost = winbar.line("K7M2Q9XD", session(), { state = "reconnecting" }, "Terminal")
        wait.has("lost", seen(lost), "reconnecting")
        wait.has("failed", seen(winbar.line("K7M2Q9XD", nil, { state = "failed" }, "Terminal")), "not connected")
        local hints = { { "R", "starts it again" }, { "o", "transcript" } }
        local over = winbar.line("K7M2Q9XD", session({ status = "error" }), { state = "connected" }, "Terminal", hints)
        wait.has("page", seen(over), "› engine › Terminal")
        wait.has("hints", seen(over), "R starts it again   o transcript")
        same("pace", { winbar.pace(session({ status = "active" }), { state = "connected" }) }, { "fast" })
      end,
    },
    {
      "the foot says what needs a person and what waits",
      function()
        wait.has(
          "error",
          says({ status = "error", error = { message = "Claude is gone.", hint = "Install it." } }),
          "Stopped by an error: Claude is gone.\nInstall it.\nR restarts"
        )
        wait.has(
          "decision",
          says({}, { { state = "failed", text = "fix", error = "overloaded" } }),
          "A message failed: fix\noverloaded\nu decides"
        )
        local queued = {}
        for number = 1, 7 do
          queued[number] = { state = "queued", text = "m" .. number }
        end
        local waits = says({}, {}, { messages = queued, paused = "you asked" })
        wait.has("queue", waits, "Queue: 7 waiting  Paused: you asked")
        wait.has("rest", waits, "… and 2 more")
        wait.has(
          "problem",
          says({}, {}, nil, { message = "No session has this id.", hint = "" }),
          "No session has this id."
        )
        local terminal = { driver = "terminal", statusReason = "trust?" }
        wait.has("screen", says(terminal), "o screen")
        terminal.attention = { kind = "terminal", title = "Claude asks" }
        wait.has("dialog", says(terminal), "Claude asks: o shows it")
        same("reason", says(terminal):find("trust?", 1, true), nil)
        wait.has("end", says({ status = "terminated" }), "Terminated. The transcript stays")
      end,
    },
  },
}
