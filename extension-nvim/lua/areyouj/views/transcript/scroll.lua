---Who reads a buffer that grows: each stays with the lines that are on the screen, and whoever is at the end stays there.
local M = {}

local namespace = vim.api.nvim_create_namespace("areyouj.readers")

---Changes a buffer while its readers stay.
---@param buffer integer
---@param count fun(): integer How many lines there are.
---@param change fun()
---@param above? boolean Lines come below the first one: whoever is there stays with what followed it.
function M.keeping(buffer, count, change, above)
  local last, places, followers = count(), {}, {}
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    local selects = window == vim.api.nvim_get_current_win() and vim.fn.mode():match("^[vV\22]")
    if vim.api.nvim_win_get_cursor(window)[1] >= last and not selects then
      table.insert(followers, window)
    else
      -- The line at the top is marked, since lines above it may come and go.
      local top = vim.fn.line("w0", window)
      if above then
        local cursor = vim.api.nvim_win_get_cursor(window)
        top = math.min(math.max(top, 2), last)
        if cursor[1] < top then vim.api.nvim_win_set_cursor(window, { top, cursor[2] }) end
      end
      places[window] = vim.api.nvim_buf_set_extmark(buffer, namespace, math.max(0, top - 1), 0, {})
    end
  end
  change()
  for _, window in ipairs(followers) do
    vim.api.nvim_win_set_cursor(window, { count(), 0 })
  end
  for window, place in pairs(places) do
    local top = vim.api.nvim_buf_get_extmark_by_id(buffer, namespace, place, {})[1]
    vim.api.nvim_buf_del_extmark(buffer, namespace, place)
    if top and top + 1 ~= vim.fn.line("w0", window) then
      vim.api.nvim_win_call(window, function() vim.fn.winrestview({ topline = top + 1 }) end)
    end
  end
end

return M
