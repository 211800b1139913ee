---The automation of a session: its transcript as it streams, what needs a person, and its queue, in one buffer.
local Feed = require("areyouj.feed")
local Transcript = require("areyouj.views.transcript")
local block_view = require("areyouj.views.transcript.block")
local config = require("areyouj.config")
local footer = require("areyouj.views.automation.footer")
local names = require("areyouj.views.names")
local styled_lines = require("areyouj.views.styled_lines")
local problem = require("areyouj.problem")
local queue_actions = require("areyouj.actions.queue")
local session_actions = require("areyouj.actions.session")
local ticker = require("areyouj.views.ticker")
local ui = require("areyouj.ui")
local winbar = require("areyouj.views.winbar")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model
local daemon ---@type areyouj.Daemon

---Output within this time is written at once, in milliseconds. Shorter times are not visible.
local WRITE_EVERY_MS = 40
---The number of entries in a page of older entries.
local PAGE_ENTRIES = 200

---@class areyouj.Automation
---@field id string
---@field buffer integer
---@field private context areyouj.BlockContext
---@field private footer_lines? string[]
---@field private feed areyouj.Feed
---@field private transcript areyouj.Transcript
---@field private stops fun()[]
---@field private problem? areyouj.Problem
---@field private loading boolean Whether a page of older entries is being fetched.
---@field private entries areyouj.TranscriptEntry[] Not written yet.
---@field private writing boolean
---@field private group integer Its autocommands.
---@field private stale boolean Whether a change of the session is not displayed yet.
local Automation = {}
Automation.__index = Automation

---@type table<integer, areyouj.Automation>
local open = {}

---Opens the automation of a session.
---@param id string
---@param place? areyouj.Place As configured if left out.
function M.open(id, place)
  local buffer = M.buffer(id)
  window.show(buffer, place or config.get().open, "Automation")
  M.set_window_options(buffer)
end

---Shows the automation of a session in a window.
---@param win integer
---@param id string
function M.put(win, id)
  local buffer = M.buffer(id)
  vim.api.nvim_win_set_buf(win, buffer)
  M.set_window_options(buffer)
end

---@private
---@param id string
---@return integer
function M.buffer(id)
  local buffer = vim.fn.bufadd(names.AUTOMATION .. id)
  if not open[buffer] then
    vim.fn.bufload(buffer)
    if not open[buffer] then M.fill(buffer, id) end
  end
  return buffer
end

local FOLDEXPR = "v:lua.require'areyouj.views.transcript'.foldexpr()"

---Sets the options of the windows that show an automation, once for each window: setting them again closes open folds.
---@param buffer integer
function M.set_window_options(buffer)
  local icons = config.get().icons
  for _, id in ipairs(vim.fn.win_findbuf(buffer)) do
    local options = vim.wo[id][0]
    if options.foldexpr ~= FOLDEXPR then
      options.wrap, options.linebreak, options.breakindent = true, true, true
      options.number, options.relativenumber, options.signcolumn, options.foldcolumn = false, false, "no", "1"
      options.list, options.spell, options.cursorline = false, false, false
      options.foldmethod, options.foldexpr, options.foldenable = "expr", FOLDEXPR, true
      options.foldlevel, options.foldtext = 0, ""
      options.fillchars = (icons and "foldopen:▾,foldclose:▸" or "foldopen:-,foldclose:+")
        .. ",foldsep: ,fold: ,eob: "
      options.winhighlight = "Folded:None,FoldColumn:AreYouJDim"
    end
  end
  local automation = open[buffer]
  if automation then automation:update_winbar() end
end

---Fills a buffer with an automation.
---@param buffer integer
---@param id string
function M.fill(buffer, id)
  if open[buffer] then return end
  window.prepare(buffer)
  local self =
    setmetatable({ id = id, buffer = buffer, stops = {}, entries = {}, loading = false, writing = false }, Automation)
  open[buffer] = self
  vim.bo[buffer].filetype = "areyouj"
  vim.b[buffer].areyouj_session = id
  local session = model:session(id)
  self.context = {
    directory = session and session.directory or "",
    icons = config.get().icons,
    working = session ~= nil and session.status == "active",
    permission = function(permission_id)
      for _, request in ipairs(model:permissions(id)) do
        if request.id == permission_id then return request end
      end
    end,
  }
  self.transcript = Transcript.new(buffer, self.context)
  self:listen()
  self:map()
  self.feed:attach()
  self:update_footer()
  self.group = vim.api.nvim_create_augroup("areyouj.automation." .. buffer, {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = self.group, buffer = buffer, callback = callback })
  end
  on({ "BufWinEnter", "BufEnter" }, function() self:displayed() end)
  on({ "WinScrolled", "CursorMoved" }, function() self:scrolled() end)
  on("BufUnload", function() self:close() end)
  vim.api.nvim_create_autocmd("InsertLeave", {
    group = self.group,
    callback = function()
      vim.schedule(function() self.transcript.folds:catch_up() end)
    end,
  })
end

---@private
function Automation:listen()
  self.feed = Feed.new(daemon, self.id, {
    transcript = function(entries, more)
      self.problem = nil
      self.entries = {}
      self.transcript:reset(entries, more)
      self.footer_lines = nil
      self:update_footer()
      for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
        vim.api.nvim_win_set_cursor(id, { vim.api.nvim_buf_line_count(self.buffer), 0 })
      end
    end,
    entries = function(entries)
      self.problem = nil
      vim.list_extend(self.entries, entries)
      self:schedule_write()
    end,
    partial = function(deltas)
      if #self.entries > 0 then self:write() end
      self.transcript:discard_live()
      for _, delta in ipairs(deltas) do
        self.transcript:add_delta(delta)
      end
      self:schedule_write()
    end,
    delta = function(delta)
      -- Earlier entries come first.
      if #self.entries > 0 then self:write() end
      self.transcript:add_delta(delta)
      self:schedule_write()
    end,
    problem = function(failed)
      self.problem = failed
      self:update_footer()
    end,
  })
  local function follow(stop) table.insert(self.stops, stop) end
  follow(daemon.on("areyouj/claudeOutput", function(output) self.feed:output(output) end))
  follow(model:on("stale", function() self.feed:attach() end))
  follow(model:on("connection", function() self:schedule_update() end))
  follow(model:on("sessions", function(changed, removed)
    local mine = vim.tbl_contains(removed, self.id)
    for _, session in ipairs(changed) do
      mine = mine or session.id == self.id
    end
    if mine then self:schedule_update() end
  end))
  follow(model:on("permissions", function() self:schedule_update() end))
  follow(model:on("decisions", function() self:schedule_update() end))
  follow(model:on("queue", function(queue)
    if queue.sessionId == self.id then self:schedule_update() end
  end))
  follow(model:watch_queue(self.id))
  follow(ticker.follow(function()
    if #vim.fn.win_findbuf(self.buffer) == 0 then return nil end
    self:update_winbar()
    return winbar.pace(model:session(self.id), model.connection)
  end))
end

---Schedules a write of everything that arrives in the next moment.
---@private
function Automation:schedule_write()
  if self.writing then return end
  self.writing = true
  vim.defer_fn(function()
    self.writing = false
    if open[self.buffer] == self then self:write() end
  end, WRITE_EVERY_MS)
end

---Schedules an update after a change of the session, its permission requests, its queue or the connection.
---@private
function Automation:schedule_update()
  self.stale = true
  self:schedule_write()
end

---@private
function Automation:write()
  local entries = self.entries
  self.entries = {}
  if #entries > 0 then self.transcript:append(entries) end
  self.transcript:flush()
  if self.stale then self:update() end
end

---Displays the state of the session and of the connection.
---@private
function Automation:update()
  self.stale = false
  local session = model:session(self.id)
  if session then
    if self.context.directory ~= session.directory then
      self.context.directory = session.directory
      self.transcript:write_header()
    end
    self.transcript:set_working(session.status == "active")
    if session.status ~= "active" and #self.entries == 0 then self.transcript:discard_live() end
    self.transcript:update_requests()
    if session.unread > 0 and #vim.fn.win_findbuf(self.buffer) > 0 then session_actions.read(self.id) end
  end
  self:update_footer()
  self:update_winbar()
  ticker.wake()
end

---@private
function Automation:update_footer()
  local built = footer.lines(model, self.id, self.problem)
  if vim.deep_equal(built.lines, self.footer_lines) then return end
  self.footer_lines = built.lines
  self.transcript:set_footer(built)
end

---@private
function Automation:update_winbar()
  local line = winbar.line(self.id, model:session(self.id), model.connection, "Automation")
  for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
    if vim.wo[id].winbar ~= line and vim.api.nvim_win_get_config(id).relative == "" then vim.wo[id][0].winbar = line end
  end
end

---@private
function Automation:displayed()
  M.set_window_options(self.buffer)
  self:update()
end

---Fetches older entries when a window shows the first line.
---@private
function Automation:scrolled()
  if self.loading or not self.transcript.more then return end
  for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
    if vim.fn.line("w0", id) == 1 then return self:older() end
  end
end

---Adds a page of older entries.
---@private
function Automation:older()
  self.loading = true
  local before = self.transcript.oldest
  local params = { sessionId = self.id, before = before, limit = PAGE_ENTRIES }
  daemon.request("areyouj/transcript/read", params, function(failed, result)
    self.loading = false
    if open[self.buffer] ~= self then return end
    if failed then return problem.show(failed) end
    -- A reset during the fetch makes the page obsolete.
    if self.transcript.oldest == before then self.transcript:prepend(result.entries, result.more) end
  end)
end

---Shows the whole entry under the cursor, or enters its permission request.
---@private
function Automation:enter()
  local block = self.transcript:block_at(vim.api.nvim_win_get_cursor(0)[1] - 1)
  if not block then return end
  local body = block.entry.body
  if body.kind == "permission" and not block.ending and self.context.permission(body.permissionId or "") then
    return ui.permission(body.permissionId)
  end
  local built = styled_lines.new():all(block_view.whole(block))
  window.page("Details", built)
end

---@private
function Automation:map()
  local id = self.id
  local function next_message(step)
    local row = self.transcript:next_message(vim.api.nvim_win_get_cursor(0)[1] - 1, step)
    if row then vim.api.nvim_win_set_cursor(0, { row + 1, 0 }) end
  end
  local keys = {
    { { "i", "a" }, "Write a message", function() ui.composer(id) end },
    {
      "p",
      "Answer the oldest permission request of this session",
      function() ui.permission_of(id) end,
    },
    { "<CR>", "Show the whole entry under the cursor, or answer a permission request", function() self:enter() end },
    { "gq", "Show the queue", function() ui.queue(id) end },
    { "u", "Continue after an interrupted or failed message", function() queue_actions.recover(id) end },
    { "]]", "Next message of yours", function() next_message(1) end },
    { "[[", "Previous message of yours", function() next_message(-1) end },
    { "za zo zc zR zM", "Open and close the folds of tool calls and thinking" },
    { "o", "Show the terminal of a terminal session", function() ui.screen(id) end },
    { "M", "Switch to Terminal, or back to Transcript", function() session_actions.ask_to_switch(id) end },
    { "gs", "Choose another session", function() ui.switch() end },
    { "]a", "Next waiting session", function() ui.next_waiting(1) end },
    { "[a", "Previous waiting session", function() ui.next_waiting(-1) end },
    { "-", "Show all sessions", function() ui.dashboard() end },
    { { "I", "<C-c>" }, "Interrupt", function() session_actions.interrupt(id) end },
    { "R", "Restart", function() session_actions.restart(id) end },
    { "r", "Rename", function() session_actions.rename(id) end },
    { "X", "Terminate", function() session_actions.terminate({ id }) end },
  }
  table.insert(keys, { "g?", "Show this help", function() window.help("Automation", keys) end })
  window.keys(self.buffer, keys)
end

---@private
function Automation:close()
  open[self.buffer] = nil
  vim.api.nvim_del_augroup_by_id(self.group)
  for _, stop in ipairs(self.stops) do
    stop()
  end
  self.feed:close()
  self.transcript:close()
end

---@param ports { model: areyouj.Model, daemon: areyouj.Daemon }
function M.setup(ports)
  model, daemon = ports.model, ports.daemon
  ui.register({ transcript = M.open })
end

return M
