-- A Neovim in a real terminal, driven by keys and read from the screen. tmux provides the terminal, on its own socket.
local Editor = require("lib.editor")
local cleanup = require("lib.cleanup")
local wait = require("lib.wait")

local Terminal = {}
Terminal.__index = Terminal

local opened = 0

---@param word string
---@return string
local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

---Starts Neovim with the plugin in a terminal.
---@param home table
---@param options? { project?: string, config?: table, arguments?: string[], columns?: integer, lines?: integer }
local function open(home, options)
  options = options or {}
  opened = opened + 1
  local self = setmetatable({ home = home, socket = ("%s/tmux%d"):format(home.directory, opened) }, Terminal)
  local command = { vim.v.progpath }
  vim.list_extend(command, Editor.arguments(home, options.config))
  vim.list_extend(command, { "--cmd", "set termguicolors noswapfile shortmess+=I" })
  vim.list_extend(command, options.arguments or {})
  local words = {}
  for name, value in pairs(Editor.environment(home)) do
    table.insert(words, quoted(name .. "=" .. value))
  end
  local line = "exec env -i " .. table.concat(words, " ") .. " " .. table.concat(vim.tbl_map(quoted, command), " ")
  self:tmux(
    "-f",
    "/dev/null",
    "new-session",
    "-d",
    "-x",
    tostring(options.columns or 120),
    "-y",
    tostring(options.lines or 36),
    "-c",
    options.project and home.projects[options.project] or home.directory,
    line
  )
  self:tmux("set", "-g", "escape-time", "0")
  cleanup.later(function() self:close() end)
  return self
end

function Terminal:tmux(...)
  local done = vim.system({ "tmux", "-S", self.socket, ... }, { text = true }):wait()
  assert(done.code == 0, done.stderr)
  return done.stdout
end

---Types a text.
function Terminal:type(text) self:tmux("send-keys", "-l", "--", text) end

---Presses keys, by tmux's names: `Enter`, `Escape`, `C-s`, `M-j`.
function Terminal:press(...) self:tmux("send-keys", ...) end

---Clicks on a text, by the escape sequences of a terminal.
function Terminal:click(part, times)
  local screen = self:shows(part)
  for row, line in ipairs(vim.split(screen, "\n", { plain = true })) do
    local at = line:find(part, 1, true)
    if at then
      local column = vim.fn.strdisplaywidth(line:sub(1, at - 1)) + 1
      for _ = 1, times or 1 do
        self:type(("\27[<0;%d;%dM\27[<0;%d;%dm"):format(column, row, column, row))
      end
      return
    end
  end
end

---The text of the screen.
function Terminal:screen() return self:tmux("capture-pane", "-p") end

---Waits until the screen contains a text.
function Terminal:shows(part)
  local screen = ""
  local ok = pcall(wait.until_true, part, function()
    screen = self:screen()
    return screen:find(part, 1, true) ~= nil
  end)
  if not ok then error(("the screen does not show %s:\n%s"):format(vim.inspect(part), screen), 2) end
  return screen
end

---Waits until the screen does not contain a text.
function Terminal:hides(part)
  local screen = ""
  local ok = pcall(wait.until_true, part, function()
    screen = self:screen()
    return screen:find(part, 1, true) == nil
  end)
  if not ok then error(("the screen still shows %s:\n%s"):format(vim.inspect(part), screen), 2) end
end

---Whether Neovim is running.
function Terminal:alive() return vim.system({ "tmux", "-S", self.socket, "has-session" }):wait().code == 0 end

---Waits until Neovim exits.
function Terminal:ends()
  wait.until_true("the end of Neovim", function() return not self:alive() end)
end

---Types an Ex command.
function Terminal:command(command)
  self:type(":" .. command)
  self:press("Enter")
end

function Terminal:close()
  -- Quits as a person does, so that the sidecar exits before the daemon.
  if self:alive() then
    -- From any mode, also terminal mode.
    self:press("C-\\", "C-n", "Escape", "Escape")
    self:type(":qa!")
    self:press("Enter")
    if vim.wait(3000, function() return not self:alive() end, 10) then return end
  end
  vim.system({ "tmux", "-S", self.socket, "kill-server" }):wait()
  wait.until_true("the end of the terminal", function() return not self:alive() end)
end

return { open = open }
