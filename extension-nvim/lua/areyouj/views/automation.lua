---One session: its transcript as it is written, what needs a person, and its queue, in a buffer of its own.
local Feed = require("areyouj.feed")
local Transcript = require("areyouj.views.transcript")
local block_look = require("areyouj.views.transcript.block")
local config = require("areyouj.config")
local foot = require("areyouj.views.automation.foot")
local names = require("areyouj.views.names")
local page = require("areyouj.views.styled_lines")
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

---What is said is written at most so often, in milliseconds: as fast as people read along.
local WRITE_EVERY_MS = 40
---Entries of a page of older ones.
local PAGE_ENTRIES = 200

---@class areyouj.Automation
---@field id string
---@field buffer integer
---@field private context areyouj.BlockContext
---@field private foot_lines? string[] What the foot says.
---@field private feed areyouj.Feed
---@field private transcript areyouj.Transcript
---@field private stops fun()[]
---@field private problem? areyouj.Problem
---@field private loading boolean Whether a page of older entries is on its way.
---@field private entries areyouj.TranscriptEntry[] Not written yet.
---@field private writing boolean
---@field private group integer Its autocommands.
---@field private stale boolean Whether something changed that is not shown yet.
local Automation = {}
Automation.__index = Automation

---@type table<integer, areyouj.Automation>
local open = {}

---Opens the automation of a session.
---@param id string
---@param place? "current"|"tab"|"split"|"vsplit" Where; the configuration says it if left out.
function M.open(id, place)
  local buffer = M.buffer(id)
  window.show(buffer, place or config.get().open, "Automation")
  M.dress(buffer)
end

---Shows the automation of a session in a window.
---@param win integer
---@param id string
function M.put(win, id)
  local buffer = M.buffer(id)
  vim.api.nvim_win_set_buf(win, buffer)
  M.dress(buffer)
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

---Options of the windows that show an automation. Once for each: setting them again would close folds that were opened.
---@param buffer integer
function M.dress(buffer)
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
  if automation then automation:bar() end
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
      for _, prompt in ipairs(model:permissions(id)) do
        if prompt.id == permission_id then return prompt end
      end
    end,
  }
  self.transcript = Transcript.new(buffer, self.context)
  self:listen()
  self:map()
  self.feed:attach()
  self:foot()
  self.group = vim.api.nvim_create_augroup("areyouj.automation." .. buffer, {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = self.group, buffer = buffer, callback = callback })
  end
  on({ "BufWinEnter", "BufEnter" }, function() self:shown() end)
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
      self.foot_lines = nil
      self:foot()
      for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
        vim.api.nvim_win_set_cursor(id, { vim.api.nvim_buf_line_count(self.buffer), 0 })
      end
    end,
    entries = function(entries)
      self.problem = nil
      vim.list_extend(self.entries, entries)
      self:soon()
    end,
    said = function(deltas)
      if #self.entries > 0 then self:write() end
      self.transcript:hush()
      for _, delta in ipairs(deltas) do
        self.transcript:say(delta)
      end
      self:soon()
    end,
    delta = function(delta)
      -- Entries that came before it are written first.
      if #self.entries > 0 then self:write() end
      self.transcript:say(delta)
      self:soon()
    end,
    problem = function(failed)
      self.problem = failed
      self:foot()
    end,
  })
  local function follow(stop) table.insert(self.stops, stop) end
  follow(daemon.on("areyouj/claudeOutput", function(output) self.feed:output(output) end))
  follow(model:on("stale", function() self.feed:attach() end))
  follow(model:on("connection", function() self:later() end))
  follow(model:on("sessions", function(changed, removed)
    local mine = vim.tbl_contains(removed, self.id)
    for _, session in ipairs(changed) do
      mine = mine or session.id == self.id
    end
    if mine then self:later() end
  end))
  follow(model:on("permissions", function() self:later() end))
  follow(model:on("decisions", function() self:later() end))
  follow(model:on("queue", function(queue)
    if queue.sessionId == self.id then self:later() end
  end))
  follow(model:watch_queue(self.id))
  follow(ticker.follow(function()
    if #vim.fn.win_findbuf(self.buffer) == 0 then return nil end
    self:bar()
    return winbar.pace(model:session(self.id), model.connection)
  end))
end

---Writes soon what was said: everything of the next moment at once.
---@private
function Automation:soon()
  if self.writing then return end
  self.writing = true
  vim.defer_fn(function()
    self.writing = false
    if open[self.buffer] == self then self:write() end
  end, WRITE_EVERY_MS)
end

---The session, its prompts, its queue or the connection changed; that is shown soon.
---@private
function Automation:later()
  self.stale = true
  self:soon()
end

---@private
function Automation:write()
  local entries = self.entries
  self.entries = {}
  if #entries > 0 then self.transcript:append(entries) end
  self.transcript:flush()
  if self.stale then self:changed() end
end

---Shows how the session and the connection stand.
---@private
function Automation:changed()
  self.stale = false
  local session = model:session(self.id)
  if session then
    if self.context.directory ~= session.directory then
      self.context.directory = session.directory
      self.transcript:head()
    end
    self.transcript:working(session.status == "active")
    if session.status ~= "active" and #self.entries == 0 then self.transcript:hush() end
    self.transcript:prompts_changed()
    if session.unread > 0 and #vim.fn.win_findbuf(self.buffer) > 0 then session_actions.read(self.id) end
  end
  self:foot()
  self:bar()
  ticker.poke()
end

---@private
function Automation:foot()
  local built = foot.page(model, self.id, self.problem)
  if vim.deep_equal(built.lines, self.foot_lines) then return end
  self.foot_lines = built.lines
  self.transcript:footer(built)
end

---@private
function Automation:bar()
  local line = winbar.line(self.id, model:session(self.id), model.connection, "Automation")
  for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
    if vim.wo[id].winbar ~= line and vim.api.nvim_win_get_config(id).relative == "" then vim.wo[id][0].winbar = line end
  end
end

---@private
function Automation:shown()
  M.dress(self.buffer)
  self:changed()
end

---Fetches older entries when somebody comes to where they belong.
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
    -- Begun anew meanwhile.
    if self.transcript.oldest == before then self.transcript:prepend(result.entries, result.more) end
  end)
end

---Shows all of what is under the cursor, or answers it.
---@private
function Automation:enter()
  local block = self.transcript:at(vim.api.nvim_win_get_cursor(0)[1] - 1)
  if not block then return end
  local body = block.entry.body
  if body.kind == "permission" and not block.ending and self.context.permission(body.permissionId or "") then
    return ui.permission(body.permissionId)
  end
  local built = page.new():all(block_look.whole(block))
  window.page("Details", built)
end

---@private
function Automation:map()
  local id = self.id
  local function person(step)
    local row = self.transcript:person(vim.api.nvim_win_get_cursor(0)[1] - 1, step)
    if row then vim.api.nvim_win_set_cursor(0, { row + 1, 0 }) end
  end
  local keys = {
    { { "i", "a" }, "Write a message", function() ui.composer(id) end },
    {
      "p",
      "Answer the oldest prompt of this session",
      function() ui.permission_of(id) end,
    },
    { "<CR>", "All of what is under the cursor; answer a prompt", function() self:enter() end },
    { "gq", "Queue", function() ui.queue(id) end },
    { "u", "Decide about a message that was cut off or failed", function() queue_actions.recover(id) end },
    { "]]", "Next message of a person", function() person(1) end },
    { "[[", "Previous message of a person", function() person(-1) end },
    { "za zo zc zR zM", "Folds of tool calls and thinking, as everywhere" },
    { "o", "Claude's screen, of a terminal session", function() ui.screen(id) end },
    { "M", "Move to a terminal, or back to a stream", function() session_actions.ask_to_switch(id) end },
    { "gs", "Switch session", function() ui.switch() end },
    { "]a", "Next session that waits", function() ui.next_waiting(1) end },
    { "[a", "Previous session that waits", function() ui.next_waiting(-1) end },
    { "-", "Orchestration", function() ui.dashboard() end },
    { { "I", "<C-c>" }, "Interrupt", function() session_actions.interrupt(id) end },
    { "R", "Restart", function() session_actions.restart(id) end },
    { "r", "Rename", function() session_actions.rename(id) end },
    { "X", "Terminate", function() session_actions.terminate({ id }) end },
  }
  table.insert(keys, { "g?", "This help", function() window.help("Automation", keys) end })
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
