-- A headless Neovim with the plugin, driven by RPC. It exits with the tests, also when they fail.
local buffers = require("lib.buffers")
local cleanup = require("lib.cleanup")
local wait = require("lib.wait")

local Editor = {}
Editor.__index = Editor

---Arguments of an editor with the plugin alone.
---@param config? table `vim.g.areyouj`, except the path of the program.
---@param home table
---@return string[]
local function arguments(home, config)
  local given = vim.tbl_extend("keep", config or {}, { path = home.program })
  return {
    "--clean",
    "-n",
    "--cmd",
    ("lua vim.opt.runtimepath:prepend(%q); vim.g.areyouj = %s"):format(
      buffers.plugin,
      vim.inspect(given, { newline = " ", indent = "" })
    ),
  }
end

---The environment of an editor: the environment of the home, with its own XDG directories.
local function environment(home)
  local own = home.directory .. "/nvim"
  return vim.tbl_extend("force", home.environment, {
    XDG_CONFIG_HOME = own .. "/config",
    XDG_DATA_HOME = own .. "/data",
    XDG_STATE_HOME = own .. "/state",
    XDG_CACHE_HOME = own .. "/cache",
    TERM = "xterm-256color",
    LANG = "C.UTF-8",
  })
end

---Starts an editor.
---@param home table
---@param options? { project?: string, config?: table, columns?: integer, lines?: integer }
local function open(home, options)
  options = options or {}
  local command = { vim.v.progpath, "--embed", "--headless" }
  vim.list_extend(command, arguments(home, options.config))
  local self = setmetatable({ home = home, over = false }, Editor)
  self.channel = vim.fn.jobstart(command, {
    rpc = true,
    clear_env = true,
    env = environment(home),
    cwd = options.project and home.projects[options.project] or home.directory,
    on_exit = function() self.over = true end,
  })
  cleanup.later(function() self:close() end)
  self:lua("vim.o.columns, vim.o.lines = ...", options.columns or 120, options.lines or 40)
  return self
end

---Executes Lua in the editor.
function Editor:lua(code, ...)
  local result = vim.rpcrequest(self.channel, "nvim_exec_lua", code, { ... })
  if result ~= vim.NIL then return result end
end

function Editor:command(command) return vim.rpcrequest(self.channel, "nvim_command", command) end

---Types keys, and waits until the editor has read them.
function Editor:type(keys)
  vim.rpcrequest(self.channel, "nvim_input", keys)
  -- The answer comes after the editor has read the keys.
  wait.until_true("the reading of keys", function() return not self:mode().blocking end)
end

function Editor:mode() return vim.rpcrequest(self.channel, "nvim_get_mode") end

---The lines of a buffer, 0 for the current one.
function Editor:text(buffer)
  return table.concat(vim.rpcrequest(self.channel, "nvim_buf_get_lines", buffer or 0, 0, -1, false), "\n")
end

---The lines of the buffer of this name.
function Editor:named(name)
  return self:lua(
    [[local buffer = vim.fn.bufnr("^" .. ... .. "$")
      return buffer > 0 and table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n") or ""]],
    name
  )
end

---Waits until the buffer of this name contains a text.
function Editor:shows(name, part)
  local text = ""
  local ok = pcall(wait.until_true, part, function()
    text = self:named(name)
    return text:find(part, 1, true) ~= nil
  end)
  if not ok then error(("%s does not show %s:\n%s"):format(name, vim.inspect(part), text), 2) end
end

---Waits until a Lua expression is true in the editor.
function Editor:becomes(what, code, ...)
  local given = { ... }
  wait.until_true(what, function() return self:lua("return " .. code, unpack(given)) end)
end

---The text of the permission float, with its title and footer; nil without one.
function Editor:float()
  return self:lua([[
    for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      local buffer = vim.api.nvim_win_get_buf(window)
      if vim.bo[buffer].filetype == "areyouj-permission" then
        local config = vim.api.nvim_win_get_config(window)
        local function words(pieces) return table.concat(vim.tbl_map(function(piece) return piece[1] end, pieces or {})) end
        local lines = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
        return words(config.title) .. "\n" .. lines .. "\n" .. words(config.footer)
      end
    end
  ]])
end

---Waits until the permission float contains a text.
function Editor:asks(part)
  local text
  local ok = pcall(wait.until_true, part, function()
    text = self:float()
    return text ~= nil and text:find(part, 1, true) ~= nil
  end)
  if not ok then error(("the float does not show %s: %s"):format(vim.inspect(part), tostring(text)), 2) end
end

---Waits until the permission float is closed.
function Editor:float_closes()
  wait.until_true("the end of the float", function() return self:float() == nil end)
end

---Enters the permission float.
function Editor:enter_float()
  self:command("AreYouJ permissions")
  self:becomes("the float entered", "vim.bo.filetype == 'areyouj-permission'")
end

---Waits until the current buffer belongs to a session.
function Editor:is_at(id) self:becomes("the page of " .. id, "vim.b.areyouj_session == ...", id) end

---Opens the page of a session.
function Editor:open(id)
  self:command("AreYouJ open " .. id)
  self:is_at(id)
end

---Records the texts given to `vim.notify` from now on.
function Editor:record_notifications()
  self:lua("_G.notified = {}; vim.notify = function(words) table.insert(_G.notified, words) end")
end

---The recorded notifications, once there are this many.
---@param count integer
---@return string[]
function Editor:notifications(count)
  self:becomes(count .. " notifications", "#_G.notified >= ...", count)
  local all = self:lua("return _G.notified")
  wait.same("notifications", #all, count)
  return all
end

---Waits until the editor is connected to the daemon.
function Editor:connects() self:becomes("the connection", "require('areyouj').connection().state == 'connected'") end

function Editor:messages() return vim.rpcrequest(self.channel, "nvim_exec2", "messages", { output = true }).output end

---Quits the editor with `:qa`.
function Editor:quit()
  pcall(vim.rpcnotify, self.channel, "nvim_command", "qa")
  wait.until_true("the end of Neovim", function() return self.over end)
end

function Editor:close()
  if self.over then return end
  pcall(vim.rpcnotify, self.channel, "nvim_command", "qa!")
  if not vim.wait(3000, function() return self.over end, 10) then vim.fn.jobstop(self.channel) end
  wait.until_true("the end of Neovim", function() return self.over end)
end

return { open = open, arguments = arguments, environment = environment }
