local block = require("areyouj.views.transcript.block")
local footer = require("areyouj.views.automation.footer")
local markdown = require("areyouj.markdown")
local wait = require("lib.wait")
local winbar = require("areyouj.views.winbar")
local same = wait.same

local function render(body, more)
  local context = { directory = "/p", icons = true, working = false, permission = function() end }
  return block.render(
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

---The text of a winbar.
local function visible(line)
  return vim.trim(vim.api.nvim_eval_statusline(line, { use_winbar = true, maxwidth = 200 }).str)
end

---The text of a footer.
local function footer_text(more, decisions, queue, problem)
  local model = {
    connection = { state = "connected" },
    session = function() return session(more) end,
    decisions = function() return decisions or {} end,
    permissions = function() return {} end,
    queue = function() return queue end,
  }
  return table.concat(footer.lines(model, "K7M2Q9XD", problem).lines, "\n")
end

return {
  tests = {
    {
      "a call folds to one line with its summary and its result",
      function()
        local call =
          { kind = "toolCall", toolUseId = "t", tool = "Read", input = { file_path = "/p/src/a.rs", limit = 3 } }
        local result = { kind = "toolResult", toolUseId = "t", isError = true, text = "no such file", truncated = true }
        local found = render(call, { result = result })
        same("head", found.lines[1], "✗ Read  src/a.rs  Failed")
        same("fold", { found.fold, found.open }, { true, false })
        wait.has("body", table.concat(found.lines, "\n"), "no such file\n  The rest of the output was truncated.")
        local edit = {
          kind = "toolCall",
          toolUseId = "t",
          tool = "Edit",
          input = { file_path = "/p/a", old_string = "a", new_string = "b" },
        }
        same("counts", render(edit).lines, { "● Edit  a  +1 -1", "  - a", "  + b" })
        same("open", render(edit).open, true)
      end,
    },
    {
      "every known kind of entry is rendered",
      function()
        same(
          "turn",
          render({ kind = "turnEnd", ok = false, outcome = "x", error = "boom", costUsd = 0, durationMs = 61000 }).lines,
          { "", "✗ Ended with an error · 1m 1s", "  boom" }
        )
        same(
          "end",
          render({ kind = "permissionEnd", permissionId = "p", outcome = "denied", by = "Neovim", message = "no" }).lines,
          { "✗ Denied in Neovim — no" }
        )
        same("notice", render({ kind = "notice", level = "warning", text = "retrying" }).lines, { "▲ retrying" })
        same("thinking", render({ kind = "thinking", text = "hm" }).lines, { "∴ Thinking", "  hm" })
        same("unknown", block.known({ seq = 1, at = 0, body = { kind = "tomorrow" } }), false)
      end,
    },
    {
      "code in Markdown is marked up to a closing fence of the same length",
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
      "the winbar shows the path to the page, and the state of the session and of the connection",
      function()
        local line =
          visible(winbar.line("K7M2Q9XD", session({ name = "my 100% name" }), { state = "connected" }, "Automation"))
        wait.has("crumbs", line, "Orchestration › engine › Automation  my 100% name")
        wait.has("status", line, "○ idle")
        wait.has("facts", line, "$0.50  85%")
        local lost = winbar.line("K7M2Q9XD", session(), { state = "reconnecting" }, "Terminal")
        wait.has("lost", visible(lost), "reconnecting")
        wait.has("failed", visible(winbar.line("K7M2Q9XD", nil, { state = "failed" }, "Terminal")), "not connected")
        local hints = { { "R", "restart" }, { "o", "transcript" } }
        local over = winbar.line("K7M2Q9XD", session({ status = "error" }), { state = "connected" }, "Terminal", hints)
        wait.has("page", visible(over), "› engine › Terminal")
        wait.has("hints", visible(over), "R restart   o transcript")
        same("pace", { winbar.pace(session({ status = "active" }), { state = "connected" }) }, { "fast" })
      end,
    },
    {
      "the footer shows what needs a person, and the queue",
      function()
        wait.has(
          "error",
          footer_text({ status = "error", error = { message = "Claude is gone.", hint = "Install it." } }),
          "Stopped with an error: Claude is gone.\nInstall it.\nR restart"
        )
        wait.has(
          "decision",
          footer_text({}, { { state = "failed", text = "fix", error = "overloaded" } }),
          "A message failed: fix\noverloaded\nu continue or skip"
        )
        local queued = {}
        for number = 1, 7 do
          queued[number] = { state = "queued", text = "m" .. number }
        end
        local waits = footer_text({}, {}, { messages = queued, paused = "you asked" })
        wait.has("queue", waits, "Queue: 7 waiting  Paused: you asked")
        wait.has("rest", waits, "… and 2 more")
        wait.has(
          "problem",
          footer_text({}, {}, nil, { message = "No session has this id.", hint = "" }),
          "No session has this id."
        )
        local terminal = { driver = "terminal", statusReason = "trust?" }
        wait.has("screen", footer_text(terminal), "o terminal")
        terminal.attention = { kind = "terminal", title = "Claude asks" }
        wait.has("dialog", footer_text(terminal), "Claude asks: o show")
        same("reason", footer_text(terminal):find("trust?", 1, true), nil)
        wait.has("end", footer_text({ status = "terminated" }), "Terminated. The transcript stays")
      end,
    },
  },
}
