-- Loaded at startup: one command, the `<Plug>` maps and autocommands for the buffers of the plugin.
if vim.g.loaded_areyouj then return end
vim.g.loaded_areyouj = true

if vim.fn.has("nvim-0.10") == 0 then
  vim.api.nvim_echo({ { "AreYouJ needs Neovim 0.10 or newer", "WarningMsg" } }, true, {})
  return
end

vim.api.nvim_create_user_command("AreYouJ", function(arguments) require("areyouj.command").run(arguments) end, {
  nargs = "*",
  range = true,
  bang = true,
  complete = function(lead, line, position) return require("areyouj.command").complete(lead, line, position) end,
  desc = "Claude Code sessions",
})

-- The API instead of `vim.keymap`, which is not loaded yet.
local function plug(mode, name, rhs, callback)
  vim.api.nvim_set_keymap(
    mode,
    "<Plug>(AreYouJ" .. name .. ")",
    rhs,
    { noremap = true, silent = true, callback = callback }
  )
end
for name, subcommand in pairs({
  Dashboard = "dashboard",
  New = "new",
  Open = "open",
  Switch = "switch",
  Permissions = "permissions",
  Queue = "queue",
  Interrupt = "interrupt",
  Send = "send",
}) do
  plug("n", name, "<Cmd>AreYouJ " .. subcommand .. "<CR>")
end
plug("x", "Send", ":AreYouJ send<CR>")
plug("n", "NextWaiting", "", function() require("areyouj").next_waiting(1) end)
plug("n", "PreviousWaiting", "", function() require("areyouj").next_waiting(-1) end)

local group = vim.api.nvim_create_augroup("areyouj.names", {})
vim.api.nvim_create_autocmd("BufReadCmd", {
  group = group,
  pattern = "areyouj://*",
  nested = true,
  callback = function(event) require("areyouj.buffers").read(event.buf, event.match) end,
})
-- An editor session restores only the names of such buffers.
vim.api.nvim_create_autocmd("SessionLoadPost", {
  group = group,
  nested = true,
  callback = function()
    for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
      local name = vim.api.nvim_buf_get_name(buffer)
      local empty = vim.bo[buffer].buftype == "" and vim.api.nvim_buf_is_loaded(buffer)
      if empty and vim.startswith(name, "areyouj://") then require("areyouj.buffers").read(buffer, name) end
    end
  end,
})

-- Options that take effect before the first command.
local options = vim.g.areyouj
if type(options) == "table" and (options.autostart or options.global_keys) then
  vim.schedule(function() require("areyouj").setup(options) end)
end
