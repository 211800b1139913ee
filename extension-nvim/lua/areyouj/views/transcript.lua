---The lines of a transcript in a buffer: a header line, the blocks of entries, partial output, and a footer. It writes only
---changed lines. Windows keep their scroll position, and a window at the end follows the end.
local Blocks = require("areyouj.views.transcript.blocks")
local Folds = require("areyouj.views.transcript.folds")
local Live = require("areyouj.views.transcript.live")
local block_view = require("areyouj.views.transcript.block")
local styled_lines = require("areyouj.views.styled_lines")
local scroll = require("areyouj.views.transcript.scroll")
local text = require("areyouj.text")

---Upper bound on the blocks. New entries beyond it drop the oldest blocks, which can be fetched again as older pages.
local MAX_BLOCKS = 20000
---How many blocks are dropped at once, so that it happens rarely.
local DROPPED = 5000

---Marks of blocks; the id of a mark is the number of the entry.
local blocks_ns = vim.api.nvim_create_namespace("areyouj.views.transcript.blocks")
local marks_ns = vim.api.nvim_create_namespace("areyouj.marks")

---@class areyouj.Transcript
---@field buffer integer
---@field more boolean Whether older entries can be fetched.
---@field oldest integer? The number of the oldest entry displayed.
---@field levels string[] Values of `foldexpr`, by line from 1.
---@field private context areyouj.BlockContext
---@field private blocks areyouj.Blocks
---@field private changing boolean
---@field folds areyouj.Folds
---@field private footer_height integer
---@field private live areyouj.Live
local Transcript = {}
Transcript.__index = Transcript

---@type table<integer, areyouj.Transcript>
local by_buffer = {}

---@param buffer integer
---@param context areyouj.BlockContext
---@return areyouj.Transcript
local function new(buffer, context)
  local self =
    setmetatable({ buffer = buffer, context = context, footer_height = 0, levels = {}, changing = false }, Transcript)
  by_buffer[buffer] = self
  self:clear()
  return self
end

---The value of `foldexpr` for the current line.
---@return string
local function foldexpr()
  local transcript = by_buffer[vim.api.nvim_get_current_buf()]
  return transcript and transcript.levels[vim.v.lnum] or "0"
end

---@private
function Transcript:clear()
  self.blocks, self.oldest, self.more = Blocks.new(), nil, false
  self.live = Live.new()
  self.folds = Folds.new(
    self.buffer,
    function(block) return self.blocks.by_seq[block.entry.seq] and self:row(block) end
  )
  vim.api.nvim_buf_clear_namespace(self.buffer, blocks_ns, 0, -1)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, 0, -1)
  self.footer_height, self.levels = 0, {}
  self:set_lines(0, -1, { "" }, { "0" })
end

---Replaces lines and their fold levels. The levels come first, because Neovim evaluates `foldexpr` during the change.
---@private
---@param first integer From 0.
---@param last integer Exclusive; -1 is the end.
---@param lines string[]
---@param levels string[]
function Transcript:set_lines(first, last, lines, levels)
  local all = self.levels
  local before = #all
  local stop = last == -1 and before or last
  local grown = #lines - (stop - first)
  if grown > 0 then
    for index = before, stop + 1, -1 do
      all[index + grown] = all[index]
    end
  elseif grown < 0 then
    for index = stop + 1, before do
      all[index + grown] = all[index]
    end
    for index = before, before + grown + 1, -1 do
      all[index] = nil
    end
  end
  for index, level in ipairs(levels) do
    all[first + index] = level
  end
  local options = vim.bo[self.buffer]
  options.modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, first, last, false, lines)
  options.modifiable = false
end

---The row after the last block.
---@private
---@return integer
function Transcript:tail() return #self.levels - self.footer_height - self.live.height end

---@private
---@param block areyouj.Block
---@return integer
function Transcript:row(block) return vim.api.nvim_buf_get_extmark_by_id(self.buffer, blocks_ns, block.entry.seq, {})[1] end

---Changes lines and keeps the scroll position of the windows.
---@private
---@param change fun()
---@param above? boolean
function Transcript:keep_scroll(change, above)
  if self.changing then return change() end
  self.changing = true
  local ok, problem = pcall(scroll.keep, self.buffer, function() return #self.levels end, change, above)
  self.changing = false
  if not ok then error(problem, 0) end
end

---@param rendered areyouj.RenderedBlock
---@return string[]
local function levels_of(rendered)
  local levels = {}
  for row = 1, #rendered.lines do
    levels[row] = not rendered.fold and "0" or row == 1 and ">1" or "1"
  end
  return levels
end

---Marks a written block.
---@private
---@param block areyouj.Block
---@param rendered areyouj.RenderedBlock
---@param row integer
function Transcript:mark(block, rendered, row)
  block.height, block.fold = #rendered.lines, rendered.fold
  vim.api.nvim_buf_set_extmark(self.buffer, blocks_ns, row, 0, { id = block.entry.seq })
  styled_lines.highlight(self.buffer, marks_ns, row, rendered.marks)
  if rendered.user then
    vim.api.nvim_buf_set_extmark(self.buffer, marks_ns, row + 1, 0, {
      end_row = row + #rendered.lines,
      end_col = 0,
      hl_group = "AreYouJUser",
      hl_eol = true,
      strict = false,
      virt_text = {
        {
          os.date(" %H:%M", math.floor(block.entry.at / 1000)) --[[@as string]],
          "AreYouJDim",
        },
      },
      virt_text_pos = "eol",
      hl_mode = "combine",
    })
  end
end

---Writes consecutive blocks that are not in the buffer yet.
---@private
---@param first areyouj.Block
function Transcript:draw(first)
  local lines, levels, rendered_blocks = {}, {}, {}
  local block = first ---@type areyouj.Block?
  while block and not block.height do
    local rendered = block_view.render(block, self.context)
    block.height = #rendered.lines
    table.insert(rendered_blocks, { block, rendered })
    vim.list_extend(lines, rendered.lines)
    vim.list_extend(levels, levels_of(rendered))
    block = block.next
  end
  local row = block and self:row(block) or self:tail()
  -- At the end, entries replace the partial output.
  local over = block and 0 or self.live.height
  if over > 0 then
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + over)
    self.live = Live.new()
  end
  self:set_lines(row, row + over, lines, levels)
  local folds = {}
  for _, pair in ipairs(rendered_blocks) do
    self:mark(pair[1], pair[2], row)
    row = row + pair[1].height
    if pair[2].fold then table.insert(folds, { block = pair[1], open = pair[2].open }) end
  end
  self.folds:add(folds)
end

---Writes a block again.
---@private
---@param block areyouj.Block
function Transcript:redraw(block)
  if not block.height then return end
  local folded = block.fold
  local rendered, row = block_view.render(block, self.context), self:row(block)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + (block.height or 0))
  self:set_lines(row, row + (block.height or 0), rendered.lines, levels_of(rendered))
  self:mark(block, rendered, row)
  if rendered.fold and not folded then self.folds:add({ { block = block, open = rendered.open } }) end
end

---@private
---@param block areyouj.Block
function Transcript:remove(block)
  local row = self:row(block)
  vim.api.nvim_buf_del_extmark(self.buffer, blocks_ns, block.entry.seq)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + (block.height or 0))
  self:set_lines(row, row + (block.height or 0), {}, {})
  self.blocks:unlink(block)
end

---Adds entries, and writes new and changed blocks.
---@private
---@param entries areyouj.TranscriptEntry[]
---@param older boolean Whether they precede the entries displayed.
function Transcript:add(entries, older)
  local blocks, fresh, changed = self.blocks, {}, {}
  local anchor = nil ---@type areyouj.Block? The last of the older blocks outside subagents.
  for _, entry in ipairs(entries) do
    local orphan = older and blocks:orphan(entry)
    if orphan then self:remove(orphan) end
    local previous = blocks.last
    if older then previous = anchor and (anchor.last or anchor) end
    local block, other
    if block_view.known(entry) then
      block, other = blocks:add(entry, previous)
    end
    if block then
      table.insert(fresh, block)
      if not block.parent then anchor = block end
    elseif other then
      changed[other] = true
    end
  end
  for _, block in ipairs(fresh) do
    if not block.height then self:draw(block) end
  end
  for block in pairs(changed) do
    self:redraw(block)
  end
end

---Replaces everything by the end of a transcript.
---@param entries areyouj.TranscriptEntry[]
---@param more boolean
function Transcript:reset(entries, more)
  self:clear()
  self.more = more
  self.oldest = entries[1] and entries[1].seq
  self:add(entries, false)
  self:write_header()
end

---Adds newer entries, which replace the partial output.
---@param entries areyouj.TranscriptEntry[]
function Transcript:append(entries)
  self.oldest = self.oldest or (entries[1] and entries[1].seq)
  self:keep_scroll(function()
    self:add(entries, false)
    self:clear_live()
    if self.blocks.count > MAX_BLOCKS then self:drop() end
  end)
end

---Adds a page of older entries.
---@param entries areyouj.TranscriptEntry[]
---@param more boolean
function Transcript:prepend(entries, more)
  self:keep_scroll(function()
    self.more = more
    self.oldest = entries[1] and entries[1].seq or self.oldest
    self:add(entries, true)
    self:write_header()
  end, true)
end

---Drops the oldest blocks.
---@private
function Transcript:drop()
  local block = self.blocks.first
  for _ = 1, DROPPED do
    block = block and block.next
  end
  -- Keeps a subagent with its call.
  while block and block.parent do
    block = block.next
  end
  if not block then return end
  local row = self:row(block)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, 1, row)
  vim.api.nvim_buf_clear_namespace(self.buffer, blocks_ns, 1, row)
  self:set_lines(1, row, {}, {})
  self.blocks:remove_before(block)
  self.more, self.oldest = true, block.entry.seq
  self:write_header()
end

---Writes the first line: a hint about older entries, or the directory of the session.
function Transcript:write_header()
  local above = self.context.icons and "↑ " or ""
  local line = self.more and above .. "Scroll here to load older entries"
    or text.exact_line(text.path(self.context.directory))
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, 0, 1)
  self:set_lines(0, 1, { line }, { "0" })
  vim.api.nvim_buf_set_extmark(
    self.buffer,
    marks_ns,
    0,
    0,
    { end_col = #line, hl_group = "AreYouJDim", strict = false }
  )
end

---Adds partial output, which `flush` writes.
---@param delta areyouj.Delta
function Transcript:add_delta(delta) self.live:add(delta) end

---Writes the partial output added since the last call.
function Transcript:flush()
  if not self.live:pending() then return end
  self:keep_scroll(function()
    local row = self:tail() + self.live.height
    local change = self.live:flush()
    local first = row - change.replaced
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, first, row)
    local levels = {}
    for index = 1, #change.lines do
      levels[index] = "0"
    end
    self:set_lines(first, row, change.lines, levels)
    styled_lines.highlight(self.buffer, marks_ns, first, change.marks)
  end)
end

---@private
function Transcript:clear_live()
  if self.live.height > 0 then
    local row = self:tail()
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + self.live.height)
    self:set_lines(row, row + self.live.height, {}, {})
  end
  self.live = Live.new()
end

---Removes partial output that no entry replaced.
function Transcript:discard_live()
  if self.live.height > 0 or self.live:pending() then self:keep_scroll(function() self:clear_live() end) end
end

---Replaces the footer.
---@param footer areyouj.StyledLines
function Transcript:set_footer(footer)
  self:keep_scroll(function()
    local row = #self.levels - self.footer_height
    local levels = {}
    for index = 1, #footer.lines do
      levels[index] = "0"
    end
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, -1)
    self:set_lines(row, row + self.footer_height, footer.lines, levels)
    self.footer_height = #footer.lines
    styled_lines.highlight(self.buffer, marks_ns, row, footer.marks)
  end)
end

---Sets whether the session is active, which decides whether calls without a result are running.
---@param working boolean
function Transcript:set_working(working)
  if self.context.working == working then return end
  self.context.working = working
  self:keep_scroll(function()
    for block in pairs(self.blocks.running) do
      self:redraw(block)
    end
  end)
end

---Redraws permission requests that opened or ended.
function Transcript:update_requests()
  self:keep_scroll(function()
    for id, block in pairs(self.blocks.requests) do
      local open = self.context.permission(id) ~= nil
      if not block.ending and open ~= block.open then self:redraw(block) end
    end
  end)
end

---The block at a row, if there is one.
---@param row integer From 0.
---@return areyouj.Block?
function Transcript:block_at(row)
  local mark = vim.api.nvim_buf_get_extmarks(self.buffer, blocks_ns, { row, -1 }, 0, { limit = 1 })[1]
  local block = mark and self.blocks.by_seq[mark[1]]
  return block and row < mark[2] + (block.height or 0) and block or nil
end

---The row of the next message of a person, or of the previous one.
---@param row integer
---@param step 1|-1
---@return integer?
function Transcript:next_message(row, step)
  local marks = step == 1 and vim.api.nvim_buf_get_extmarks(self.buffer, blocks_ns, { row + 1, 0 }, -1, {})
    or vim.api.nvim_buf_get_extmarks(self.buffer, blocks_ns, { math.max(0, row - 1), -1 }, 0, {})
  for _, mark in ipairs(marks) do
    local place = mark[2] + 1
    local beyond = step == 1 and place > row or step == -1 and place < row
    if beyond and self.blocks.by_seq[mark[1]].entry.body.kind == "user" then return place end
  end
end

function Transcript:close() by_buffer[self.buffer] = nil end

return { new = new, foldexpr = foldexpr }
