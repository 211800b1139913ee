---Actions on the directory and the id of a session that need no daemon.
local window = require("areyouj.views.window")

local M = {}

---Opens the directory of a session in the current window.
---@param session areyouj.Session
function M.directory(session) window.edit(session.directory) end

---Opens a shell in the directory of a session, in a tab page.
---@param session areyouj.Session
function M.shell(session)
  local command = { vim.o.shell }
  vim.cmd.tabnew()
  if vim.fn.has("nvim-0.11") == 1 then
    vim.fn.jobstart(command, { term = true, cwd = session.directory })
  else
    ---@diagnostic disable-next-line: deprecated -- Needed before 0.11.
    vim.fn.termopen(command, { cwd = session.directory })
  end
  vim.cmd.startinsert()
end

---Copies a text to the selected register and to the clipboard.
---@param value string
---@param confirmation string
function M.copy(value, confirmation)
  vim.fn.setreg(vim.v.register ~= "" and vim.v.register or '"', value)
  pcall(vim.fn.setreg, "+", value)
  vim.api.nvim_echo({ { confirmation } }, false, {})
end

return M
