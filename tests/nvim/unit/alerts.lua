local alerts = require("areyouj.alerts")
local statusline = require("areyouj.statusline")
local session = require("lib.samples").session
local same = require("lib.wait").same

return {
  tests = {
    {
      "everything that waits at first is one sum, and later alerts are shown once",
      function()
        local filter = alerts.filter()
        local request = { id = "A-1", sessionId = "A", kind = "tool", title = "ls" }
        local found, waiting = filter:update({ session("A") }, { request })
        same("first", { #found, waiting }, { 0, 1 })
        found, waiting = filter:update(
          { session("A") },
          { request, { id = "A-2", sessionId = "A", kind = "question", title = "Which?" } }
        )
        same("later", vim.tbl_map(function(one) return one.text end, found), { "A asks: Which?" })
        same("sum", waiting, 0)
        same(
          "again",
          #filter:update(
            { session("A") },
            { request, { id = "A-2", sessionId = "A", kind = "question", title = "Which?" } }
          ),
          0
        )
      end,
    },
    {
      "each failure is shown once",
      function()
        local filter = alerts.filter()
        filter:update({}, {})
        local interrupted = session("A", { attention = { kind = "interrupted", messageId = "m", title = "fix it" } })
        same("interrupted", filter:update({ interrupted }, {})[1].text, "A: a turn was interrupted. fix it")
        same("once", #filter:update({ interrupted }, {}), 0)
        local failed = session("A", { status = "error", error = { message = "gone", hint = "" } })
        same("error", filter:update({ failed }, {})[1].kind, "error")
      end,
    },
    {
      "a terminal that asks is shown with the command that opens it, and again when it asks again",
      function()
        local filter = alerts.filter()
        filter:update({}, {})
        local function asks(since)
          local attention = { kind = "terminal", title = "Claude asks whether to trust this directory" }
          return session("A", { status = "waiting", statusSince = since, attention = attention })
        end
        local alert = filter:update({ asks(5) }, {})[1]
        same("text", alert.text, "A: Claude asks whether to trust this directory. Open it with :AreYouJ open A")
        same("not a permission request", { alert.kind, alert.is_request }, { "waiting" })
        same("once", #filter:update({ asks(5) }, {}), 0)
        filter:update({ session("A") }, {})
        same("again", #filter:update({ asks(9) }, {}), 1)
      end,
    },
    {
      "a refusal to a process inside a session is an alert until a person has read it",
      function()
        local filter = alerts.filter()
        filter:update({}, {})
        local function refused(unread, count)
          local title = "A process inside this session (areyouj, pid 7) tried to stop the daemon. AreYouJ refused it."
          return session("A", { refusals = { count = count, last = 1, title = title, unread = unread } })
        end
        local found = filter:update({ refused(true, 1) }, {})
        same("kind", found[1].kind, "refused")
        same(
          "text",
          found[1].text,
          "A: A process inside this session (areyouj, pid 7) tried to stop the daemon. AreYouJ refused it. "
            .. "See :AreYouJ audit A"
        )
        same("once", #filter:update({ refused(true, 9) }, {}), 0)
        same("read", #filter:update({ refused(false, 9) }, {}), 0)
        same("again", #filter:update({ refused(true, 10) }, {}), 1)
      end,
    },
    {
      "the status line counts sessions by status",
      function()
        local live = {
          session("A", { status = "active" }),
          session("B", { status = "waiting" }),
          session("C", { status = "error" }),
        }
        same("icons", statusline.line({ state = "connected" }, live), "AreYouJ ● 1 ◆ 1 ✗ 1")
        same(
          "words",
          statusline.line({ state = "connected" }, live, { icons = false }),
          "AreYouJ 1 active, 1 waiting, 1 failed"
        )
        same("none", statusline.line({ state = "connected" }, {}), "AreYouJ no sessions")
        same("away", statusline.line({ state = "reconnecting" }, {}), "AreYouJ no sessions (reconnecting)")
        same("failed", statusline.line({ state = "failed" }, {}), "AreYouJ: not connected")
      end,
    },
  },
}
