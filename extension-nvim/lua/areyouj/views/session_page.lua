---Chooses the page of a session: its terminal if its driver is "terminal", else its transcript.
local automation = require("areyouj.views.automation")
local names = require("areyouj.views.names")
local screen = require("areyouj.views.screen")
local ui = require("areyouj.ui")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---Opens the page of a session.
---@param id string
---@param place? areyouj.Place As configured if left out.
---@param options? areyouj.SessionPageOptions
function M.open(id, place, options)
  options = options or {}
  ---@param session? areyouj.Session
  local function go(session)
    -- The transcript also shows errors, and all that is left of a terminated session.
    local has_screen = session and session.driver == "terminal" and session.status ~= "terminated"
    if not has_screen then return automation.open(id, place) end
    screen.open(id, place, options.typing ~= false)
  end
  local session = options.session or model:session(id)
  if session then return go(session) end
  request("areyouj/session/get", { sessionId = id }, function(_, found) go(found) end)
end

---Opens the terminal of a session, or says why there is none.
---@param id string
function M.open_screen(id)
  local session = model:session(id)
  local reason = session and session.status == "terminated" and "This session is terminated and has no terminal."
    or session
      and session.driver ~= "terminal"
      and "This session has no terminal. :AreYouJ switch-driver switches it to Terminal."
  if reason then
    vim.api.nvim_echo({ { reason } }, false, {})
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

---Replaces the page of the other driver in all windows.
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
