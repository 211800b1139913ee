---The lines of the dashboard: counters by status, items that need a person, and the table of sessions.
local config = require("areyouj.config")
local styled_lines = require("areyouj.views.styled_lines")
local sessions = require("areyouj.views.dashboard.table")
local text = require("areyouj.text")

local M = {}

---Upper bound on the items that need a person above the table.
local MAX_ITEMS = 5

---@class areyouj.DashboardRow
---@field session? areyouj.Session
---@field request? areyouj.Permission
---@field message? areyouj.Message
---@field needs_person? boolean It is an item that needs a person, not a row of the table.
---@field head? boolean It is the header of the table.
---@field tiles? { from: integer, to: integer, tile: areyouj.Tile }[]

---@class areyouj.Overview
---@field page areyouj.StyledLines
---@field rows table<integer, areyouj.DashboardRow> By line, from 1.
---@field layout areyouj.Layout[]
---@field view areyouj.View
---@field width integer

---@param self areyouj.Overview
---@param built areyouj.StyledLines
---@param model areyouj.Model
local function head(self, built, model)
  local connection = model.connection
  local counts = sessions.counts(model:all())
  local pieces, tiles, place = { " " }, {}, 1
  local groups = { active = "AreYouJActive", waiting = "AreYouJWaiting", idle = "AreYouJIdle", error = "AreYouJError" }
  for number, tile in ipairs(sessions.tiles) do
    local word = tile:sub(1, 1):upper() .. tile:sub(2)
    local chosen = self.view.tile == tile
    local words = (chosen and "[%d %s %d]" or " %d %s %d "):format(number, word, counts[tile])
    words = words:gsub("^(.)%d ", "%1")
    local group = counts[tile] > 0 and groups[tile] or (tile == "total" and "AreYouJTitle" or "AreYouJDim")
    table.insert(pieces, { words, group })
    table.insert(tiles, { from = place, to = place + vim.fn.strdisplaywidth(words), tile = tile })
    table.insert(pieces, "  ")
    place = place + vim.fn.strdisplaywidth(words) + 2
  end
  if self.view.words ~= "" then
    table.insert(pieces, { "  filter: " .. text.plain(self.view.words, 40), "AreYouJKey" })
  end
  if self.view.terminated then table.insert(pieces, { "  with terminated", "AreYouJDim" }) end
  built:add(unpack(pieces))
  self.rows[#built.lines] = { tiles = tiles }
  if connection.state == "failed" then
    built:add(" ", {
      text.plain(connection.problem and connection.problem.message or "AreYouJ is not reachable.", 300),
      "AreYouJError",
    })
    if connection.problem then built:add(" ", { text.plain(connection.problem.hint, 300), "AreYouJDim" }) end
  elseif connection.state == "reconnecting" then
    built:add(
      " ",
      { "Reconnecting to AreYouJ. Sessions continue in the meantime. This is the last known state.", "AreYouJWaiting" }
    )
  elseif connection.state ~= "connected" then
    built:add(" ", { "Connecting to AreYouJ…", "AreYouJDim" })
  end
  built:add("")
end

---@param self areyouj.Overview
---@param built areyouj.StyledLines
---@param model areyouj.Model
local function items(self, built, model)
  local requests, decisions = model:permissions(), model:decisions()
  local screens = vim.tbl_filter(
    function(session) return session.attention ~= nil and session.attention.kind == "terminal" end,
    model:live()
  )
  local count = #requests + #decisions + #screens
  if count == 0 then return end
  built:add({ " Needs you ", "AreYouJHeader" }, { tostring(count), "AreYouJWaiting" })
  local shown = 0
  local function row(id, words, entry, key)
    shown = shown + 1
    if shown > MAX_ITEMS then return end
    local session = model:session(id)
    local name = session and text.name(session) or id
    built:add(
      " ",
      { config.get().icons and "◆ " or "? ", "AreYouJWaiting" },
      { name .. "  ", "AreYouJId" },
      text.fit(words, math.max(10, self.width - vim.fn.strdisplaywidth(name) - 12)),
      { "  " .. key, "AreYouJKey" }
    )
    self.rows[#built.lines] = vim.tbl_extend("force", entry, { needs_person = true })
  end
  for _, request in ipairs(requests) do
    row(
      request.sessionId,
      text.plain(request.title, 200),
      { request = request, session = model:session(request.sessionId) },
      "p"
    )
  end
  for _, session in ipairs(screens) do
    local title = session.attention and session.attention.title
    row(session.id, text.plain(title, 200), { session = session }, "<CR>")
  end
  for _, message in ipairs(decisions) do
    local event = message.state == "interrupted" and "A message was interrupted: " or "A message failed: "
    row(
      message.sessionId,
      event .. text.plain(message.text, 200),
      { message = message, session = model:session(message.sessionId) },
      "u"
    )
  end
  if shown > MAX_ITEMS then
    built:add({ (" … and %d more. ]a goes to the next."):format(shown - MAX_ITEMS), "AreYouJDim" })
  end
  built:add("")
end

---Builds the dashboard for a width in screen columns.
---@param model areyouj.Model
---@param view areyouj.View
---@param width integer
---@return areyouj.Overview
function M.build(model, view, width)
  local built, now = styled_lines.new(), text.now()
  local icons = config.get().icons
  local self = { page = built, rows = {}, layout = sessions.layout(width), view = view, width = width } ---@type areyouj.Overview
  head(self, built, model)
  items(self, built, model)
  local all = model:all()
  local shown = sessions.arrange(all, self.view)
  if #shown > 0 then
    sessions.head(self.layout, self.view, built, icons)
    self.rows[#built.lines] = { head = true }
  end
  for _, session in ipairs(shown) do
    sessions.row(session, self.layout, built, now, icons)
    self.rows[#built.lines] = { session = session }
  end
  if #shown == 0 and model.connection.state == "connected" then
    local live = sessions.counts(all).total
    built:add(
      " ",
      { live == 0 and "No sessions. " or "No session matches. ", "AreYouJDim" },
      { live == 0 and "c" or "F", "AreYouJKey" },
      { live == 0 and " creates one here." or " clears the filters.", "AreYouJDim" }
    )
  end
  built:add("")
  local function key(lhs, words) return { lhs, "AreYouJKey" }, { " " .. words .. "   ", "AreYouJDim" } end
  local pieces = { " " }
  for _, pair in ipairs({
    { "<CR>", "open" },
    { "c", "new" },
    { "i", "message" },
    { "p", "answer" },
    { "X", "terminate" },
    { "f", "filter" },
    { "s", "sort" },
    { "g?", "help" },
  }) do
    vim.list_extend(pieces, { key(pair[1], pair[2]) })
  end
  built:add(unpack(pieces))
  return self
end

return M
