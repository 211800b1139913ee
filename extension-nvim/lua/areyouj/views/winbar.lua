---The winbar of a page of a session: the path to it, and the state of the session.
local config = require("areyouj.config")
local status = require("areyouj.status")
local text = require("areyouj.text")
local ticker = require("areyouj.views.ticker")
local ui = require("areyouj.ui")

local M = {}

---From this percentage on, the context window is nearly full, and Claude soon compacts the conversation.
local NEARLY_FULL = 80

---@param group string
---@param words string
---@return string
local function piece(group, words) return ("%%#%s#%s"):format(group, text.statusline(words)) end

---Opens the dashboard. A click on its name calls this.
function M.back() ui.dashboard() end

---Asks for another session. A click on the name of the session calls this.
function M.switch() ui.switch() end

---@param session areyouj.Session?
---@param connection areyouj.Connection
---@return string
local function state(session, connection)
  if connection.state == "failed" then return piece("AreYouJError", "not connected") end
  if connection.state ~= "connected" then
    return piece("AreYouJWaiting", ticker.spinner() .. " " .. connection.state)
  end
  if not session then return "" end
  local style = status.of(session.status)
  local icons = config.get().icons
  local icon = session.status == "active" and ticker.spinner() or (icons and style.icon or style.ascii)
  local passed = text.since(text.now() - session.statusSince)
  return piece(style.group, ("%s %s"):format(icon, style.word)) .. piece("AreYouJDim", " " .. passed)
end

---@param id string
---@param session areyouj.Session?
---@param connection areyouj.Connection
---@param name string The name of the page.
---@param hints? { [1]: string, [2]: string }[] Keys with their actions.
---@return string
function M.line(id, session, connection, name, hints)
  local separator = config.get().icons and " › " or " > "
  local project = session and text.plain(vim.fs.basename(session.directory), 40) or id
  local left = "%@v:lua.require'areyouj.views.winbar'.back@"
    .. piece("AreYouJCrumb", " Orchestration")
    .. "%X"
    .. piece("AreYouJDim", separator .. project .. separator)
    .. piece("AreYouJTitle", name)
    .. piece("AreYouJDim", "  ")
    .. "%@v:lua.require'areyouj.views.winbar'.switch@"
    .. piece("AreYouJId", session and session.name and text.name(session) or id)
    .. "%X  "
  local facts = {}
  if session then
    if session.model then table.insert(facts, piece("AreYouJDim", text.plain(session.model, 40))) end
    if session.permissionMode then table.insert(facts, piece("AreYouJDim", text.plain(session.permissionMode, 30))) end
    if session.costUsd >= 0.001 then table.insert(facts, piece("AreYouJDim", text.cost(session.costUsd))) end
    local context = text.context(session)
    if context then
      table.insert(facts, piece(context >= NEARLY_FULL and "AreYouJWaiting" or "AreYouJDim", context .. "%"))
    end
  end
  local middle = state(session, connection)
  for _, hint in ipairs(hints or {}) do
    middle = middle .. piece("AreYouJKey", "   " .. hint[1]) .. piece("AreYouJDim", " " .. hint[2])
  end
  return left .. middle .. "%#WinBar#%<%=" .. table.concat(facts, "  ") .. " "
end

---How soon the line needs an update.
---@param session areyouj.Session?
---@param connection areyouj.Connection
---@return areyouj.Pace
function M.pace(session, connection)
  if connection.state == "connecting" or connection.state == "reconnecting" then return "fast" end
  if session and session.status == "active" then return "fast" end
  return session and (session.status == "starting" or status.needs_person(session)) and "slow" or nil
end

return M
