---Fills the plugin's buffers that are opened by their names: by `:edit`, by a session of the editor, by a mark.
local app = require("areyouj.app")
local automation = require("areyouj.views.automation")
local dashboard = require("areyouj.views.dashboard")
local names = require("areyouj.views.names")
local problem = require("areyouj.problem")
local screen = require("areyouj.views.screen")

local M = {}

---@param buffer integer
---@param name string
function M.read(buffer, name)
  app.use()
  if name == names.DASHBOARD then return dashboard.fill(buffer) end
  local id = name:match("^areyouj://automation/(%w+)$")
  if id then return automation.fill(buffer, id) end
  id = name:match("^areyouj://terminal/(%w+)$")
  if id then return screen.fill(buffer, id) end
  -- These are filled by who opens them.
  if vim.startswith(name, names.MESSAGE) or vim.startswith(name, names.QUEUED) then return end
  problem.tell("there is no page of this name; try " .. names.DASHBOARD, vim.log.levels.WARN)
end

return M
