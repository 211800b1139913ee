---What went wrong: a stable code, what happened, what to do about it.
local text = require("areyouj.text")

local M = {}

---@class areyouj.Problem
---@field code string
---@field message string One sentence.
---@field hint string One sentence, or empty.
---@field retryable boolean The same request may be sent again as it is.

---@param code string
---@param message string
---@param hint? string
---@param retryable? boolean
---@return areyouj.Problem
function M.new(code, message, hint, retryable)
  return { code = code, message = message, hint = hint or "", retryable = retryable == true }
end

---A JSON-RPC error as a problem.
---@param error any
---@return areyouj.Problem
function M.of(error)
  if type(error) ~= "table" then return M.new("internal", tostring(error)) end
  local details = type(error.data) == "table" and error.data or {}
  local message = type(error.message) == "string" and error.message or "The request failed."
  if type(details.code) == "string" then
    local hint = type(details.hint) == "string" and details.hint or nil
    return M.new(details.code, message, hint, details.retryable == true)
  end
  if error.code == -32601 then
    return M.new("unknown_method", message, "The areyouj program is older than this plugin; update it.")
  end
  return M.new("internal", message)
end

---@param why? areyouj.Problem
---@param retryable boolean
---@return areyouj.Problem
function M.not_connected(why, retryable)
  if why then return M.new(why.code, why.message, why.hint, retryable) end
  return M.new("daemon_unavailable", "The daemon is being reconnected.", "Try again in a moment.", retryable)
end

---@param problem areyouj.Problem
---@return string
function M.text(problem) return text.plain(problem.message .. " " .. problem.hint, 600) end

---Tells a person something. Not at once: inside of a command or an autocommand an error message would break it off.
---@param words string
---@param level integer
function M.tell(words, level)
  vim.schedule(function() vim.notify("AreYouJ: " .. words, level, { title = "AreYouJ" }) end)
end

---Tells a person what went wrong.
---@param problem areyouj.Problem
function M.show(problem) M.tell(M.text(problem), vim.log.levels.ERROR) end

---Shows what went wrong, if something did: the callback of a request whose answer nobody uses.
---@param problem? areyouj.Problem
function M.report(problem)
  if problem then M.show(problem) end
end

return M
