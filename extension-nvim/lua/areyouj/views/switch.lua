---Asks for a session. Sessions that need a person come first, then the newest.
local config = require("areyouj.config")
local pickers = require("areyouj.pickers")
local status = require("areyouj.status")
local text = require("areyouj.text")
local ui = require("areyouj.ui")

local M = {}

local model ---@type areyouj.Model

---@param all? boolean Includes terminated sessions.
---@return areyouj.Session[]
local function choices(all)
  local found = all and model:all() or model:live()
  local place = {}
  for number, session in ipairs(found) do
    place[session.id] = number
  end
  table.sort(found, function(one, other)
    local first, second = status.needs_person(one), status.needs_person(other)
    if first ~= second then return first end
    return place[one.id] < place[other.id]
  end)
  return found
end

---One line for a session.
---@param session areyouj.Session
---@return string
function M.line(session)
  local style = status.of(session.status)
  local icon = config.get().icons and style.icon or style.ascii
  local task = session.attention and session.attention.title or session.currentTask or ""
  local line = ("%s %s  %s  %s"):format(icon, session.id, text.name(session), style.word)
  return task ~= "" and line .. "  " .. text.plain(task, 80) or line
end

---The lines of a preview of a session.
---@param session areyouj.Session
---@return string[]
function M.preview(session)
  local lines = { text.name(session), text.exact_line(text.path(session.directory)), "" }
  table.insert(
    lines,
    status.of(session.status).word .. (session.statusReason and ": " .. text.plain(session.statusReason, 200) or "")
  )
  if session.attention then table.insert(lines, text.plain(session.attention.title, 300)) end
  table.insert(lines, text.plain(session.currentTask or "No active task", 300))
  table.insert(lines, text.count(session.queued, "waiting message"))
  return lines
end

---Asks for one of some sessions.
---@param sessions areyouj.Session[]
---@param prompt string
---@param choose fun(session: areyouj.Session)
function M.pick(sessions, prompt, choose)
  if #sessions == 0 then
    vim.api.nvim_echo({ { "No sessions. :AreYouJ new creates one." } }, false, {})
    return
  end
  pickers.pick(sessions, { prompt = prompt, line = M.line, preview = M.preview }, choose)
end

---Asks for a session and opens it.
---@param all? boolean Includes terminated sessions.
function M.open(all)
  M.pick(choices(all), "Session", function(session) ui.session(session.id) end)
end

---Asks for a live session.
---@param prompt string
---@param choose fun(id: string)
function M.choose(prompt, choose)
  M.pick(choices(), prompt, function(session) choose(session.id) end)
end

---Opens the session that has waited longest, then the next one.
---@param step 1|-1
function M.next_waiting(step)
  local waiting = vim.tbl_filter(status.needs_person, model:live())
  if #waiting == 0 then
    vim.api.nvim_echo({ { "No session is waiting." } }, false, {})
    return
  end
  table.sort(waiting, function(one, other)
    if one.statusSince ~= other.statusSince then return one.statusSince < other.statusSince end
    return one.id < other.id
  end)
  local here, place = vim.b.areyouj_session, step == 1 and 0 or 1
  for number, session in ipairs(waiting) do
    if session.id == here then place = number end
  end
  -- The next key may be `]a` again, so a terminal must not get it.
  ui.session(waiting[(place - 1 + step) % #waiting + 1].id, nil, { typing = false })
end

---@param ports { model: areyouj.Model }
function M.setup(ports)
  model = ports.model
  ui.register({ switch = M.open, choose_session = M.choose, next_waiting = M.next_waiting })
end

return M
