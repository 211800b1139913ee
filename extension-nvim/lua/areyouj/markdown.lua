---Finds Markdown in lines of text, for highlighting. Cheap enough to run on every line as it streams.
local M = {}

---@class areyouj.Mark
---@field row integer From 0, relative to the first line.
---@field col integer
---@field end_col integer
---@field group string

---State of the lines before.
---@class areyouj.MarkdownState
---@field fence? string The fence of the open code block.

---Longer lines, in bytes, are not highlighted: patterns on them are slow.
local MAX_LINE = 2000

---@param line string
---@param row integer
---@param marks areyouj.Mark[]
local function inline(line, row, marks)
  local function each(pattern, group)
    local from = 1 ---@type integer
    while true do
      local first, last = line:find(pattern, from)
      if not first or not last then return end
      marks[#marks + 1] = { row = row, col = first - 1, end_col = last, group = group }
      from = last + 1
    end
  end
  if line:find("`", 1, true) then each("`[^`]+`", "AreYouJCode") end
  if line:find("**", 1, true) then each("%*%*[^*%s][^*]-%*%*", "AreYouJBold") end
  if line:find("](", 1, true) then each("%[[^%]]+%]%([^)]+%)", "AreYouJLink") end
end

---Marks a line outside code blocks.
---@param line string
---@param row integer
---@param marks areyouj.Mark[]
local function plain(line, row, marks)
  local function whole(group) marks[#marks + 1] = { row = row, col = 0, end_col = #line, group = group } end
  if line:match("^#+%s") then return whole("AreYouJHeading") end
  if line:match("^%s*>") then return whole("AreYouJQuote") end
  local _, bullet = line:find("^%s*[-*+]%s")
  if not bullet then
    _, bullet = line:find("^%s*%d+[.)]%s")
  end
  if bullet then marks[#marks + 1] = { row = row, col = 0, end_col = bullet, group = "AreYouJBullet" } end
  inline(line, row, marks)
end

---The marks of lines that follow the lines of a state.
---@param lines string[]
---@param state areyouj.MarkdownState Updated to the end of the lines.
---@return areyouj.Mark[]
function M.marks(lines, state)
  local marks = {}
  for index, line in ipairs(lines) do
    local row = index - 1
    local function whole(group) marks[#marks + 1] = { row = row, col = 0, end_col = #line, group = group } end
    local fence = line:match("^%s*(```+)") or line:match("^%s*(~~~+)")
    if state.fence then
      if fence and vim.startswith(fence, state.fence) and line:match("^%s*[`~]+%s*$") then
        state.fence = nil
        whole("AreYouJFence")
      else
        whole("AreYouJCode")
      end
    elseif fence then
      state.fence = fence
      whole("AreYouJFence")
    elseif #line <= MAX_LINE then
      plain(line, row, marks)
    end
  end
  return marks
end

return M
