---Finds the `areyouj` program.
local config = require("areyouj.config")
local problem = require("areyouj.problem")

local M = {}

---The `areyouj` program, from the configuration or PATH.
---@return string? path
---@return areyouj.Problem? problem
function M.find()
  local path = config.get().path
  if path and path ~= "" then
    local found = vim.fn.exepath(vim.fs.normalize(path))
    if found ~= "" then return found end
    local hint = "Correct `path` in the configuration of the plugin."
    return nil, problem.new("binary_not_found", "There is no program " .. path .. ".", hint)
  end
  local found = vim.fn.exepath("areyouj")
  if found ~= "" then return found end
  local hint = "Install it, or set `vim.g.areyouj = { path = … }`; `:checkhealth areyouj` says more."
  return nil, problem.new("binary_not_found", "There is no program areyouj on PATH.", hint)
end

return M
