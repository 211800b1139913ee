-- Stops everything that a test started, in reverse order.
local M = {}

local open = {}

---Registers a clean-up function. It runs after the group of tests at the latest.
---@param finish fun()
function M.later(finish) table.insert(open, finish) end

---Runs all clean-up functions, and fails with their errors.
function M.all()
  local problems = {}
  while #open > 0 do
    local ok, problem = pcall(table.remove(open))
    if not ok then table.insert(problems, tostring(problem)) end
  end
  assert(#problems == 0, table.concat(problems, "\n"))
end

vim.api.nvim_create_autocmd("VimLeavePre", { callback = function() pcall(M.all) end })

return M
