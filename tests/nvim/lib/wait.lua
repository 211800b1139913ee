-- Waits with a deadline that is long enough for a busy machine.
local M = {}

M.TIMEOUT_MS = 30000

---Waits until a function returns something true, and returns it.
---@generic T
---@param what string
---@param holds fun(): T?
---@param timeout_ms? integer
---@return T
function M.until_true(what, holds, timeout_ms)
  local result
  local ok = vim.wait(timeout_ms or M.TIMEOUT_MS, function()
    result = holds()
    return result
  end, 10)
  if not ok then error(what .. " did not happen", 2) end
  return result
end

---@param what string
---@param found any
---@param expected any
function M.same(what, found, expected)
  if vim.deep_equal(found, expected) then return end
  error(("%s: expected %s, found %s"):format(what, vim.inspect(expected), vim.inspect(found)), 2)
end

---@param what string
---@param text string
---@param part string
function M.has(what, text, part)
  if text:find(part, 1, true) then return end
  error(("%s: expected %s in:\n%s"):format(what, vim.inspect(part), text:sub(1, 3000)), 2)
end

return M
