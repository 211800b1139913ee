---The two pages of a session: the transcript that each has, and the screen of Claude's own that a terminal session has.
local automation = require("areyouj.views.automation")
local names = require("areyouj.views.names")
local screen = require("areyouj.views.screen")
local ui = require("areyouj.ui")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---Opens a session: its screen, if it has one, else its transcript.
---@param id string
---@param place? areyouj.Place As configured if left out.
---@param options? areyouj.SessionPageOptions
function M.open(id, place, options)
  options = options or {}
  ---@param session? areyouj.Session
  local function go(session)
    -- What is wrong is told on the page of the transcript, and of what was terminated there is nothing else.
    local has_screen = session and session.driver == "terminal" and session.status ~= "terminated"
    if not has_screen then return automation.open(id, place) end
    screen.open(id, place, options.typing ~= false)
  end
  local session = options.session or model:session(id)
  if session then return go(session) end
  request("areyouj/session/get", { sessionId = id }, function(_, found) go(found) end)
end

---Opens the screen of a session, or says that it has none.
---@param id string
function M.open_screen(id)
  local session = model:session(id)
  local why = session and session.status == "terminated" and "This session was terminated; its screen is gone."
    or session
      and session.driver ~= "terminal"
      and "This session has no screen of its own; :AreYouJ move gives it one."
  if why then
    vim.api.nvim_echo({ { why } }, false, {})
    return
  end
  screen.open(id, nil, true)
end

---Windows that show the buffers of these names.
---@param wanted table<string, true>
---@return integer[]
local function windows(wanted)
  return vim.tbl_filter(
    function(window) return wanted[vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window))] == true end,
    vim.api.nvim_list_wins()
  )
end

---Whether a window displays a page of a session.
---@param id string
---@return boolean
function M.is_displayed(id) return #windows({ [names.AUTOMATION .. id] = true, [names.SCREEN .. id] = true }) > 0 end

---Puts the page in place that the session has now, where the other one is shown.
---@param id string
---@param driver areyouj.Driver
function M.show_driver(id, driver)
  local old = driver == "terminal" and names.AUTOMATION or names.SCREEN
  local page = driver == "terminal" and screen or automation
  for _, window in ipairs(windows({ [old .. id] = true })) do
    page.put(window, id)
  end
end

---@param ports { model: areyouj.Model, request: areyouj.Requester }
function M.setup(ports)
  model, request = ports.model, ports.request
  ui.register({ session = M.open, screen = M.open_screen, show_driver = M.show_driver })
end

return M
