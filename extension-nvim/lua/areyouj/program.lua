---The `areyouj` program.
local config = require("areyouj.config")
local problem = require("areyouj.problem")

local M = {}

---Finds the `areyouj` program by the configuration or PATH.
---@return string? path
---@return areyouj.Problem? problem
function M.find()
  local path = config.get().path
  if path and path ~= "" then
    local found = vim.fn.exepath(vim.fs.normalize(path))
    if found ~= "" then return found end
    local hint = "Correct `path` in the plugin's configuration."
    return nil, problem.new("binary_not_found", path .. " is not an executable file.", hint)
  end
  local found = vim.fn.exepath("areyouj")
  if found ~= "" then return found end
  local hint = "Install it, or set `vim.g.areyouj = { path = … }`. `:checkhealth areyouj` shows details."
  return nil, problem.new("binary_not_found", "areyouj is not on PATH.", hint)
end

return M
