local Feed = require("areyouj.feed")
local same = require("lib.wait").same

---A daemon whose answers the test gives.
local function daemon()
  local self = { asked = {}, waiting = {} }
  function self.request(method, params, callback)
    table.insert(self.asked, { method, params })
    if callback then table.insert(self.waiting, callback) end
  end
  function self.answer(problem, result) table.remove(self.waiting, 1)(problem, result) end
  return self
end

local function entry(seq) return { seq = seq, at = 0, body = { kind = "text", text = tostring(seq) } } end
local function entries(first, last)
  local all = {}
  for seq = first, last do
    table.insert(all, entry(seq))
  end
  return all
end

---A listener that records its calls.
local function listener()
  local recorded = {}
  local function numbers(list)
    return table.concat(vim.tbl_map(function(one) return one.seq end, list), ",")
  end
  return recorded,
    {
      transcript = function(list, more) table.insert(recorded, "all " .. numbers(list) .. (more and "+" or "")) end,
      entries = function(list) table.insert(recorded, "more " .. numbers(list)) end,
      partial = function(deltas)
        for _, delta in ipairs(deltas) do
          table.insert(recorded, "partial " .. delta.text)
        end
      end,
      delta = function(delta) table.insert(recorded, "delta " .. delta.text) end,
      problem = function(problem) table.insert(recorded, "problem " .. problem.code) end,
    }
end

local function attached()
  local server = daemon()
  local recorded, listening = listener()
  local feed = Feed.new(server, "S", listening)
  feed:attach()
  server.answer(nil, { entries = entries(1, 2), seq = 2, more = false, deltas = {} })
  return feed, server, recorded
end

return {
  tests = {
    {
      "entries and deltas are delivered in order, each once",
      function()
        local feed, _, recorded = attached()
        feed:output({ sessionId = "S", seq = 2, delta = { thinking = false, text = "x" } })
        feed:output({ sessionId = "S", seq = 3, entry = entry(3) })
        feed:output({ sessionId = "S", seq = 3, entry = entry(3) })
        feed:output({ sessionId = "OTHER", seq = 4, entry = entry(4) })
        same("recorded", recorded, { "all 1,2", "delta x", "more 3" })
      end,
    },
    {
      "a listener that attaches during an answer gets its beginning",
      function()
        local server = daemon()
        local recorded, listening = listener()
        local feed = Feed.new(server, "S", listening)
        feed:attach()
        server.answer(
          nil,
          { entries = entries(1, 2), seq = 2, more = false, deltas = { { thinking = false, text = "The an" } } }
        )
        feed:output({ sessionId = "S", seq = 2, delta = { thinking = false, text = "swer" } })
        same("recorded", recorded, { "all 1,2", "partial The an", "delta swer" })
      end,
    },
    {
      "after a gap, the feed attaches from the last entry that it delivered",
      function()
        local feed, server, recorded = attached()
        feed:output({ sessionId = "S", seq = 5, entry = entry(5) })
        same("asked", server.asked[2], { "areyouj/session/attach", { sessionId = "S", since = 2 } })
        feed:output({ sessionId = "S", seq = 6, entry = entry(6) })
        server.answer(nil, { entries = entries(3, 6), seq = 6, more = false, deltas = {} })
        server.answer(nil, { entries = {}, seq = 6, more = false, deltas = {} })
        same("recorded", recorded, { "all 1,2", "more 3,4,5,6" })
      end,
    },
    {
      "the transcript is delivered again if entries in between are not available",
      function()
        local feed, server, recorded = attached()
        feed:attach()
        server.answer(nil, { entries = entries(10, 11), seq = 11, more = true, deltas = {} })
        feed:attach()
        server.answer(nil, { entries = entries(1, 1), seq = 1, more = false, deltas = {} })
        same("recorded", recorded, { "all 1,2", "all 10,11+", "all 1" })
      end,
    },
    {
      "a problem is delivered, and nothing after the feed is closed",
      function()
        local feed, server, recorded = attached()
        feed:attach()
        server.answer({ code = "session_not_found" })
        feed:attach()
        feed:close()
        same("detached", server.asked[#server.asked][1], "areyouj/session/detach")
        server.answer(nil, { entries = entries(3, 3), seq = 3, more = false, deltas = {} })
        feed:output({ sessionId = "S", seq = 4, entry = entry(4) })
        same("recorded", recorded, { "all 1,2", "problem session_not_found" })
      end,
    },
  },
}
