-- Samples of protocol types.
local M = {}

---An idle session, with changes.
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
