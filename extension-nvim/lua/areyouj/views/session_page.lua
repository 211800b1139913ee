---The two pages of a session: the transcript that each has, and the screen of Claude's own that a terminal session has.
local names = require("areyouj.views.names")

local M = {}

---Opens a session: its screen, if it has one, else its transcript.
---@param id string
---@param place? "current"|"tab"|"split"|"vsplit" Where; the configuration says it if left out.
---@param options? { session?: areyouj.Session, typing?: boolean } `session`: as it is known to the caller. `typing`: whether
---keys go to the screen at once; true if left out.
function M.open(id, place, options)
  options = options or {}
  ---@param session? areyouj.Session
  local function go(session)
    -- What is wrong is told on the page of the transcript, and of what was terminated there is nothing else.
    local has_screen = session and session.driver == "terminal" and session.status ~= "terminated"
    if not has_screen then return require("areyouj.views.automation").open(id, place) end
    require("areyouj.views.screen").open(id, place, options.typing ~= false)
  end
  local session = options.session or require("areyouj").model():session(id)
  if session then return go(session) end
  require("areyouj").request("areyouj/session/get", { sessionId = id }, function(_, found) go(found) end)
end

---Opens the screen of a session, or says that it has none.
---@param id string
function M.open_screen(id)
  local session = require("areyouj").model():session(id)
  local why = session and session.status == "terminated" and "This session was terminated; its screen is gone."
    or session
      and session.driver ~= "terminal"
      and "This session has no screen of its own; :AreYouJ move gives it one."
  if why then
    vim.api.nvim_echo({ { why } }, false, {})
    return
  end
  require("areyouj.views.screen").open(id, nil, true)
end

---Windows that show a page of a session.
---@param id string
---@param prefix? string Of the names of pages; both if left out.
---@return integer[]
function M.windows(id, prefix)
  return vim.tbl_filter(function(window)
    local name = vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window))
    if prefix then return name == prefix .. id end
    return name == names.AUTOMATION .. id or name == names.SCREEN .. id
  end, vim.api.nvim_list_wins())
end

---Puts the page in place that the session has now, where the other one is shown.
---@param id string
---@param driver areyouj.Driver
function M.follow(id, driver)
  local before = driver == "terminal" and names.AUTOMATION or names.SCREEN
  local page = driver == "terminal" and "areyouj.views.screen" or "areyouj.views.automation"
  for _, window in ipairs(M.windows(id, before)) do
    require(page).put(window, id)
  end
end

return M
