---The terminal of a terminal session: a buffer that runs `areyouj attach`. The command connects to the host of the session,
---so the terminal works while the daemon is away, and the session outlives the buffer.
---
---The buffer detaches when no window shows it, because a terminal has the smallest size of all its viewers.
local config = require("areyouj.config")
local names = require("areyouj.views.names")
local problem = require("areyouj.problem")
local program = require("areyouj.program")
local queue_actions = require("areyouj.actions.queue")
local session_actions = require("areyouj.actions.session")
local ticker = require("areyouj.views.ticker")
local ui = require("areyouj.ui")
local winbar = require("areyouj.views.winbar")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---@class areyouj.Screen
---@field id string
---@field buffer integer
---@field over boolean Whether `areyouj attach` has exited, so that only its last output is displayed.
---@field private since? integer When the session entered its status at that time.
---@field private opened table<integer, true> Windows that were opened for it.
---@field private stops fun()[]
---@field private group integer Its autocommands.
local Screen = {}
Screen.__index = Screen

---@type table<integer, areyouj.Screen>
local open = {}

---@param session? areyouj.Session
---@return boolean
local function is_live(session)
  return session ~= nil
    and session.driver == "terminal"
    and session.status ~= "terminated"
    and session.status ~= "error"
end

---Opens the terminal of a session, or enters a window that shows it.
---@param id string
---@param place? areyouj.Place As configured if left out.
---@param typing boolean Whether to start in terminal mode.
function M.open(id, place, typing)
  local buffer = vim.fn.bufadd(names.SCREEN .. id)
  local shown = vim.fn.win_findbuf(buffer)
  local here = vim.tbl_filter(
    function(one) return vim.api.nvim_win_get_tabpage(one) == vim.api.nvim_get_current_tabpage() end,
    shown
  )
  if #shown > 0 then
    vim.api.nvim_set_current_win(here[1] or shown[1])
  else
    local before = vim.api.nvim_list_wins()
    window.show(buffer, place or config.get().open, "Terminal")
    M.fill(buffer, id)
    local current, self = vim.api.nvim_get_current_win(), open[buffer]
    if self and not vim.tbl_contains(before, current) then self.opened[current] = true end
  end
  local self = open[buffer]
  if typing and self and not self.over then vim.cmd.startinsert() end
end

---Shows the terminal of a session in a window.
---@param win integer
---@param id string
function M.put(win, id)
  local buffer = vim.fn.bufadd(names.SCREEN .. id)
  vim.api.nvim_win_call(win, function()
    vim.api.nvim_win_set_buf(win, buffer)
    M.fill(buffer, id)
  end)
end

---Fills a buffer with the terminal of a session.
---@param buffer integer
---@param id string
function M.fill(buffer, id)
  if open[buffer] then return end
  local path, missing = program.find()
  if not path then return problem.show(assert(missing)) end
  local self = setmetatable({ id = id, buffer = buffer, over = false, opened = {}, stops = {} }, Screen)
  open[buffer] = self
  vim.b[buffer].areyouj_session = id
  -- Before the program starts, because the winbar changes the size of the terminal.
  self:set_window_options()
  self:run(path)
  self:map()
  self:listen()
end

---@private
---@param path string Of the program.
function Screen:run(path)
  local name = vim.api.nvim_buf_get_name(self.buffer)
  local options = {
    -- The directory of the session might have been deleted.
    cwd = vim.uv.os_homedir(),
    on_exit = vim.schedule_wrap(function(_, code) self:exited(code) end),
  }
  vim.api.nvim_buf_call(self.buffer, function()
    local command = { path, "attach", self.id }
    if vim.fn.has("nvim-0.11") == 1 then
      options.term = true
      vim.fn.jobstart(command, options)
    else
      ---@diagnostic disable-next-line: deprecated -- Needed before 0.11.
      vim.fn.termopen(command, options)
    end
  end)
  -- Neovim renames the buffer after the process. This restores the name and deletes the buffer that keeps the other one.
  local process_name = vim.api.nvim_buf_get_name(self.buffer)
  vim.api.nvim_buf_set_name(self.buffer, name)
  for _, left in ipairs(vim.api.nvim_list_bufs()) do
    if left ~= self.buffer and vim.api.nvim_buf_get_name(left) == process_name then
      pcall(vim.api.nvim_buf_delete, left, { force = true })
    end
  end
  -- Quitting loses nothing, so Neovim must not ask.
  vim.bo[self.buffer].modified = false
  vim.bo[self.buffer].bufhidden = "hide"
  vim.bo[self.buffer].filetype = "areyouj-terminal"
end

---@private
function Screen:listen()
  self.group = vim.api.nvim_create_augroup("areyouj.screen." .. self.buffer, {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = self.group, buffer = self.buffer, callback = callback })
  end
  on({ "BufWinEnter", "BufEnter" }, function() self:set_window_options() end)
  on("BufHidden", vim.schedule_wrap(function() self:hidden() end))
  on("BufUnload", function() self:close() end)
  local function follow(stop) table.insert(self.stops, stop) end
  follow(model:on("connection", function() self:update_winbar() end))
  follow(model:on("sessions", function(changed)
    for _, session in ipairs(changed) do
      if session.id == self.id then self:changed(session) end
    end
  end))
  follow(ticker.follow(function()
    if #vim.fn.win_findbuf(self.buffer) == 0 then return nil end
    self:update_winbar()
    return winbar.pace(model:session(self.id), model.connection)
  end))
end

---Sets the options of the windows that show the terminal.
---@private
function Screen:set_window_options()
  for _, win in ipairs(vim.fn.win_findbuf(self.buffer)) do
    local options = vim.wo[win][0]
    options.number, options.relativenumber, options.signcolumn, options.foldcolumn = false, false, "no", "0"
    options.statuscolumn, options.list, options.spell, options.wrap = "", false, false, false
    options.cursorline, options.foldenable = false, false
  end
  self:update_winbar()
end

---@private
function Screen:update_winbar()
  local session, hints = model:session(self.id), {}
  if self.over then
    -- A terminated session cannot restart.
    if session and session.status ~= "terminated" then table.insert(hints, { "R", "restart" }) end
    table.insert(hints, { "o", "transcript" })
  end
  local line = winbar.line(self.id, session, model.connection, "Terminal", hints)
  for _, win in ipairs(vim.fn.win_findbuf(self.buffer)) do
    if vim.wo[win].winbar ~= line and vim.api.nvim_win_get_config(win).relative == "" then
      vim.wo[win][0].winbar = line
    end
  end
end

---@private
---@param session areyouj.Session
function Screen:changed(session)
  -- This update may be older than the answer that set `since`.
  if self.over and is_live(session) and session.statusSince > (self.since or math.huge) then return self:renew() end
  if session.unread > 0 and #vim.fn.win_findbuf(self.buffer) > 0 then session_actions.read(self.id) end
  self:update_winbar()
  ticker.wake()
end

---Handles the exit of `areyouj attach`: the person detached, the session ended, or it switched to a transcript.
---@private
---@param code integer
function Screen:exited(code)
  if open[self.buffer] ~= self then return end
  self.over = true
  request("areyouj/session/get", { sessionId = self.id }, function(_, session)
    if open[self.buffer] ~= self then return end
    if session and session.driver == "stream" then return self:switched() end
    -- An exit while the session is live is a detach. Otherwise the last output stays readable.
    if code == 0 and (not session or is_live(session)) then return self:leave() end
    self.since = session and session.statusSince
    if vim.api.nvim_get_current_buf() == self.buffer then vim.cmd.stopinsert() end
    self:update_winbar()
  end)
end

---Replaces the terminal by the transcript, after the driver switched.
---@private
function Screen:switched()
  ui.show_driver(self.id, "stream")
  self:wipe()
end

---Attaches again, in the same windows.
---@private
function Screen:renew()
  local windows, opened = vim.fn.win_findbuf(self.buffer), self.opened
  local old = self.buffer
  self:close()
  -- A terminal buffer can run only one program, and a name belongs to only one buffer.
  vim.api.nvim_buf_set_name(old, names.SCREEN .. self.id .. "/ended")
  for _, win in ipairs(windows) do
    M.put(win, self.id)
  end
  pcall(vim.api.nvim_buf_delete, old, { force = true })
  local new = open[vim.fn.bufnr("^" .. names.SCREEN .. self.id .. "$")]
  if new then new.opened = opened end
end

---Closes the windows that were opened for the terminal. Other windows show their previous buffer.
---@private
function Screen:leave()
  for _, win in ipairs(vim.fn.win_findbuf(self.buffer)) do
    local made = self.opened[win] and #vim.api.nvim_list_wins() > 1
    if not (made and pcall(vim.api.nvim_win_close, win, true)) then
      vim.api.nvim_win_call(win, function()
        local other = vim.fn.bufnr("#")
        if other > 0 and other ~= self.buffer and vim.fn.buflisted(other) == 1 then return vim.cmd.buffer(other) end
        window.edit(names.DASHBOARD)
      end)
    end
  end
  self:wipe()
end

---Detaches when no window shows the terminal. Its name stays the alternate file, so that |CTRL-^| opens it again.
---@private
function Screen:hidden()
  if open[self.buffer] ~= self or #vim.fn.win_findbuf(self.buffer) > 0 then return end
  local back = vim.tbl_filter(function(win)
    return vim.api.nvim_win_call(win, function() return vim.fn.bufnr("#") == self.buffer end)
  end, vim.api.nvim_list_wins())
  self:wipe()
  if #back == 0 then return end
  local again = vim.fn.bufadd(names.SCREEN .. self.id)
  for _, win in ipairs(back) do
    vim.api.nvim_win_call(win, function() vim.fn.setreg("#", again) end)
  end
end

---@private
function Screen:wipe()
  self:close()
  pcall(vim.api.nvim_buf_delete, self.buffer, { force = true })
end

---Restarts the session, or attaches again if it is live.
---@private
function Screen:restart()
  if not self.over then return session_actions.restart(self.id) end
  request("areyouj/session/get", { sessionId = self.id }, function(failed, session)
    if open[self.buffer] ~= self then return end
    if failed then return problem.show(failed) end
    if is_live(session) then return self:renew() end
    session_actions.restart(self.id)
  end)
end

---@private
function Screen:map()
  local id = self.id
  local keys = {
    { "i a", "Type to Claude" },
    { [[<C-\><C-n>]], "Stop typing" },
    { [[<C-\>d]], "While typing: detach; the session continues", function() self:leave() end, mode = "t" },
    { "o", "Show the transcript", function() ui.transcript(id) end },
    { "gq", "Show the queue", function() ui.queue(id) end },
    { "u", "Continue after an interrupted or failed message", function() queue_actions.recover(id) end },
    { "M", "Switch to Transcript", function() session_actions.ask_to_switch(id) end },
    { "R", "Restart", function() self:restart() end },
    { "gs", "Choose another session", function() ui.switch() end },
    { "]a", "Next waiting session", function() ui.next_waiting(1) end },
    { "[a", "Previous waiting session", function() ui.next_waiting(-1) end },
    { "-", "Show all sessions", ui.dashboard },
  }
  table.insert(keys, { "g?", "Show this help", function() window.help("Terminal", keys) end })
  window.keys(self.buffer, keys)
end

---@private
function Screen:close()
  if open[self.buffer] ~= self then return end
  open[self.buffer] = nil
  vim.api.nvim_del_augroup_by_id(self.group)
  for _, stop in ipairs(self.stops) do
    stop()
  end
end

---@param ports { model: areyouj.Model, request: areyouj.Requester }
function M.setup(ports)
  model, request = ports.model, ports.request
end

return M
