---What a status of a session means to a person.
local text = require("areyouj.text")

local M = {}

---What a person sees of a status: a word, a symbol, the same in ASCII, and a highlight group.
---@type table<string, { word: string, icon: string, ascii: string, group: string }>
M.all = {
  starting = { word = "starting", icon = "◌", ascii = "~", group = "AreYouJStarting" },
  active = { word = "active", icon = "●", ascii = "*", group = "AreYouJActive" },
  waiting = { word = "waiting for you", icon = "◆", ascii = "?", group = "AreYouJWaiting" },
  idle = { word = "idle", icon = "○", ascii = "-", group = "AreYouJIdle" },
  error = { word = "error", icon = "✗", ascii = "x", group = "AreYouJError" },
  terminated = { word = "terminated", icon = "·", ascii = ".", group = "AreYouJTerminated" },
}

---@param status string
---@return { word: string, icon: string, ascii: string, group: string }
function M.of(status)
  return M.all[status] or { word = text.plain(status, 20), icon = "○", ascii = "-", group = "AreYouJIdle" }
end

---Whether a session needs a person.
---@param session areyouj.Session
---@return boolean
function M.needs_person(session)
  return session.status == "waiting" or session.status == "error" or session.attention ~= nil
end

return M
