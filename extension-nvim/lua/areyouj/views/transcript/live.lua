---The partial output of Claude as lines at the end of a transcript. It collects deltas and writes only the last line and
---the lines after it.
local markdown = require("areyouj.markdown")
local text = require("areyouj.text")

---Upper bound on the partial output displayed, in bytes; the finished entry has all of it.
local MAX_SHOWN = 200000

---@class areyouj.Live
---@field height integer The number of its lines in the buffer.
---@field private deltas areyouj.Delta[] Not written yet.
---@field private thinking boolean?
---@field private state areyouj.MarkdownState The state before the last line.
---@field private last string The last line written.
---@field private size integer In bytes.
local Live = {}
Live.__index = Live

---@return areyouj.Live
local function new()
  return setmetatable({ height = 0, deltas = {}, thinking = nil, state = {}, last = "", size = 0 }, Live)
end

---@param delta areyouj.Delta
function Live:add(delta)
  if self.size > MAX_SHOWN then return end
  self.size = self.size + #delta.text
  table.insert(self.deltas, delta)
end

---@return boolean
function Live:pending() return #self.deltas > 0 end

---The lines to write.
---@return { replaced: integer, lines: string[], marks: areyouj.Mark[] } change `replaced`: how many lines at the end.
function Live:flush()
  local lines, marks = {}, {}
  local replaced = self.height > 0 and 1 or 0
  if replaced == 1 then lines[1] = self.last end
  for _, delta in ipairs(self.deltas) do
    if delta.thinking ~= self.thinking then
      self.thinking = delta.thinking
      self.state = {}
      if delta.thinking then
        table.insert(lines, "∴ Thinking")
        table.insert(lines, "  ")
      else
        table.insert(lines, "")
        table.insert(lines, "")
      end
    end
    local parts = vim.split(text.clean(delta.text), "\n", { plain = true })
    lines[#lines] = lines[#lines] .. parts[1]
    for index = 2, #parts do
      table.insert(lines, (delta.thinking and "  " or "") .. parts[index])
    end
  end
  self.deltas = {}
  if self.thinking then
    for index, line in ipairs(lines) do
      table.insert(marks, { row = index - 1, col = 0, end_col = #line, group = "AreYouJThinking" })
    end
  else
    local whole = vim.list_slice(lines, 1, #lines - 1)
    marks = markdown.marks(whole, self.state)
    -- The last line can grow, so its marks must not change the state.
    for _, mark in ipairs(markdown.marks({ lines[#lines] or "" }, { fence = self.state.fence })) do
      mark.row = #lines - 1
      table.insert(marks, mark)
    end
  end
  self.last = lines[#lines] or ""
  self.height = self.height - replaced + #lines
  return { replaced = replaced, lines = lines, marks = marks }
end

return { new = new }
