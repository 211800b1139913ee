local Model = require("areyouj.model")
local events = require("areyouj.events")
local session = require("lib.samples").session
local same = require("lib.wait").same

---A daemon whose answers the test gives, by method.
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
    error("no request " .. method)
  end
  function self.list(revision, sessions, requests)
    self.answer("areyouj/session/list", nil, { revision = revision, sessions = sessions })
    self.answer("areyouj/permission/list", nil, { permissions = requests or {} })
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
      "the model applies newer updates of the list, and fetches it again after a resync",
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
        server.push("areyouj/sessionListUpdate", { revision = 9, sessionId = "A" })
        same("a revision that is newer by more than one", ids(model), { "B" })
        server.push("areyouj/resync", { dropped = 3 })
        same("until the answer, what was known", ids(model), { "B" })
        server.list(12, { session("C") })
        same("listed again", ids(model), { "C" })
      end,
    },
    {
      "an update that arrives during a fetch is not lost",
      function()
        local server = daemon()
        local model = Model.new(server)
        server.push("areyouj/sessionListUpdate", { revision = 6, sessionId = "B", session = session("B") })
        server.list(5, { session("A") })
        same("both", ids(model), { "A", "B" })
      end,
    },
    {
      "a permission request that is answered during a fetch stays closed",
      function()
        local server = daemon()
        local model = Model.new(server)
        local request = { id = "A-1", sessionId = "A", createdAt = 1, state = "open" }
        server.push(
          "areyouj/permissionUpdate",
          { sessionId = "A", permission = vim.tbl_extend("force", request, { state = "answered" }) }
        )
        server.list(1, { session("A") }, { request })
        same("open", model:permissions(), {})
      end,
    },
    {
      "permission requests are in the order in which Claude asked them",
      function()
        local server = daemon()
        local model = Model.new(server)
        local function request(number) return { id = "A-" .. number, sessionId = "A", createdAt = 1, state = "open" } end
        server.list(1, { session("A") }, { request(10), request(9) })
        same("order", vim.tbl_map(function(one) return one.id end, model:permissions()), { "A-9", "A-10" })
        same("of one session", #model:permissions("B"), 0)
      end,
    },
    {
      "a lost connection keeps the old state, and a new one fetches everything again",
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
      "a queue is kept up to date while it is watched",
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
      "a message that needs a decision is fetched, and removed after the decision",
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
