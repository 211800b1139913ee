---Counts of sessions, and a component for a status line.
local status = require("areyouj.status")
local text = require("areyouj.text")

local M = {}

---@param session areyouj.Session
---@return boolean
local function failed(session)
  local kind = session.attention and session.attention.kind
  return session.status == "error" or kind == "failed" or kind == "interrupted" or kind == "error"
end

---@param sessions areyouj.Session[] Live ones.
---@return areyouj.Counts
function M.counts(sessions)
  local counts = { active = 0, waiting = 0, error = 0, idle = 0, total = #sessions }
  for _, session in ipairs(sessions) do
    if failed(session) then
      counts.error = counts.error + 1
    elseif status.needs_person(session) then
      counts.waiting = counts.waiting + 1
    elseif session.status == "active" or session.status == "starting" then
      counts.active = counts.active + 1
    elseif session.status == "idle" then
      counts.idle = counts.idle + 1
    end
  end
  return counts
end

---@param connection areyouj.Connection
---@param sessions areyouj.Session[]
---@param options? { icons?: boolean }
---@return string
function M.line(connection, sessions, options)
  if connection.state == "failed" then return "AreYouJ: not connected" end
  if connection.state == "connecting" or connection.state == "stopped" then return "AreYouJ: connecting" end
  local icons = not (options and options.icons == false)
  local counts, parts = M.counts(sessions), {}
  local function add(count, name, word)
    if count == 0 then return end
    table.insert(parts, icons and (status.all[name].icon .. " " .. count) or (count .. " " .. word))
  end
  add(counts.active, "active", "active")
  add(counts.waiting, "waiting", "waiting")
  add(counts.error, "error", "failed")
  if #parts == 0 then parts = { counts.total == 0 and "no sessions" or (counts.idle .. " idle") } end
  local line = "AreYouJ " .. table.concat(parts, icons and " " or ", ")
  if connection.state == "reconnecting" then line = line .. " (reconnecting)" end
  return text.statusline(line)
end

return M
