-- Samples of what the daemon tells.
local M = {}

---A session that rests, with what is said of it besides.
---@param id string
---@param more? table
function M.session(id, more)
  return vim.tbl_extend("force", {
    id = id,
    directory = "/" .. id,
    status = "idle",
    createdAt = 1,
    statusSince = 1,
    queued = 0,
    unread = 0,
    costUsd = 0,
  }, more or {})
end

return M
