-- Whatever was started is ended, last first.
local M = {}

local open = {}

---Has it ended at the latest with the group of tests.
---@param finish fun()
function M.later(finish) table.insert(open, finish) end

---Ends everything, and says at the end what would not end.
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
