---What is told to a person, and to autocommands: what needs somebody, once.
local config = require("areyouj.config")
local events = require("areyouj.events")
local problem = require("areyouj.problem")
local text = require("areyouj.text")

local M = {}

---A prompt and the status that comes with it are looked at together, in milliseconds.
local LOOK_WITHIN_MS = 50
local MAX_TITLE = 160

---@class areyouj.Notice
---@field kind "waiting"|"error"
---@field session areyouj.Session
---@field text string
---@field prompt? boolean It is a prompt.

---Decides what is told: what needs a person, once. What was there at first is told as one sum.
---@class areyouj.NoticeRule
---@field private shown table<string, string> What was told, with its session.
---@field private primed boolean
local Rule = {}
Rule.__index = Rule

---@return areyouj.NoticeRule
function M.rule() return setmetatable({ shown = {}, primed = false }, Rule) end

---@param session areyouj.Session
---@return string? key
---@return areyouj.Notice? notice
local function trouble(session)
  local attention, failure = session.attention, session.error
  if session.status == "terminated" then return nil end
  if session.status == "error" and failure then
    local words = ("%s needs you: %s"):format(text.name(session), failure.message)
    return session.id .. " error " .. session.statusSince,
      { kind = "error", session = session, text = text.plain(words, MAX_TITLE * 2) }
  end
  if attention and attention.kind == "terminal" then
    local words = ("%s: %s. :AreYouJ open %s"):format(text.name(session), attention.title, session.id)
    return session.id .. " terminal " .. session.statusSince,
      { kind = "waiting", session = session, text = text.plain(words, MAX_TITLE * 2) }
  end
  if not attention or (attention.kind ~= "failed" and attention.kind ~= "interrupted") then return nil end
  local what = attention.kind == "failed" and "a turn failed" or "a turn was cut off"
  local words = ("%s: %s. %s"):format(text.name(session), what, attention.title)
  return session.id .. " message " .. tostring(attention.messageId),
    { kind = "waiting", session = session, text = text.plain(words, MAX_TITLE * 2) }
end

---@param session areyouj.Session
---@param prompt areyouj.Permission
---@return areyouj.Notice
local function asks(session, prompt)
  local verb = ({ question = "asks", plan = "presents a plan" })[prompt.kind] or "asks for permission"
  return {
    kind = "waiting",
    session = session,
    prompt = true,
    text = ("%s %s: %s"):format(text.name(session), verb, text.plain(prompt.title, MAX_TITLE)),
  }
end

---What is new. The first time, nothing but how many sessions need a person.
---@param sessions areyouj.Session[]
---@param prompts areyouj.Permission[]
---@return areyouj.Notice[] notices
---@return integer waiting
function Rule:look(sessions, prompts)
  local first, notices, waiting, by_id, still = not self.primed, {}, {}, {}, {}
  self.primed = true
  local function look(key, notice)
    waiting[notice.session.id] = true
    still[key] = true
    if not self.shown[key] and not first then table.insert(notices, notice) end
  end
  for _, session in ipairs(sessions) do
    by_id[session.id] = session
  end
  for _, prompt in ipairs(prompts) do
    local session = by_id[prompt.sessionId]
    -- A prompt may be known before its session is; it is looked at again when that is known.
    if session then look(prompt.id, asks(session, prompt)) end
  end
  for _, session in ipairs(sessions) do
    local key, notice = trouble(session)
    if key then look(key, notice) end
  end
  -- What is over needs not be remembered: its key does not come again.
  self.shown = still
  return notices, first and vim.tbl_count(waiting) or 0
end

---@class areyouj.AlertPorts
---@field model areyouj.Model
---@field is_displayed fun(session_id: string): boolean Whether a page of the session is on the screen.

---@param ports areyouj.AlertPorts
---@param rule areyouj.NoticeRule
local function look(ports, rule)
  local model, options = ports.model, config.get()
  if model.connection.state ~= "connected" then return end
  local prompts = model:permissions()
  local notices, waiting = rule:look(model:live(), prompts)
  if waiting > 0 and options.notify.waiting and not (options.float and #prompts > 0) then
    problem.tell(
      waiting == 1 and "1 Claude session needs you." or waiting .. " Claude sessions need you.",
      vim.log.levels.INFO
    )
  end
  for _, notice in ipairs(notices) do
    events.user("Waiting", { session = notice.session, text = notice.text })
    -- A prompt is in its float already.
    local seen = notice.prompt and options.float or ports.is_displayed(notice.session.id)
    if not seen and options.notify[notice.kind] then problem.tell(notice.text, vim.log.levels.WARN) end
  end
end

---Follows a model.
---@param ports areyouj.AlertPorts
function M.setup(ports)
  local model = ports.model
  local rule, soon = M.rule(), false
  local function later()
    if soon then return end
    soon = true
    vim.defer_fn(function()
      soon = false
      look(ports, rule)
      -- The component of the status line.
      vim.cmd.redrawstatus()
    end, LOOK_WITHIN_MS)
  end
  local statuses = {} ---@type table<string, areyouj.Status>
  model:on("connection", function(connection)
    events.user("Connection", connection)
    local failed = connection.state == "failed" and connection.problem
    if failed and config.get().notify.connection then
      problem.tell(text.plain(failed.message .. " " .. failed.hint, 600), vim.log.levels.ERROR)
    end
    later()
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
    later()
  end)
  model:on("permission", function(prompt) events.user("Permission", { permission = prompt }) end)
  model:on("permissions", later)
  model:on("queue", function(queue) events.user("Queue", { queue = queue }) end)
end

return M
