local problem = require("areyouj.problem")
local wait = require("lib.wait")
local same = wait.same

return {
  tests = {
    {
      "a remedy is named by the command of the plugin that carries it out",
      function()
        local function hint(remedy) return problem.hint({ hint = "HINT", remedy = remedy }) end
        local restart = { kind = "restartSession", sessionId = "K7M2Q9XD" }
        same("restart", hint(restart), "Restart the session with `:AreYouJ restart K7M2Q9XD`.")
        restart.first = "See host.log."
        same("first", hint(restart), "See host.log. Then restart the session with `:AreYouJ restart K7M2Q9XD`.")
        same("new", hint({ kind = "newSession" }), "Start a new session with `:AreYouJ new`.")
        local daemon =
          "Restart the daemon with `:AreYouJ restart-daemon`: its version may differ from this plugin's. Sessions keep running."
        same("daemon", hint({ kind = "restartDaemon" }), daemon)
        same("doctor", hint({ kind = "runDoctor" }), "Run `:checkhealth areyouj` to find the cause.")
      end,
    },
    {
      "a remedy without a command, or of an unknown kind, leaves the hint",
      function()
        same("no command", problem.hint({ hint = "HINT", remedy = { kind = "freeDisk" } }), "HINT")
        same("unknown", problem.hint({ hint = "HINT", remedy = { kind = "dance" } }), "HINT")
        same("none", problem.hint({ hint = "HINT" }), "HINT")
        same("null", problem.hint({ hint = "HINT", remedy = vim.NIL }), "HINT")
        same("no hint", problem.hint({}), "")
      end,
    },
    {
      "a rejected request becomes a problem with its remedy in commands",
      function()
        local data = { code = "session_terminated", hint = "Start a new session.", remedy = { kind = "newSession" } }
        local found = problem.of({ code = -32000, message = "It was terminated.", data = data })
        same("text", problem.text(found), "It was terminated. Start a new session with `:AreYouJ new`.")
      end,
    },
  },
}
