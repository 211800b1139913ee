---The table of sessions in the dashboard: counts, filters, sorts, and fits it to a width.
local status = require("areyouj.status")
local text = require("areyouj.text")

local M = {}

---@alias areyouj.Column "status"|"name"|"project"|"started"|"task"|"model"|"context"|"cost"|"queued"
---@alias areyouj.Tile "total"|"active"|"waiting"|"idle"|"error"

---@class areyouj.View Filters and order of the table.
---@field column areyouj.Column
---@field descending boolean
---@field tile areyouj.Tile
---@field words string Words that must all occur in the id, name, path, task or model.
---@field terminated boolean Shows terminated sessions.

---@return areyouj.View
function M.default() return { column = "started", descending = true, tile = "total", words = "", terminated = false } end

---The view that was saved. Invalid members are replaced by defaults.
---@param saved table
---@return areyouj.View
function M.restored(saved)
  local view = M.default()
  if type(saved.descending) == "boolean" then view.descending = saved.descending end
  if type(saved.terminated) == "boolean" then view.terminated = saved.terminated end
  for _, column in ipairs({ "status", "name", "project", "started", "task", "model", "context", "cost", "queued" }) do
    if saved.column == column then view.column = column end
  end
  return view
end

---@type areyouj.Tile[]
M.tiles = { "total", "active", "waiting", "idle", "error" }

---Sessions that need a person come first.
local URGENCY = { waiting = 0, error = 1, active = 2, starting = 3, idle = 4, terminated = 5 }

---The number on each tile. Terminated sessions are not counted; starting sessions count in the total only.
---@param sessions areyouj.Session[]
---@return table<areyouj.Tile, integer>
function M.counts(sessions)
  local numbers = { total = 0, active = 0, waiting = 0, idle = 0, error = 0 }
  for _, session in ipairs(sessions) do
    if session.status ~= "terminated" then
      numbers.total = numbers.total + 1
      if numbers[session.status] then numbers[session.status] = numbers[session.status] + 1 end
    end
  end
  return numbers
end

---@param session areyouj.Session
---@param view areyouj.View
---@param words string[]
---@return boolean
local function passes(session, view, words)
  if view.tile ~= "total" and session.status ~= view.tile then return false end
  if session.status == "terminated" and not view.terminated then return false end
  if #words == 0 then return true end
  local all = { session.id, session.name or "", session.directory, session.currentTask or "", session.model or "" }
  local searched = table.concat(all, "\n"):lower()
  for _, word in ipairs(words) do
    if not searched:find(word, 1, true) then return false end
  end
  return true
end

---@param session areyouj.Session
---@param column areyouj.Column
---@return string|number
local function sort_key(session, column)
  if column == "status" then return URGENCY[session.status] or 6 end
  if column == "name" then return (session.name or session.id):lower() end
  if column == "project" then return session.directory:lower() end
  if column == "started" then return session.createdAt end
  if column == "task" then return (session.currentTask or ""):lower() end
  if column == "model" then return (session.model or ""):lower() end
  if column == "context" then return text.context(session) or -1 end
  if column == "cost" then return session.costUsd end
  return session.queued
end

---The sessions that pass the filters, sorted.
---@param sessions areyouj.Session[]
---@param view areyouj.View
---@return areyouj.Session[]
function M.arrange(sessions, view)
  local words = vim.split(vim.trim(view.words:lower()), "%s+", { trimempty = true })
  local shown = vim.tbl_filter(function(session) return passes(session, view, words) end, sessions)
  table.sort(shown, function(one, other)
    local left, right = sort_key(one, view.column), sort_key(other, view.column)
    if left ~= right then
      if view.descending then return left > right end
      return left < right
    end
    if one.createdAt ~= other.createdAt then return one.createdAt > other.createdAt end
    return one.id < other.id
  end)
  return shown
end

---@class areyouj.TableColumn
---@field name areyouj.Column
---@field head string
---@field min integer Minimal width, in screen columns.
---@field grow integer Its share of the remaining width.
---@field rank integer Columns with the highest rank are left out first.
---@field right? boolean Aligned to the right.

---@type areyouj.TableColumn[]
local COLUMNS = {
  { name = "status", head = "Status", min = 12, grow = 0, rank = 1 },
  { name = "name", head = "Session", min = 20, grow = 2, rank = 1 },
  { name = "project", head = "Project", min = 16, grow = 3, rank = 3 },
  { name = "started", head = "Started", min = 9, grow = 0, rank = 4 },
  { name = "task", head = "Current task", min = 16, grow = 5, rank = 2 },
  { name = "queued", head = "Queue", min = 5, grow = 0, rank = 5, right = true },
  { name = "context", head = "Context", min = 7, grow = 0, rank = 6, right = true },
  { name = "cost", head = "Cost", min = 7, grow = 0, rank = 7, right = true },
  { name = "model", head = "Model", min = 14, grow = 1, rank = 8 },
}
local GAP = 2

---@class areyouj.Layout
---@field column areyouj.TableColumn
---@field width integer
---@field start integer The first screen column, from 0.

---The columns that fit into a width, and their widths.
---@param width integer
---@return areyouj.Layout[]
function M.layout(width)
  local chosen = vim.deepcopy(COLUMNS)
  local function needed()
    local sum = 1
    for _, column in ipairs(chosen) do
      sum = sum + column.min + GAP
    end
    return sum
  end
  while needed() > width and #chosen > 2 do
    local worst = 1
    for place, column in ipairs(chosen) do
      if column.rank > chosen[worst].rank then worst = place end
    end
    table.remove(chosen, worst)
  end
  local left, shares = math.max(0, width - needed()), 0
  for _, column in ipairs(chosen) do
    shares = shares + column.grow
  end
  local start, layout = 1, {}
  for _, column in ipairs(chosen) do
    local grown = column.min + (shares > 0 and math.floor(left * column.grow / shares) or 0)
    table.insert(layout, { column = column, width = grown, start = start })
    start = start + grown + GAP
  end
  return layout
end

---Truncates a path at its start, because its end is more specific.
---@param path string
---@param width integer
---@return string
local function path_fit(path, width)
  if vim.fn.strdisplaywidth(path) <= width then return path end
  local cut = vim.fn.strchars(path) - width + 1
  return "…" .. vim.fn.strcharpart(path, cut)
end

---@param session areyouj.Session
---@param column areyouj.Column
---@param width integer
---@param now integer
---@param icons boolean
---@return string words
---@return string? group
local function cell(session, column, width, now, icons)
  local ended = session.status == "terminated" and "AreYouJTerminated" or nil
  if column == "status" then
    local style = status.of(session.status)
    return (icons and style.icon or style.ascii) .. " " .. style.word, style.group
  elseif column == "name" then
    local mark = session.driver == "terminal" and (icons and " ▣" or " #") or ""
    mark = mark .. (session.unread > 0 and (icons and " •" or " +") or "")
    -- AreYouJ refused something to a process inside the session, and no person has read it.
    local refused = session.refusals and session.refusals.unread
    mark = mark .. (refused and (icons and " ⛨" or " !") or "")
    local words = session.name and text.plain(session.name, width) .. "  " .. session.id or session.id
    if session.name and vim.fn.strdisplaywidth(words .. mark) > width then words = text.plain(session.name, width) end
    return text.fit(words, width - vim.fn.strdisplaywidth(mark)) .. mark,
      refused and "AreYouJError" or ended or "AreYouJId"
  elseif column == "project" then
    return path_fit(text.exact_line(text.path(session.directory)), width), ended or "AreYouJPath"
  elseif column == "started" then
    return text.ago(session.createdAt, now), "AreYouJDim"
  elseif column == "task" then
    local task = text.plain(session.currentTask or "", width)
    return task ~= "" and task or "No active task", (ended or task == "") and "AreYouJDim" or nil
  elseif column == "queued" then
    return session.queued > 0 and tostring(session.queued) or "", "AreYouJWaiting"
  elseif column == "context" then
    local percent = text.context(session)
    return percent and percent .. "%" or "–", "AreYouJDim"
  elseif column == "cost" then
    -- Claude does not report the cost of a terminal session.
    local unknown = session.driver == "terminal" and session.costUsd == 0
    return unknown and "–" or text.cost(session.costUsd), "AreYouJDim"
  end
  local model = text.plain(session.model or "", width)
  return model ~= "" and model or "–", "AreYouJDim"
end

---Adds the header of the table.
---@param layout areyouj.Layout[]
---@param view areyouj.View
---@param built areyouj.StyledLines
---@param icons boolean
function M.head(layout, view, built, icons)
  local pieces = { " " }
  for _, one in ipairs(layout) do
    local arrow = ""
    if one.column.name == view.column then
      arrow = icons and (view.descending and " ↓" or " ↑") or (view.descending and " v" or " ^")
    end
    table.insert(pieces, { text.pad(one.column.head .. arrow, one.width, one.column.right), "AreYouJHeader" })
    table.insert(pieces, (" "):rep(GAP))
  end
  built:add(unpack(pieces))
end

---Adds one row of the table.
---@param session areyouj.Session
---@param layout areyouj.Layout[]
---@param built areyouj.StyledLines
---@param now integer
---@param icons boolean
function M.row(session, layout, built, now, icons)
  local pieces = { " " }
  for _, one in ipairs(layout) do
    local words, group = cell(session, one.column.name, one.width, now, icons)
    table.insert(pieces, { text.pad(words, one.width, one.column.right), group })
    table.insert(pieces, (" "):rep(GAP))
  end
  built:add(unpack(pieces))
end

---The column at a screen column of a line.
---@param layout areyouj.Layout[]
---@param place integer From 0.
---@return areyouj.Column?
function M.column_at(layout, place)
  for _, one in ipairs(layout) do
    if place >= one.start and place < one.start + one.width + GAP then return one.column.name end
  end
end

---The column next to another one.
---@param layout areyouj.Layout[]
---@param column areyouj.Column
---@param step 1|-1
---@return areyouj.Column
function M.neighbour(layout, column, step)
  for place, one in ipairs(layout) do
    if one.column.name == column then return layout[(place - 1 + step) % #layout + 1].column.name end
  end
  return layout[1].column.name
end

return M
