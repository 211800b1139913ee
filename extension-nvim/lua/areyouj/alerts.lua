---Alerts: notifies a person, and autocommands, once about each reason why a session needs a person.
local config = require("areyouj.config")
local events = require("areyouj.events")
local problem = require("areyouj.problem")
local text = require("areyouj.text")

local M = {}

---A permission request and the status change that comes with it are handled together, in milliseconds.
local COLLECT_MS = 50
local MAX_TITLE = 160

---@class areyouj.Alert
---@field kind "waiting"|"error"|"refused"
---@field session areyouj.Session
---@field text string
---@field is_request? boolean It is about a permission request.

---Decides which alerts are new. Everything that waits at first is one sum.
---@class areyouj.AlertFilter
---@field private shown table<string, true> Keys of the alerts that are shown already.
---@field private primed boolean
local Filter = {}
Filter.__index = Filter

---@return areyouj.AlertFilter
function M.filter() return setmetatable({ shown = {}, primed = false }, Filter) end

---The alert about a session that stopped, failed, or asks something in its terminal.
---@param session areyouj.Session
---@return string? key
---@return areyouj.Alert? alert
local function session_alert(session)
  local attention, failure = session.attention, session.error
  if session.status == "terminated" then return nil end
  if session.status == "error" and failure then
    local words = ("%s needs you: %s"):format(text.name(session), failure.message)
    return session.id .. " error " .. session.statusSince,
      { kind = "error", session = session, text = text.plain(words, MAX_TITLE * 2) }
  end
  if attention and attention.kind == "terminal" then
    local words = ("%s: %s. Open it with :AreYouJ open %s"):format(text.name(session), attention.title, session.id)
    return session.id .. " terminal " .. session.statusSince,
      { kind = "waiting", session = session, text = text.plain(words, MAX_TITLE * 2) }
  end
  if not attention or (attention.kind ~= "failed" and attention.kind ~= "interrupted") then return nil end
  local event = attention.kind == "failed" and "a turn failed" or "a turn was interrupted"
  local words = ("%s: %s. %s"):format(text.name(session), event, attention.title)
  return session.id .. " message " .. tostring(attention.messageId),
    { kind = "waiting", session = session, text = text.plain(words, MAX_TITLE * 2) }
end

---The alert that a process inside the session tried what only a person can do.
---@param session areyouj.Session
---@return string? key
---@return areyouj.Alert? alert
local function refused_alert(session)
  local refusals = session.refusals
  if not refusals or not refusals.unread then return nil end
  local words = ("%s: %s See :AreYouJ audit %s"):format(text.name(session), refusals.title, session.id)
  return session.id .. " refused", { kind = "refused", session = session, text = text.plain(words, MAX_TITLE * 2) }
end

---@param session areyouj.Session
---@param request areyouj.Permission
---@return areyouj.Alert
local function request_alert(session, request)
  local verb = ({ question = "asks", plan = "presents a plan", trust = "waits for trust" })[request.kind]
    or "asks for permission"
  return {
    kind = "waiting",
    session = session,
    is_request = true,
    text = ("%s %s: %s"):format(text.name(session), verb, text.plain(request.title, MAX_TITLE)),
  }
end

---The alerts that are new. The first call returns only how many sessions need a person.
---@param sessions areyouj.Session[]
---@param requests areyouj.Permission[]
---@return areyouj.Alert[] alerts
---@return integer waiting
function Filter:update(sessions, requests)
  local first, alerts, waiting, by_id, present = not self.primed, {}, {}, {}, {}
  self.primed = true
  local function add(key, alert)
    waiting[alert.session.id] = true
    present[key] = true
    if not self.shown[key] and not first then table.insert(alerts, alert) end
  end
  for _, session in ipairs(sessions) do
    by_id[session.id] = session
  end
  for _, request in ipairs(requests) do
    local session = by_id[request.sessionId]
    -- A permission request can arrive before its session; the arrival of the session calls this again.
    if session then add(request.id, request_alert(session, request)) end
  end
  for _, session in ipairs(sessions) do
    local key, alert = session_alert(session)
    if key then add(key, alert) end
    local refused, about = refused_alert(session)
    if refused then add(refused, about) end
  end
  -- Of the keys that are gone, only the one of refusals returns: when there are some that a person has not read.
  self.shown = present
  return alerts, first and vim.tbl_count(waiting) or 0
end

---@class areyouj.AlertPorts
---@field model areyouj.Model
---@field is_displayed fun(session_id: string): boolean Whether a page of the session is on the screen.

---@param ports areyouj.AlertPorts
---@param filter areyouj.AlertFilter
local function show_new(ports, filter)
  local model, options = ports.model, config.get()
  if model.connection.state ~= "connected" then return end
  local requests = model:permissions()
  local alerts, waiting = filter:update(model:live(), requests)
  if waiting > 0 and options.notify.waiting and not (options.float and #requests > 0) then
    problem.notify(
      waiting == 1 and "1 Claude session needs you." or waiting .. " Claude sessions need you.",
      vim.log.levels.INFO
    )
  end
  for _, alert in ipairs(alerts) do
    events.user("Waiting", { session = alert.session, text = alert.text })
    -- The float displays permission requests.
    local displayed = alert.is_request and options.float or ports.is_displayed(alert.session.id)
    if not displayed and options.notify[alert.kind] then problem.notify(alert.text, vim.log.levels.WARN) end
  end
end

---@param ports areyouj.AlertPorts
function M.setup(ports)
  local model = ports.model
  local filter, scheduled = M.filter(), false
  local function schedule()
    if scheduled then return end
    scheduled = true
    vim.defer_fn(function()
      scheduled = false
      show_new(ports, filter)
      -- The component of the status line changes too.
      vim.cmd.redrawstatus()
    end, COLLECT_MS)
  end
  local statuses = {} ---@type table<string, areyouj.Status>
  model:on("connection", function(connection)
    events.user("Connection", connection)
    local failed = connection.state == "failed" and connection.problem
    if failed and config.get().notify.connection then
      problem.notify(text.plain(failed.message .. " " .. failed.hint, 600), vim.log.levels.ERROR)
    end
    schedule()
  end)
  model:on("sessions", function(changed, removed)
    for _, session in ipairs(changed) do
      local before = statuses[session.id]
      statuses[session.id] = session.status
      events.user("Session", { session = session })
      if before ~= session.status then events.user("Status", { session = session, before = before }) end
    end
    for _, id in ipairs(removed) do
      statuses[id] = nil
      events.user("Removed", { id = id })
    end
    schedule()
  end)
  model:on("permission", function(request) events.user("Permission", { permission = request }) end)
  model:on("permissions", schedule)
  model:on("queue", function(queue) events.user("Queue", { queue = queue }) end)
end

return M
