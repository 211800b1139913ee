---Keeps the scroll position of windows while their buffer changes: at the same lines, or at the end.
local M = {}

local namespace = vim.api.nvim_create_namespace("areyouj.scroll")

---Changes a buffer without moving its windows. A window with its cursor in the last line follows the end.
---@param buffer integer
---@param count fun(): integer The number of lines.
---@param change fun()
---@param above? boolean Inserts lines below the first one: a window there stays with the lines that followed it.
function M.keep(buffer, count, change, above)
  local last, positions, followers = count(), {}, {}
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    local selecting = window == vim.api.nvim_get_current_win() and vim.fn.mode():match("^[vV\22]")
    if vim.api.nvim_win_get_cursor(window)[1] >= last and not selecting then
      table.insert(followers, window)
    else
      -- A mark at the top line, because lines above it can be inserted or removed.
      local top = vim.fn.line("w0", window)
      if above then
        local cursor = vim.api.nvim_win_get_cursor(window)
        top = math.min(math.max(top, 2), last)
        if cursor[1] < top then vim.api.nvim_win_set_cursor(window, { top, cursor[2] }) end
      end
      positions[window] = vim.api.nvim_buf_set_extmark(buffer, namespace, math.max(0, top - 1), 0, {})
    end
  end
  change()
  for _, window in ipairs(followers) do
    vim.api.nvim_win_set_cursor(window, { count(), 0 })
  end
  for window, position in pairs(positions) do
    local top = vim.api.nvim_buf_get_extmark_by_id(buffer, namespace, position, {})[1]
    vim.api.nvim_buf_del_extmark(buffer, namespace, position)
    if top and top + 1 ~= vim.fn.line("w0", window) then
      vim.api.nvim_win_call(window, function() vim.fn.winrestview({ topline = top + 1 }) end)
    end
  end
end

return M
