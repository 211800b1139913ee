local Model = require("areyouj.model")
local events = require("areyouj.events")
local session = require("lib.samples").session
local same = require("lib.wait").same

---A daemon whose answers are given by hand, by method.
local function daemon()
  local self = { connection = { state = "connected" }, asked = {}, emitter = events.new() }
  function self.on(name, listener) return self.emitter:on(name, listener) end
  function self.request(method, params, callback)
    table.insert(self.asked, { method = method, params = params, callback = callback })
  end
  function self.answer(method, problem, result)
    for place, request in ipairs(self.asked) do
      if request.method == method then
        table.remove(self.asked, place)
        return request.callback(problem, result)
      end
    end
    error("nobody asked for " .. method)
  end
  function self.list(revision, sessions, prompts)
    self.answer("areyouj/session/list", nil, { revision = revision, sessions = sessions })
    self.answer("areyouj/permission/list", nil, { permissions = prompts or {} })
  end
  function self.push(name, params) self.emitter:emit(name, params) end
  return self
end

local function ids(model)
  return vim.tbl_map(function(one) return one.id end, model:all())
end

return {
  tests = {
    {
      "the list and its changes are known, and a gap in them is mended",
      function()
        local server = daemon()
        local model = Model.new(server)
        server.list(5, { session("A") })
        server.push(
          "areyouj/sessionListUpdate",
          { revision = 6, sessionId = "B", session = session("B", { createdAt = 2 }) }
        )
        same("newest first", ids(model), { "B", "A" })
        server.push("areyouj/sessionListUpdate", { revision = 6, sessionId = "B" })
        same("old news", ids(model), { "B", "A" })
        server.push("areyouj/sessionListUpdate", { revision = 9, sessionId = "C", session = session("C") })
        same("after a gap, what was known", ids(model), { "B", "A" })
        server.list(9, { session("C") })
        same("listed again", ids(model), { "C" })
      end,
    },
    {
      "what comes while a list is on its way is not lost",
      function()
        local server = daemon()
        local model = Model.new(server)
        server.push("areyouj/sessionListUpdate", { revision = 6, sessionId = "B", session = session("B") })
        server.list(5, { session("A") })
        same("both", ids(model), { "A", "B" })
      end,
    },
    {
      "a prompt that was answered while the list was on its way does not come back",
      function()
        local server = daemon()
        local model = Model.new(server)
        local prompt = { id = "A-1", sessionId = "A", createdAt = 1, state = "open" }
        server.push(
          "areyouj/permissionUpdate",
          { sessionId = "A", permission = vim.tbl_extend("force", prompt, { state = "answered" }) }
        )
        server.list(1, { session("A") }, { prompt })
        same("open", model:permissions(), {})
      end,
    },
    {
      "prompts are in the order in which they were asked",
      function()
        local server = daemon()
        local model = Model.new(server)
        local function prompt(number) return { id = "A-" .. number, sessionId = "A", createdAt = 1, state = "open" } end
        server.list(1, { session("A") }, { prompt(10), prompt(9) })
        same("order", vim.tbl_map(function(one) return one.id end, model:permissions()), { "A-9", "A-10" })
        same("of one session", #model:permissions("B"), 0)
      end,
    },
    {
      "a lost connection keeps what was known, and everything is asked for again",
      function()
        local server = daemon()
        local model = Model.new(server)
        server.list(1, { session("A") })
        local stale = 0
        model:on("stale", function() stale = stale + 1 end)
        server.push("connection", { state = "reconnecting" })
        same("kept", ids(model), { "A" })
        same("state", model.connection.state, "reconnecting")
        server.push("connection", { state = "connected" })
        same("still", model.connection.state, "reconnecting")
        server.list(7, { session("A"), session("B") })
        same("state", model.connection.state, "connected")
        same("stale", stale, 1)
      end,
    },
    {
      "a queue is followed as long as somebody looks",
      function()
        local server = daemon()
        local model = Model.new(server)
        server.list(1, { session("A") })
        local stop = model:watch_queue("A")
        server.answer("areyouj/queue/list", nil, { sessionId = "A", messages = {} })
        server.push("areyouj/queueUpdate", { sessionId = "A", queue = { sessionId = "A", messages = { {} } } })
        same("queue", #assert(model:queue("A")).messages, 1)
        stop()
        same("after", model:queue("A"), nil)
      end,
    },
    {
      "a message to decide about is fetched, and forgotten when it is decided",
      function()
        local server = daemon()
        local model = Model.new(server)
        server.list(
          1,
          { session("A", { attention = { kind = "interrupted", messageId = "m", title = "", open = 0 } }) }
        )
        server.answer(
          "areyouj/queue/list",
          nil,
          { sessionId = "A", messages = { { id = "m", createdAt = 1, text = "x", state = "interrupted" } } }
        )
        same("decisions", #model:decisions(), 1)
        server.push("areyouj/sessionListUpdate", { revision = 2, sessionId = "A", session = session("A") })
        same("decided", #model:decisions(), 0)
      end,
    },
  },
}
