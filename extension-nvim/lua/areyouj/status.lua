---How the plugin shows the status and the driver of a session.
local text = require("areyouj.text")

local M = {}

---@class areyouj.StatusStyle
---@field word string
---@field icon string
---@field ascii string Replaces the icon when the configuration has `icons = false`.
---@field group string A highlight group.

---@type table<string, areyouj.StatusStyle>
M.all = {
  starting = { word = "starting", icon = "◌", ascii = "~", group = "AreYouJStarting" },
  active = { word = "active", icon = "●", ascii = "*", group = "AreYouJActive" },
  waiting = { word = "waiting", icon = "◆", ascii = "?", group = "AreYouJWaiting" },
  idle = { word = "idle", icon = "○", ascii = "-", group = "AreYouJIdle" },
  error = { word = "error", icon = "✗", ascii = "x", group = "AreYouJError" },
  terminated = { word = "terminated", icon = "·", ascii = ".", group = "AreYouJTerminated" },
}

---The names of the drivers.
---@type table<areyouj.Driver, string>
M.drivers = { stream = "Transcript", terminal = "Terminal" }

---@param status string
---@return areyouj.StatusStyle
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
