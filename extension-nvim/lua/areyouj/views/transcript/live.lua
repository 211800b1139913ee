---What Claude is saying right now, as lines at the end of a transcript: pieces are collected, and only the last line and
---what follows it are written.
local markdown = require("areyouj.markdown")
local text = require("areyouj.text")

---So much is shown while it is being said, in bytes; the finished entry has all of it.
local MAX_SHOWN = 200000

---@class areyouj.Live
---@field height integer Its lines in the buffer.
---@field private pieces areyouj.Delta[]
---@field private thinking boolean?
---@field private state areyouj.MarkdownState As it is before the last line.
---@field private last string The last line, as written.
---@field private shown integer
local Live = {}
Live.__index = Live

---@return areyouj.Live
local function new()
  return setmetatable({ height = 0, pieces = {}, thinking = nil, state = {}, last = "", shown = 0 }, Live)
end

---@param delta areyouj.Delta
function Live:take(delta)
  if self.shown > MAX_SHOWN then return end
  self.shown = self.shown + #delta.text
  table.insert(self.pieces, delta)
end

---@return boolean
function Live:pending() return #self.pieces > 0 end

---What is to be written.
---@return { kept: integer, lines: string[], marks: areyouj.Mark[] } change `kept`: lines at the end that are replaced.
function Live:flush()
  local lines, marks = {}, {}
  local kept = self.height > 0 and 1 or 0
  if kept == 1 then lines[1] = self.last end
  for _, piece in ipairs(self.pieces) do
    if piece.thinking ~= self.thinking then
      self.thinking = piece.thinking
      self.state = {}
      if piece.thinking then
        table.insert(lines, "∴ Thinking")
        table.insert(lines, "  ")
      else
        table.insert(lines, "")
        table.insert(lines, "")
      end
    end
    local parts = vim.split(text.clean(piece.text), "\n", { plain = true })
    lines[#lines] = lines[#lines] .. parts[1]
    for index = 2, #parts do
      table.insert(lines, (piece.thinking and "  " or "") .. parts[index])
    end
  end
  self.pieces = {}
  if self.thinking then
    for index, line in ipairs(lines) do
      table.insert(marks, { row = index - 1, col = 0, end_col = #line, group = "AreYouJThinking" })
    end
  else
    local whole = vim.list_slice(lines, 1, #lines - 1)
    marks = markdown.marks(whole, self.state)
    -- The last line may go on; it is looked at again then.
    for _, mark in ipairs(markdown.marks({ lines[#lines] or "" }, { fence = self.state.fence })) do
      mark.row = #lines - 1
      table.insert(marks, mark)
    end
  end
  self.last = lines[#lines] or ""
  self.height = self.height - kept + #lines
  return { kept = kept, lines = lines, marks = marks }
end

return { new = new }
