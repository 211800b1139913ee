local notices = require("areyouj.alerts")
local statusline = require("areyouj.statusline")
local session = require("lib.samples").session
local same = require("lib.wait").same

return {
  tests = {
    {
      "what was there at first is one sum, and what comes later is told once",
      function()
        local rule = notices.rule()
        local prompt = { id = "A-1", sessionId = "A", kind = "tool", title = "ls" }
        local found, waiting = rule:look({ session("A") }, { prompt })
        same("first", { #found, waiting }, { 0, 1 })
        found, waiting = rule:look(
          { session("A") },
          { prompt, { id = "A-2", sessionId = "A", kind = "question", title = "Which?" } }
        )
        same("told", vim.tbl_map(function(one) return one.text end, found), { "A asks: Which?" })
        same("sum", waiting, 0)
        same(
          "again",
          #rule:look({ session("A") }, { prompt, { id = "A-2", sessionId = "A", kind = "question", title = "Which?" } }),
          0
        )
      end,
    },
    {
      "failures are told once for each",
      function()
        local rule = notices.rule()
        rule:look({}, {})
        local cut = session("A", { attention = { kind = "interrupted", messageId = "m", title = "fix it" } })
        same("cut off", rule:look({ cut }, {})[1].text, "A: a turn was cut off. fix it")
        same("once", #rule:look({ cut }, {}), 0)
        local failed = session("A", { status = "error", error = { message = "gone", hint = "" } })
        same("error", rule:look({ failed }, {})[1].kind, "error")
      end,
    },
    {
      "a screen that wants an answer is told with the way to it, and again when it asks again",
      function()
        local rule = notices.rule()
        rule:look({}, {})
        local function asks(since)
          local attention = { kind = "terminal", title = "Claude asks whether to trust this directory" }
          return session("A", { status = "waiting", statusSince = since, attention = attention })
        end
        local told = rule:look({ asks(5) }, {})[1]
        same("text", told.text, "A: Claude asks whether to trust this directory. :AreYouJ open A")
        same("no prompt", { told.kind, told.prompt }, { "waiting" })
        same("once", #rule:look({ asks(5) }, {}), 0)
        rule:look({ session("A") }, {})
        same("again", #rule:look({ asks(9) }, {}), 1)
      end,
    },
    {
      "the status line counts and escapes",
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
