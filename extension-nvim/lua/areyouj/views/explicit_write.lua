---Buffers whose write has an effect that a person must intend, such as sending a message. Neovim writes buffers for many
---reasons: `:wall`, `:wqall`, 'autowrite', plugins that save automatically. All of them trigger the same `BufWriteCmd`, so
---only a write command that a person types in the buffer itself counts.
local M = {}

---Commands that write the current buffer alone, by their full names.
local WRITES_ONE = { write = true, update = true, wq = true, xit = true, exit = true }

---@type table<integer, true>
local watched = {}
---@type integer? The buffer whose typed write command is running.
local typed = nil

---@param line string
---@return boolean
local function writes_this_buffer(line)
  local ok, parsed = pcall(vim.api.nvim_parse_cmd, line, {})
  return ok and WRITES_ONE[parsed.cmd] == true and #parsed.args == 0 and #(parsed.range or {}) == 0
end

---@return integer group
local function watch_command_line()
  local group = vim.api.nvim_create_augroup("areyouj.written", { clear = false })
  if #vim.api.nvim_get_autocmds({ group = group, event = "CmdlineLeave" }) > 0 then return group end
  vim.api.nvim_create_autocmd("CmdlineLeave", {
    group = group,
    pattern = ":",
    callback = function()
      local buffer = vim.api.nvim_get_current_buf()
      if vim.v.event.abort or not watched[buffer] or not writes_this_buffer(vim.fn.getcmdline()) then return end
      typed = buffer
      -- Neovim executes the command before it runs scheduled functions.
      vim.schedule(function() typed = nil end)
    end,
  })
  return group
end

---Calls `write` when a person types a command that writes this buffer. After any other write the buffer is still
---modified, so that Neovim does not quit.
---@param buffer integer A buffer with 'buftype' "acwrite".
---@param write fun()
---@param refusal string Says what did not happen, and how to do it.
function M.on_typed(buffer, write, refusal)
  local group = watch_command_line()
  watched[buffer] = true
  vim.api.nvim_create_autocmd("BufWriteCmd", {
    group = group,
    buffer = buffer,
    callback = function()
      if typed == buffer then return write() end
      vim.api.nvim_echo({ { "AreYouJ: " .. refusal, "WarningMsg" } }, true, {})
    end,
  })
  vim.api.nvim_create_autocmd("BufWipeout", {
    group = group,
    buffer = buffer,
    callback = function() watched[buffer] = nil end,
  })
end

return M
