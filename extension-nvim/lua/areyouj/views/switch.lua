---Choosing a session: those that need a person first, then the newest.
local config = require("areyouj.config")
local pickers = require("areyouj.pickers")
local status = require("areyouj.status")
local text = require("areyouj.text")
local ui = require("areyouj.ui")

local M = {}

local model ---@type areyouj.Model

---@param all? boolean Terminated ones too.
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
  local look = status.of(session.status)
  local icon = config.get().icons and look.icon or look.ascii
  local what = session.attention and session.attention.title or session.currentTask or ""
  local line = ("%s %s  %s  %s"):format(icon, session.id, text.name(session), look.word)
  return what ~= "" and line .. "  " .. text.plain(what, 80) or line
end

---Lines that say more about a session, for a preview.
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

---Has a person choose one of some sessions.
---@param sessions areyouj.Session[]
---@param prompt string
---@param choose fun(session: areyouj.Session)
function M.pick(sessions, prompt, choose)
  if #sessions == 0 then
    vim.api.nvim_echo({ { "No sessions. :AreYouJ new starts one." } }, false, {})
    return
  end
  pickers.pick(sessions, { prompt = prompt, line = M.line, preview = M.preview }, choose)
end

---Chooses a session and opens it.
---@param all? boolean Terminated ones too.
function M.open(all)
  M.pick(choices(all), "Session", function(session) ui.session(session.id) end)
end

---Chooses a session for something.
---@param prompt string
---@param choose fun(id: string)
function M.choose(prompt, choose)
  M.pick(choices(), prompt, function(session) choose(session.id) end)
end

---Goes to the session that has waited longest, then to the next.
---@param step 1|-1
function M.next_waiting(step)
  local waiting = vim.tbl_filter(status.needs_person, model:live())
  if #waiting == 0 then
    vim.api.nvim_echo({ { "No session waits." } }, false, {})
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
  -- Who goes from one to the next does not type to Claude.
  ui.session(waiting[(place - 1 + step) % #waiting + 1].id, nil, { typing = false })
end

---@param ports { model: areyouj.Model }
function M.setup(ports)
  model = ports.model
  ui.register({ switch = M.open, choose_session = M.choose, next_waiting = M.next_waiting })
end

return M
