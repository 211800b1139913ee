---The dashboard: counters by status, items that need a person, and the table of sessions.
local config = require("areyouj.config")
local details = require("areyouj.views.details")
local names = require("areyouj.views.names")
local open_actions = require("areyouj.actions.open")
local overview = require("areyouj.views.dashboard.overview")
local styled_lines = require("areyouj.views.styled_lines")
local queue_actions = require("areyouj.actions.queue")
local saved = require("areyouj.views.dashboard.saved")
local session_actions = require("areyouj.actions.session")
local sessions = require("areyouj.views.dashboard.table")
local ticker = require("areyouj.views.ticker")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model

---Changes within this time are drawn at once, in milliseconds.
local DRAW_WITHIN_MS = 40
local namespace = vim.api.nvim_create_namespace("areyouj.dashboard")
local spinners = vim.api.nvim_create_namespace("areyouj.spinners")

---@class areyouj.Dashboard
---@field buffer integer Is -1 while there is none.
---@field drawn integer When relative times were drawn last, in milliseconds.
---@field view areyouj.View
---@field rows table<integer, areyouj.DashboardRow> By line, from 1.
---@field layout areyouj.Layout[]
---@field lines string[]
---@field drawing boolean
---@field placed boolean Whether the cursor was moved to a session.
---@type areyouj.Dashboard
local self = {
  buffer = -1,
  view = sessions.default(),
  drawn = 0,
  placed = false,
  rows = {},
  layout = {},
  lines = {},
  drawing = false,
}

---@return integer
local function width()
  local shown = vim.fn.win_findbuf(self.buffer)[1]
  if not shown then return vim.o.columns end
  return vim.api.nvim_win_get_width(shown) - vim.fn.getwininfo(shown)[1].textoff
end

---Writes the changed lines.
---@param lines string[]
local function write(lines)
  local before, first = self.lines, 1
  while first <= #lines and first <= #before and lines[first] == before[first] do
    first = first + 1
  end
  local last_new, last_old = #lines, #before
  while last_new >= first and last_old >= first and lines[last_new] == before[last_old] do
    last_new, last_old = last_new - 1, last_old - 1
  end
  if last_new >= first or last_old >= first then
    window.set_lines(self.buffer, first - 1, last_old, vim.list_slice(lines, first, last_new))
  end
  self.lines = lines
end

---Moves the cursor to the first session, once there is one.
local function place_cursor()
  for line = 1, #self.lines do
    local row = self.rows[line]
    if row and row.session and not row.needs_person then
      self.placed = true
      for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
        if vim.api.nvim_win_get_cursor(id)[1] == 1 then vim.api.nvim_win_set_cursor(id, { line, 0 }) end
      end
      return
    end
  end
end

---Draws the spinners of the active sessions.
---@return boolean any Whether there is one.
local function draw_spinners()
  vim.api.nvim_buf_clear_namespace(self.buffer, spinners, 0, -1)
  local any = false
  for line, row in pairs(self.rows) do
    if row.session and row.session.status == "active" and not row.needs_person then
      any = true
      vim.api.nvim_buf_set_extmark(self.buffer, spinners, line - 1, 1, {
        virt_text = { { ticker.spinner(), "AreYouJActive" } },
        virt_text_pos = "overlay",
      })
    end
  end
  return any
end

local function draw()
  self.drawing = false
  if not vim.api.nvim_buf_is_valid(self.buffer) then return end
  if #vim.fn.win_findbuf(self.buffer) == 0 then return end
  -- Each cursor stays on its session.
  local cursors = {}
  for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
    local row = self.rows[vim.api.nvim_win_get_cursor(id)[1]]
    cursors[id] = row and row.session and not row.needs_person and row.session.id or nil
  end
  local built = overview.build(model, self.view, width())
  self.rows, self.layout = built.rows, built.layout
  write(built.page.lines)
  vim.api.nvim_buf_clear_namespace(self.buffer, namespace, 0, -1)
  styled_lines.highlight(self.buffer, namespace, 0, built.page.marks)
  for id, session_id in pairs(cursors) do
    for line, row in pairs(self.rows) do
      local same = row.session and row.session.id == session_id and not row.needs_person
      if same and vim.api.nvim_win_get_cursor(id)[1] ~= line then
        vim.api.nvim_win_set_cursor(id, { line, vim.api.nvim_win_get_cursor(id)[2] })
      end
    end
  end
  if not self.placed then place_cursor() end
  draw_spinners()
end

---Schedules a redraw.
local function schedule_draw()
  if self.drawing then return end
  self.drawing = true
  vim.defer_fn(function()
    draw()
    ticker.wake()
  end, DRAW_WITHIN_MS)
end

---The row under the cursor.
---@return areyouj.DashboardRow
local function current() return self.rows[vim.api.nvim_win_get_cursor(0)[1]] or {} end

---Wraps an action on the session under the cursor.
---@param action fun(session: areyouj.Session)
---@return fun()
local function with(action)
  return function()
    local session = current().session
    if session then action(session) end
  end
end

---Changes the view, and remembers it.
---@param changes table
local function change_view(changes)
  self.view = vim.tbl_extend("force", self.view, changes)
  saved.write(
    "dashboard",
    { column = self.view.column, descending = self.view.descending, terminated = self.view.terminated }
  )
  draw()
end

---@param column areyouj.Column
local function sort_by(column)
  local same = column == self.view.column
  -- Text is ascending by default, numbers are descending.
  local first = not vim.tbl_contains({ "status", "name", "project", "task", "model" }, column)
  local descending = first
  if same then descending = not self.view.descending end
  change_view({ column = column, descending = descending })
end

local function enter()
  local row = current()
  if row.request then return ui.permission(row.request.id) end
  if row.session then ui.session(row.session.id) end
end

local function click()
  local mouse = vim.fn.getmousepos()
  local row = mouse.winid == vim.api.nvim_get_current_win() and self.rows[mouse.line]
  if not row then return end
  local place = mouse.wincol - vim.fn.getwininfo(mouse.winid)[1].textoff - 1
  if row.head then
    local column = sessions.column_at(self.layout, place)
    if column then sort_by(column) end
  end
  for _, tile in ipairs(row.tiles or {}) do
    if place >= tile.from and place < tile.to then change_view({ tile = tile.tile }) end
  end
end

---The ids of the sessions in the selected lines.
---@return string[]
local function selected()
  local first, last = vim.fn.line("v"), vim.fn.line(".")
  local ids = {}
  for line = math.min(first, last), math.max(first, last) do
    local row = self.rows[line]
    if row and row.session and row.session.status ~= "terminated" then table.insert(ids, row.session.id) end
  end
  return ids
end

---Closes the dashboard.
local function close()
  if #vim.api.nvim_list_wins() > 1 and pcall(vim.cmd.close) then return end
  local other = vim.fn.bufnr("#")
  if other > 0 and other ~= self.buffer then return vim.cmd.buffer(other) end
  vim.cmd.enew()
end

local function map()
  local keys = {
    { { "<CR>", "<2-LeftMouse>" }, "Open the session, or answer the permission request", enter },
    { "o", "Open the transcript, also of a terminal session", with(function(session) ui.transcript(session.id) end) },
    { "c", "New session", function() ui.new_session() end },
    { "C", "New session: choose Transcript or Terminal first", function() ui.choose_driver() end },
    { "i", "Write a message", with(function(session) ui.composer(session.id) end) },
    {
      "p",
      "Answer the oldest permission request of the session, or of all sessions",
      function()
        local session = current().session
        if session and #model:permissions(session.id) > 0 then return ui.permission_of(session.id) end
        ui.permission()
      end,
    },
    {
      "u",
      "Continue after an interrupted or failed message",
      with(function(session) queue_actions.recover(session.id) end),
    },
    { "gq", "Show the queue", with(function(session) ui.queue(session.id) end) },
    { "I", "Interrupt", with(function(session) session_actions.interrupt(session.id) end) },
    {
      "M",
      "Switch to Terminal, or back to Transcript",
      with(function(session) session_actions.ask_to_switch(session.id) end),
    },
    { "R", "Restart", with(function(session) session_actions.restart(session.id) end) },
    { "r", "Rename", with(function(session) session_actions.rename(session.id) end) },
    {
      "X",
      "Terminate; in visual mode all selected sessions",
      with(function(session)
        if session.status == "terminated" then return session_actions.delete(session.id) end
        session_actions.terminate({ session.id })
      end),
    },
    { "D", "Delete a terminated session permanently", with(function(session) session_actions.delete(session.id) end) },
    { "yp", "Copy path", with(function(session) open_actions.copy(session.directory, "Path copied.") end) },
    { "yi", "Copy ID", with(function(session) open_actions.copy(session.id, "ID copied.") end) },
    { "gd", "Open folder", with(open_actions.directory) },
    { "gx", "Open terminal", with(open_actions.shell) },
    { "K", "Show the details of the session", with(function(session) details.open(session) end) },
    {
      "f",
      "Filter by words",
      function()
        vim.ui.input({ prompt = "Filter: ", default = self.view.words }, function(words)
          if words then change_view({ words = words }) end
        end)
      end,
    },
    { "F", "Clear all filters", function() change_view({ words = "", tile = "total" }) end },
    { "1 … 5", "Filter: total, active, waiting, idle, error" },
    { "t", "Show or hide terminated sessions", function() change_view({ terminated = not self.view.terminated }) end },
    { "s", "Sort by the next column", function() sort_by(sessions.neighbour(self.layout, self.view.column, 1)) end },
    { "S", "Reverse the order", function() change_view({ descending = not self.view.descending }) end },
    { "<LeftRelease>", "Click a heading to sort, a counter to filter", click },
    { "]a", "Next waiting session", function() ui.next_waiting(1) end },
    { "[a", "Previous waiting session", function() ui.next_waiting(-1) end },
    { "gs", "Choose another session", function() ui.switch() end },
    { "q", "Close", close },
  }
  table.insert(keys, { "g?", "Show this help", function() window.help("Orchestration", keys) end })
  window.keys(self.buffer, keys)
  if not config.get().keys then return end
  for number, tile in ipairs(sessions.tiles) do
    vim.keymap.set(
      "n",
      tostring(number),
      function() change_view({ tile = tile }) end,
      { buffer = self.buffer, nowait = true }
    )
  end
  vim.keymap.set("x", "X", function()
    local ids = selected()
    vim.api.nvim_feedkeys(vim.keycode("<Esc>"), "n", false)
    if #ids > 0 then vim.schedule(function() session_actions.terminate(ids) end) end
  end, { buffer = self.buffer, desc = "Terminate all selected sessions" })
end

---Sets the options of the windows that show the dashboard.
local function set_window_options()
  for _, id in ipairs(vim.fn.win_findbuf(self.buffer)) do
    local options = vim.wo[id][0]
    options.wrap, options.number, options.relativenumber, options.signcolumn, options.foldcolumn =
      false, false, false, "no", "0"
    options.fillchars = "eob: "
    options.cursorline, options.list, options.spell, options.foldenable = true, false, false, false
    if vim.api.nvim_win_get_config(id).relative == "" then options.winbar = "%#AreYouJTitle# Orchestration" end
  end
end

---Fills a buffer with the dashboard.
---@param buffer integer
function M.fill(buffer)
  if self.buffer == buffer then return end
  self.buffer, self.lines, self.placed = buffer, { "" }, false
  self.view = sessions.restored(saved.read("dashboard"))
  window.prepare(buffer)
  vim.bo[buffer].filetype = "areyouj-dashboard"
  map()
  local stops = {
    ticker.follow(function()
      if #vim.fn.win_findbuf(self.buffer) == 0 then return nil end
      -- Relative times change once a second at most.
      if vim.uv.now() - self.drawn >= 1000 then
        self.drawn = vim.uv.now()
        draw()
      end
      return draw_spinners() and "fast" or "slow"
    end),
  }
  for _, name in ipairs({ "sessions", "permissions", "decisions", "connection" }) do
    table.insert(stops, model:on(name, schedule_draw))
  end
  local group = vim.api.nvim_create_augroup("areyouj.dashboard", {})
  local function on(events, only, callback)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = only, callback = callback })
  end
  on({ "BufWinEnter", "BufEnter" }, buffer, function()
    set_window_options()
    schedule_draw()
  end)
  on({ "WinResized", "VimResized" }, nil, schedule_draw)
  on("BufUnload", buffer, function()
    self.buffer = -1
    vim.api.nvim_del_augroup_by_id(group)
    for _, stop in ipairs(stops) do
      stop()
    end
  end)
  set_window_options()
  draw()
end

---Opens the dashboard.
function M.open()
  local buffer = vim.fn.bufadd(names.DASHBOARD)
  vim.fn.bufload(buffer)
  M.fill(buffer)
  window.show(buffer, config.get().view, "Orchestration")
  set_window_options()
  draw()
end

---@param ports { model: areyouj.Model }
function M.setup(ports)
  model = ports.model
  ui.register({ dashboard = M.open })
end

return M
