---Fills the plugin's buffers when Neovim opens them by name: with `:edit`, from an editor session, or from a mark.
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
  -- The views that create these buffers fill them.
  if vim.startswith(name, names.MESSAGE) or vim.startswith(name, names.QUEUED) then return end
  problem.notify(("%s is not a page of AreYouJ; try %s"):format(name, names.DASHBOARD), vim.log.levels.WARN)
end

return M
