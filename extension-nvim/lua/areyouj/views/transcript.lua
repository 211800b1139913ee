---The lines of a transcript in a buffer: a head of one line, the blocks of entries, what is being said right now, and a
---foot. Only what changes is written; readers stay where they are, and whoever is at the end stays at the end.
local Blocks = require("areyouj.views.transcript.blocks")
local Folds = require("areyouj.views.transcript.folds")
local Live = require("areyouj.views.transcript.live")
local block_look = require("areyouj.views.transcript.block")
local page = require("areyouj.views.styled_lines")
local readers = require("areyouj.views.transcript.scroll")
local text = require("areyouj.text")

---Beyond so many blocks the oldest are dropped while new ones come; they can be read again as older pages.
local MAX_BLOCKS = 20000
---So many are dropped at once, so that it is done seldom.
local DROPPED = 5000

---Positions of blocks, by the number of their entry.
local blocks_ns = vim.api.nvim_create_namespace("areyouj.views.transcript.blocks")
local marks_ns = vim.api.nvim_create_namespace("areyouj.marks")

---@class areyouj.Transcript
---@field buffer integer
---@field more boolean Whether there are older entries than those here.
---@field oldest integer? The number of the oldest entry here.
---@field levels string[] What `foldexpr` says, by line from 1.
---@field private context areyouj.BlockContext
---@field private blocks areyouj.Blocks
---@field private changing boolean
---@field folds areyouj.Folds
---@field private foot integer Lines of the foot.
---@field private live areyouj.Live
local Transcript = {}
Transcript.__index = Transcript

---@type table<integer, areyouj.Transcript>
local by_buffer = {}

---@param buffer integer
---@param context areyouj.BlockContext
---@return areyouj.Transcript
local function new(buffer, context)
  local self = setmetatable({ buffer = buffer, context = context, foot = 0, levels = {}, changing = false }, Transcript)
  by_buffer[buffer] = self
  self:clear()
  return self
end

---What `foldexpr` says about a line.
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
  self.foot, self.levels = 0, {}
  self:set(0, -1, { "" }, { "0" })
end

---Replaces lines, and what `foldexpr` says about them; that first, because it is asked meanwhile.
---@private
---@param first integer From 0.
---@param last integer Exclusive; -1 is the end.
---@param lines string[]
---@param levels string[]
function Transcript:set(first, last, lines, levels)
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

---The row behind the last block.
---@private
---@return integer
function Transcript:tail() return #self.levels - self.foot - self.live.height end

---@private
---@param block areyouj.Block
---@return integer
function Transcript:row(block) return vim.api.nvim_buf_get_extmark_by_id(self.buffer, blocks_ns, block.entry.seq, {})[1] end

---Changes lines while readers stay where they are.
---@private
---@param change fun()
---@param above? boolean
function Transcript:keeping(change, above)
  if self.changing then return change() end
  self.changing = true
  local ok, problem = pcall(readers.keeping, self.buffer, function() return #self.levels end, change, above)
  self.changing = false
  if not ok then error(problem, 0) end
end

---@param look areyouj.Look
---@return string[]
local function levels_of(look)
  local levels = {}
  for row = 1, #look.lines do
    levels[row] = not look.fold and "0" or row == 1 and ">1" or "1"
  end
  return levels
end

---Marks a block that was written.
---@private
---@param block areyouj.Block
---@param look areyouj.Look
---@param row integer
function Transcript:mark(block, look, row)
  block.height, block.fold = #look.lines, look.fold
  vim.api.nvim_buf_set_extmark(self.buffer, blocks_ns, row, 0, { id = block.entry.seq })
  page.highlight(self.buffer, marks_ns, row, look.marks)
  if look.user then
    vim.api.nvim_buf_set_extmark(self.buffer, marks_ns, row + 1, 0, {
      end_row = row + #look.lines,
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

---Writes a run of blocks that follow each other and are not in the buffer yet.
---@private
---@param first areyouj.Block
function Transcript:draw(first)
  local lines, levels, looks = {}, {}, {}
  local block = first ---@type areyouj.Block?
  while block and not block.height do
    local look = block_look.look(block, self.context)
    block.height = #look.lines
    table.insert(looks, { block, look })
    vim.list_extend(lines, look.lines)
    vim.list_extend(levels, levels_of(look))
    block = block.next
  end
  local row = block and self:row(block) or self:tail()
  -- At the end what is written takes the place of what was being said.
  local over = block and 0 or self.live.height
  if over > 0 then
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + over)
    self.live = Live.new()
  end
  self:set(row, row + over, lines, levels)
  local folds = {}
  for _, pair in ipairs(looks) do
    self:mark(pair[1], pair[2], row)
    row = row + pair[1].height
    if pair[2].fold then table.insert(folds, { block = pair[1], open = pair[2].open }) end
  end
  self.folds:add(folds)
end

---Writes a block anew.
---@private
---@param block areyouj.Block
function Transcript:redraw(block)
  if not block.height then return end
  local folded = block.fold
  local look, row = block_look.look(block, self.context), self:row(block)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + (block.height or 0))
  self:set(row, row + (block.height or 0), look.lines, levels_of(look))
  self:mark(block, look, row)
  if look.fold and not folded then self.folds:add({ { block = block, open = look.open } }) end
end

---@private
---@param block areyouj.Block
function Transcript:remove(block)
  local row = self:row(block)
  vim.api.nvim_buf_del_extmark(self.buffer, blocks_ns, block.entry.seq)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + (block.height or 0))
  self:set(row, row + (block.height or 0), {}, {})
  self.blocks:unlink(block)
end

---Places entries and writes what is new and what changed by them.
---@private
---@param entries areyouj.TranscriptEntry[]
---@param older boolean They come before those that are here.
function Transcript:put(entries, older)
  local blocks, fresh, changed = self.blocks, {}, {}
  local anchor = nil ---@type areyouj.Block? The last of the older ones that is no subagent's.
  for _, entry in ipairs(entries) do
    local orphan = older and blocks:orphan(entry)
    if orphan then self:remove(orphan) end
    local previous = blocks.last
    if older then previous = anchor and (anchor.last or anchor) end
    local block, other
    if block_look.known(entry) then
      block, other = blocks:place(entry, previous)
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

---Begins anew with the end of a transcript.
---@param entries areyouj.TranscriptEntry[]
---@param more boolean
function Transcript:reset(entries, more)
  self:clear()
  self.more = more
  self.oldest = entries[1] and entries[1].seq
  self:put(entries, false)
  self:head()
end

---Adds entries that follow. They take the place of what was being said.
---@param entries areyouj.TranscriptEntry[]
function Transcript:append(entries)
  self.oldest = self.oldest or (entries[1] and entries[1].seq)
  self:keeping(function()
    self:put(entries, false)
    self:unsay()
    if self.blocks.count > MAX_BLOCKS then self:drop() end
  end)
end

---Adds a page of entries that come before.
---@param entries areyouj.TranscriptEntry[]
---@param more boolean
function Transcript:prepend(entries, more)
  self:keeping(function()
    self.more = more
    self.oldest = entries[1] and entries[1].seq or self.oldest
    self:put(entries, true)
    self:head()
  end, true)
end

---Drops the oldest blocks.
---@private
function Transcript:drop()
  local block = self.blocks.first
  for _ = 1, DROPPED do
    block = block and block.next
  end
  -- Not between a call and its subagent.
  while block and block.parent do
    block = block.next
  end
  if not block then return end
  local row = self:row(block)
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, 1, row)
  vim.api.nvim_buf_clear_namespace(self.buffer, blocks_ns, 1, row)
  self:set(1, row, {}, {})
  self.blocks:forget_before(block)
  self.more, self.oldest = true, block.entry.seq
  self:head()
end

---Writes the first line: that there is more, or where the session is.
function Transcript:head()
  local above = self.context.icons and "↑ " or ""
  local line = self.more and above .. "Older entries come when you scroll here"
    or text.exact_line(text.path(self.context.directory))
  vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, 0, 1)
  self:set(0, 1, { line }, { "0" })
  vim.api.nvim_buf_set_extmark(
    self.buffer,
    marks_ns,
    0,
    0,
    { end_col = #line, hl_group = "AreYouJDim", strict = false }
  )
end

---Takes what is being said.
---@param delta areyouj.Delta
function Transcript:say(delta) self.live:take(delta) end

---Writes what was said since the last time.
function Transcript:flush()
  if not self.live:pending() then return end
  self:keeping(function()
    local row = self:tail() + self.live.height
    local change = self.live:flush()
    local first = row - change.kept
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, first, row)
    local levels = {}
    for index = 1, #change.lines do
      levels[index] = "0"
    end
    self:set(first, row, change.lines, levels)
    page.highlight(self.buffer, marks_ns, first, change.marks)
  end)
end

---@private
function Transcript:unsay()
  if self.live.height > 0 then
    local row = self:tail()
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, row + self.live.height)
    self:set(row, row + self.live.height, {}, {})
  end
  self.live = Live.new()
end

---Ends what was being said without an entry that holds it.
function Transcript:hush()
  if self.live.height > 0 or self.live:pending() then self:keeping(function() self:unsay() end) end
end

---Replaces the foot.
---@param foot areyouj.Page
function Transcript:footer(foot)
  self:keeping(function()
    local row = #self.levels - self.foot
    local levels = {}
    for index = 1, #foot.lines do
      levels[index] = "0"
    end
    vim.api.nvim_buf_clear_namespace(self.buffer, marks_ns, row, -1)
    self:set(row, row + self.foot, foot.lines, levels)
    self.foot = #foot.lines
    page.highlight(self.buffer, marks_ns, row, foot.marks)
  end)
end

---Whether Claude works now: calls without a result run, or do not.
---@param working boolean
function Transcript:working(working)
  if self.context.working == working then return end
  self.context.working = working
  self:keeping(function()
    for block in pairs(self.blocks.running) do
      self:redraw(block)
    end
  end)
end

---Prompts were opened or ended.
function Transcript:prompts_changed()
  self:keeping(function()
    for id, block in pairs(self.blocks.prompts) do
      local open = self.context.permission(id) ~= nil
      if not block.ending and open ~= block.open then self:redraw(block) end
    end
  end)
end

---The block at a row, if there is one.
---@param row integer From 0.
---@return areyouj.Block?
function Transcript:at(row)
  local mark = vim.api.nvim_buf_get_extmarks(self.buffer, blocks_ns, { row, -1 }, 0, { limit = 1 })[1]
  local block = mark and self.blocks.by_seq[mark[1]]
  return block and row < mark[2] + (block.height or 0) and block or nil
end

---The row of the next block of a person, or the previous one.
---@param row integer
---@param step 1|-1
---@return integer?
function Transcript:person(row, step)
  local marks = step == 1 and vim.api.nvim_buf_get_extmarks(self.buffer, blocks_ns, { row + 1, 0 }, -1, {})
    or vim.api.nvim_buf_get_extmarks(self.buffer, blocks_ns, { math.max(0, row - 1), -1 }, 0, {})
  for _, mark in ipairs(marks) do
    local place = mark[2] + 1
    local further = step == 1 and place > row or step == -1 and place < row
    if further and self.blocks.by_seq[mark[1]].entry.body.kind == "user" then return place end
  end
end

function Transcript:close() by_buffer[self.buffer] = nil end

return { new = new, foldexpr = foldexpr }
