---The blocks of a transcript in display order: results with their calls, ends with their permission requests, and
---subagents below the call that started them.

---@class areyouj.Blocks
---@field first? areyouj.Block
---@field last? areyouj.Block
---@field count integer
---@field by_seq table<integer, areyouj.Block>
---@field requests table<string, areyouj.Block> Permission requests by id.
---@field running table<areyouj.Block, true> Calls without a result.
---@field private calls table<string, areyouj.Block>
---@field private orphans table<string, areyouj.Block> Results and ends without their call or permission request.
local Blocks = {}
Blocks.__index = Blocks

---@return areyouj.Blocks
local function new()
  return setmetatable({ count = 0, by_seq = {}, requests = {}, running = {}, calls = {}, orphans = {} }, Blocks)
end

---@private
---@param block areyouj.Block
---@param previous? areyouj.Block Nil for the beginning.
function Blocks:link(block, previous)
  block.previous = previous
  block.next = previous and previous.next or (not previous and self.first or nil)
  if block.next then
    block.next.previous = block
  else
    self.last = block
  end
  if previous then
    previous.next = block
  else
    self.first = block
  end
  self.count = self.count + 1
end

---Removes a block.
---@param block areyouj.Block
function Blocks:unlink(block)
  if block.previous then
    block.previous.next = block.next
  else
    self.first = block.next
  end
  if block.next then
    block.next.previous = block.previous
  else
    self.last = block.previous
  end
  self.by_seq[block.entry.seq], self.running[block] = nil, nil
  self.count = self.count - 1
end

---Adds an entry: as a new block, or to the block that it belongs to.
---@param entry areyouj.TranscriptEntry
---@param previous? areyouj.Block
---@return areyouj.Block? new
---@return areyouj.Block? changed
function Blocks:add(entry, previous)
  local body = entry.body
  if self.by_seq[entry.seq] then return nil end
  if body.kind == "toolResult" and self.calls[body.toolUseId] then
    local call = self.calls[body.toolUseId]
    call.result, self.running[call] = body, nil
    return nil, call
  elseif body.kind == "permissionEnd" and self.requests[body.permissionId] then
    local request = self.requests[body.permissionId]
    request.ending = body
    return nil, request
  end
  local block = { entry = entry, depth = 0 } ---@type areyouj.Block
  local parent_id = (body.kind == "text" or body.kind == "toolCall") and body.parentToolUseId or nil
  local parent = parent_id and self.calls[parent_id] or nil
  if parent then
    block.parent, block.depth = parent, parent.depth + 1
    previous = parent.last or parent
    local above = parent ---@type areyouj.Block?
    while above do
      above.last, above = block, above.parent
    end
  elseif parent_id then
    block.depth = 1
  end
  self.by_seq[entry.seq] = block
  if body.kind == "toolCall" then
    self.calls[body.toolUseId] = block
    local result = self.orphans[body.toolUseId]
    if result then
      block.result = result.entry.body --[[@as areyouj.EntryBody.toolResult]]
    else
      self.running[block] = true
    end
  elseif body.kind == "permission" then
    self.requests[body.permissionId] = block
    local ending = self.orphans[body.permissionId]
    block.ending = ending and ending.entry.body --[[@as areyouj.EntryBody.permissionEnd]]
  elseif body.kind == "toolResult" then
    self.orphans[body.toolUseId] = block
  elseif body.kind == "permissionEnd" then
    self.orphans[body.permissionId] = block
  end
  self:link(block, previous)
  return block
end

---The orphan that belongs to an older entry.
---@param entry areyouj.TranscriptEntry
---@return areyouj.Block?
function Blocks:orphan(entry)
  local body = entry.body
  if body.kind == "toolCall" then return self.orphans[body.toolUseId] end
  if body.kind == "permission" then return self.orphans[body.permissionId] end
end

---Removes the blocks before one.
---@param block areyouj.Block
function Blocks:remove_before(block)
  while self.first and self.first ~= block do
    local body = self.first.entry.body
    local tool_use, request = body.toolUseId, body.permissionId
    if tool_use then
      self.calls[tool_use], self.orphans[tool_use] = nil, nil
    end
    if request then
      self.requests[request], self.orphans[request] = nil, nil
    end
    self:unlink(self.first)
  end
end

return { new = new }
