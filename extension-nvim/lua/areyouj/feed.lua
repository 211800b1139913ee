---The output of one session without gaps. A gap, a lost push and a new connection are mended by attaching again from
---the last entry that was told; the listener sees the transcript anew only if entries in between cannot be had.

---@class areyouj.FeedListener
---@field transcript fun(entries: areyouj.TranscriptEntry[], more: boolean) The end of the transcript, anew.
---@field entries fun(entries: areyouj.TranscriptEntry[]) Entries that follow those told before.
---@field said fun(deltas: areyouj.Delta[]) All that was said since the newest entry told.
---@field delta fun(delta: areyouj.Delta)
---@field problem fun(problem: areyouj.Problem) It cannot be attached to.

---@class areyouj.Feed
---@field private daemon areyouj.Daemon
---@field private session_id string
---@field private listener areyouj.FeedListener
---@field private attaching boolean
---@field private again boolean Whether to attach once more.
---@field private closed boolean
---@field seq integer? The newest entry told; nil before the first transcript.
local Feed = {}
Feed.__index = Feed

---@param daemon areyouj.Daemon
---@param session_id string
---@param listener areyouj.FeedListener
---@return areyouj.Feed
local function new(daemon, session_id, listener)
  return setmetatable({
    daemon = daemon,
    session_id = session_id,
    listener = listener,
    attaching = false,
    again = false,
    closed = false,
  }, Feed)
end

---Attaches, or attaches again.
function Feed:attach()
  self.again = true
  if self.attaching or self.closed then return end
  self.attaching, self.again = true, false
  local since = self.seq
  self.daemon.request(
    "areyouj/session/attach",
    { sessionId = self.session_id, since = since },
    function(problem, result)
      self.attaching = false
      if self.closed then return end
      if problem then
        self.listener.problem(problem)
      else
        self:attached(since, result)
      end
      if self.again and not problem then self:attach() end
    end
  )
end

---Takes a push.
---@param output areyouj.ClaudeOutput
function Feed:output(output)
  if output.sessionId ~= self.session_id or self.closed or not self.seq then return end
  -- What is said while the answer to attach is on its way comes again in that answer, or is behind it.
  local entry, delta = output.entry, output.delta
  if entry then
    if entry.seq <= self.seq then return end
    if entry.seq ~= self.seq + 1 then return self:attach() end
    self.seq = entry.seq
    self.listener.entries({ entry })
  elseif delta then
    if output.seq == self.seq then
      self.listener.delta(delta)
    elseif output.seq > self.seq then
      self:attach()
    end
  end
end

---Ends it. The session goes on.
function Feed:close()
  if self.closed then return end
  self.closed = true
  self.daemon.request("areyouj/session/detach", { sessionId = self.session_id })
end

---@private
function Feed:attached(since, result)
  local known, first = self.seq, result.entries[1]
  if not since or not known or (first and first.seq > known + 1) or result.seq < known then
    self.seq = result.seq
    self.listener.transcript(result.entries, result.more)
  else
    local fresh = vim.tbl_filter(function(entry) return entry.seq > known end, result.entries)
    self.seq = math.max(known, result.seq)
    if #fresh > 0 then self.listener.entries(fresh) end
  end
  self.listener.said(result.deltas)
end

return { new = new }
