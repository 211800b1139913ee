---Builds lines with highlights, one after the other.

---@class areyouj.StyledLines
---@field lines string[]
---@field marks areyouj.Mark[]
local StyledLines = {}
StyledLines.__index = StyledLines

---@return areyouj.StyledLines
local function new() return setmetatable({ lines = {}, marks = {} }, StyledLines) end

---@alias areyouj.Piece string|{ [1]: string, [2]: string? } A text, or a text with its highlight group.

---Adds a line of pieces.
---@param ... areyouj.Piece
---@return areyouj.StyledLines
function StyledLines:add(...) return self:row({ ... }) end

---Adds a line of a list of pieces.
---@param pieces areyouj.Piece[]
---@return areyouj.StyledLines
function StyledLines:row(pieces)
  local row, column, texts = #self.lines, 0, {}
  for _, piece in ipairs(pieces) do
    local words = type(piece) == "table" and piece[1] or piece --[[@as string]]
    local group = type(piece) == "table" and piece[2] or nil
    texts[#texts + 1] = words
    if group and words ~= "" then
      self.marks[#self.marks + 1] = { row = row, col = column, end_col = column + #words, group = group }
    end
    column = column + #words
  end
  self.lines[row + 1] = table.concat(texts)
  return self
end

---Adds lines with the same indentation and highlight group.
---@param lines string[]
---@param indent? string
---@param group? string
---@return areyouj.StyledLines
function StyledLines:all(lines, indent, group)
  for _, line in ipairs(lines) do
    self:add(indent or "", { line, group })
  end
  return self
end

---Adds lines with their marks.
---@param lines string[]
---@param marks areyouj.Mark[]
---@param indent? string
---@return areyouj.StyledLines
function StyledLines:with(lines, marks, indent)
  local first, shift = #self.lines, #(indent or "")
  for _, mark in ipairs(marks) do
    self.marks[#self.marks + 1] =
      { row = first + mark.row, col = shift + mark.col, end_col = shift + mark.end_col, group = mark.group }
  end
  for _, line in ipairs(lines) do
    self.lines[#self.lines + 1] = (indent or "") .. line
  end
  return self
end

---Applies marks to a buffer.
---@param buffer integer
---@param namespace integer
---@param first integer The row of the first line.
---@param marks areyouj.Mark[]
local function highlight(buffer, namespace, first, marks)
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(buffer, namespace, first + mark.row, mark.col, {
      end_col = mark.end_col,
      hl_group = mark.group,
      strict = false,
    })
  end
end

return { new = new, highlight = highlight }
