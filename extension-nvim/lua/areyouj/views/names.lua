---What the names of the plugin's buffers show, so that `:edit`, sessions of the editor and marks bring them back.
local M = {}

M.DASHBOARD = "areyouj://orchestration"
M.AUTOMATION = "areyouj://automation/"
M.SCREEN = "areyouj://terminal/"
M.MESSAGE = "areyouj://message/"
M.QUEUED = "areyouj://queued/"

---Fills a buffer that was opened by its name.
---@param buffer integer
---@param name string
function M.read(buffer, name)
  if name == M.DASHBOARD then return require("areyouj.views.dashboard").fill(buffer) end
  local id = name:match("^areyouj://automation/(%w+)$")
  if id then return require("areyouj.views.automation").fill(buffer, id) end
  id = name:match("^areyouj://terminal/(%w+)$")
  if id then return require("areyouj.views.screen").fill(buffer, id) end
  -- These are filled by who opens them.
  if vim.startswith(name, M.MESSAGE) or vim.startswith(name, M.QUEUED) then return end
  require("areyouj.problem").tell("there is no page of this name; try " .. M.DASHBOARD, vim.log.levels.WARN)
end

return M
