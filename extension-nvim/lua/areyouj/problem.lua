---Problems: a stable code, what happened, and what to do.
local text = require("areyouj.text")

local M = {}

---@class areyouj.Problem
---@field code string
---@field message string One sentence.
---@field hint string One sentence, or empty.
---@field retryable boolean Whether the same request can be sent again.

---@param code string
---@param message string
---@param hint? string
---@param retryable? boolean
---@return areyouj.Problem
function M.new(code, message, hint, retryable)
  return { code = code, message = message, hint = hint or "", retryable = retryable == true }
end

---What to do in the commands of this plugin, by the kind of the remedy. For other kinds the hint says what to do.
---@type table<string, fun(session: string, first: string?): string>
local IN_COMMANDS = {
  restartSession = function(session, first)
    local begin = first and (first .. " Then restart the session with") or "Restart the session with"
    return begin .. " `:AreYouJ restart " .. session .. "`."
  end,
  terminateSession = function(session)
    return "Terminate the session first with `:AreYouJ terminate " .. session .. "`."
  end,
  newSession = function() return "Start a new session with `:AreYouJ new`." end,
  listSessions = function() return "Look for it in the list of sessions with `:AreYouJ dashboard`." end,
  listMessages = function() return "Look for it in the queue of its session with `:AreYouJ queue`." end,
  listPermissions = function() return "See the open permission requests with `:AreYouJ permissions`." end,
  logIn = function(session)
    local restart = "Then run `:AreYouJ restart " .. session .. "` and send the failed message again."
    return "Log in with `:terminal claude`. " .. restart
  end,
  restartDaemon = function()
    local why = "its version may differ from this plugin's. Sessions keep running."
    return "Restart the daemon with `:AreYouJ restart-daemon`: " .. why
  end,
  runDoctor = function(_, first)
    if first then return first .. " `:checkhealth areyouj` shows more." end
    return "Run `:checkhealth areyouj` to find the cause."
  end,
}

---What to do about an error of the daemon.
---@param error { hint?: string, remedy?: areyouj.Remedy }
---@return string
function M.hint(error)
  local remedy = type(error.remedy) == "table" and error.remedy or {}
  local in_commands = IN_COMMANDS[remedy.kind]
  local function word(value) return type(value) == "string" and value or nil end
  if in_commands then return in_commands(word(remedy.sessionId) or "", word(remedy.first)) end
  return word(error.hint) or ""
end

---A JSON-RPC error as a problem.
---@param error any
---@return areyouj.Problem
function M.of(error)
  if type(error) ~= "table" then return M.new("internal", tostring(error)) end
  local details = type(error.data) == "table" and error.data or {}
  local message = type(error.message) == "string" and error.message or "The request failed."
  if type(details.code) == "string" then
    return M.new(details.code, message, M.hint(details), details.retryable == true)
  end
  if error.code == -32601 then
    return M.new("unknown_method", message, "Update the areyouj program: it is older than this plugin.")
  end
  return M.new("internal", message)
end

---@param why? areyouj.Problem
---@param retryable boolean
---@return areyouj.Problem
function M.not_connected(why, retryable)
  if why then return M.new(why.code, why.message, why.hint, retryable) end
  return M.new("daemon_unavailable", "The plugin is reconnecting to the daemon.", "Try again in a moment.", retryable)
end

---@param problem areyouj.Problem
---@return string
function M.text(problem) return text.plain(problem.message .. " " .. problem.hint, 600) end

---Notifies a person. Scheduled, because an error message inside a command or an autocommand would abort it.
---@param words string
---@param level integer
function M.notify(words, level)
  vim.schedule(function() vim.notify("AreYouJ: " .. words, level, { title = "AreYouJ" }) end)
end

---Shows a problem as an error.
---@param problem areyouj.Problem
function M.show(problem) M.notify(M.text(problem), vim.log.levels.ERROR) end

---Shows a problem if there is one. The callback of requests whose result is not used.
---@param problem? areyouj.Problem
function M.report(problem)
  if problem then M.show(problem) end
end

return M
