---The output of one session without gaps. After a gap or a new connection, the feed attaches again from the last entry that
---it delivered. If the daemon cannot provide the entries in between, the listener gets a new transcript.

---@class areyouj.FeedListener
---@field transcript fun(entries: areyouj.TranscriptEntry[], more: boolean) Replaces all entries. `more`: older entries exist.
---@field entries fun(entries: areyouj.TranscriptEntry[]) Entries that follow those delivered before.
---@field partial fun(deltas: areyouj.Delta[]) Replaces the output since the newest entry.
---@field delta fun(delta: areyouj.Delta) More output since the newest entry.
---@field problem fun(problem: areyouj.Problem) Attaching failed.

---@class areyouj.Feed
---@field private daemon areyouj.Daemon
---@field private session_id string
---@field private listener areyouj.FeedListener
---@field private attaching boolean
---@field private again boolean Whether to attach again after the present attempt.
---@field private closed boolean
---@field seq integer? The newest entry delivered; nil before the first transcript.
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

---Attaches to the session, or attaches again.
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

---Handles output that the daemon pushes.
---@param output areyouj.ClaudeOutput
function Feed:output(output)
  if output.sessionId ~= self.session_id or self.closed or not self.seq then return end
  -- Output that arrives before the answer to attach is also in that answer.
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

---Detaches from the session, which continues.
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
  self.listener.partial(result.deltas)
end

return { new = new }
