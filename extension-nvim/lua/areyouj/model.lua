---The client's model of the daemon: sessions, open permission requests, messages that need a decision, and watched queues.
---After a resync or a new connection the model fetches everything again and keeps the old state until then.

local events = require("areyouj.events")

---Pause before another attempt to fetch the lists, in milliseconds.
local LIST_RETRY_MS = 1000
---Upper bound on the updates kept while a list is being fetched. With more, the model fetches the list again.
local MAX_EARLY = 1000

---@alias areyouj.Requester fun(method: areyouj.RequestMethod, params: table, callback?: fun(problem?: areyouj.Problem, result?: any))

---@class areyouj.Daemon The interface of the client that the model and feeds use.
---@field connection areyouj.Connection
---@field request areyouj.Requester
---@field request_once areyouj.Requester
---@field on fun(name: string, listener: fun(params: any)): fun()

---@class areyouj.Model
---@field private emitter areyouj.Emitter
---@field connection areyouj.Connection As shown to people: `connected` means that the model is up to date.
---@field private daemon areyouj.Daemon
---@field private sessions table<string, areyouj.Session>
---@field private requests table<string, areyouj.Permission>
---@field private queues table<string, { watchers: integer, queue: areyouj.Queue? }>
---@field private undecided table<string, { message_id: string, message: areyouj.Message? }> By session.
local Model = {}
Model.__index = Model

---@param daemon areyouj.Daemon
---@return areyouj.Model
local function new(daemon)
  local self = setmetatable({
    daemon = daemon,
    connection = daemon.connection,
    emitter = events.new(),
    revision = nil,
    listing = false,
    list_again = false,
    -- Counts connections and resyncs. An answer from an older epoch is discarded.
    epoch = 0,
    sessions = {},
    early_updates = {},
    requests = {},
    early_requests = {},
    queues = {},
    undecided = {},
  }, Model)
  daemon.on("connection", function(connection) self:daemon_connection_changed(connection) end)
  daemon.on("areyouj/sessionListUpdate", function(update) self:update(update) end)
  daemon.on("areyouj/sessionCreated", function(update) self:update(update) end)
  daemon.on("areyouj/permissionUpdate", function(update) self:update_request(update.permission) end)
  daemon.on("areyouj/queueUpdate", function(update) self:set_queue(update.queue) end)
  daemon.on("areyouj/resync", function() self:refresh() end)
  if daemon.connection.state == "connected" then self:refresh() end
  return self
end

---Subscribes a listener until the returned function is called.
---
---- `connection`: (areyouj.Connection)
---- `sessions`: (changed: areyouj.Session[], removed: string[])
---- `permissions`: (open: areyouj.Permission[])
---- `permission`: (areyouj.Permission), which is new, answered or withdrawn
---- `decisions`: (areyouj.Message[])
---- `queue`: (areyouj.Queue), which is watched
---- `stale`: feeds must attach again
---@param name string
---@param listener fun(...)
---@return fun() stop
function Model:on(name, listener) return self.emitter:on(name, listener) end

---All sessions including terminated ones, newest first.
---@return areyouj.Session[]
function Model:all()
  local all = vim.tbl_values(self.sessions)
  table.sort(all, function(one, other)
    if one.createdAt ~= other.createdAt then return one.createdAt > other.createdAt end
    return one.id < other.id
  end)
  return all
end

---All sessions except terminated ones, newest first.
---@return areyouj.Session[]
function Model:live()
  return vim.tbl_filter(function(session) return session.status ~= "terminated" end, self:all())
end

---@param id string
---@return areyouj.Session?
function Model:session(id) return self.sessions[id] end

---The number at the end of the id of a permission request.
local function number(id) return tonumber(id:match("(%d+)$")) or 0 end

---Open permission requests of all sessions or of one, oldest first.
---@param session_id? string
---@return areyouj.Permission[]
function Model:permissions(session_id)
  local open = vim.tbl_filter(
    function(request) return session_id == nil or request.sessionId == session_id end,
    vim.tbl_values(self.requests)
  )
  table.sort(open, function(one, other)
    if one.createdAt ~= other.createdAt then return one.createdAt < other.createdAt end
    if number(one.id) ~= number(other.id) then return number(one.id) < number(other.id) end
    return one.id < other.id
  end)
  return open
end

---Interrupted or failed messages that need a decision, of all sessions or of one, oldest first.
---@param session_id? string
---@return areyouj.Message[]
function Model:decisions(session_id)
  local found = {}
  for id, entry in pairs(self.undecided) do
    if entry.message and (session_id == nil or session_id == id) then table.insert(found, entry.message) end
  end
  table.sort(found, function(one, other) return one.createdAt < other.createdAt end)
  return found
end

---The queue of a watched session, once it is known.
---@param session_id string
---@return areyouj.Queue?
function Model:queue(session_id)
  local watched = self.queues[session_id]
  return watched and watched.queue
end

---Keeps the queue of a session up to date until the returned function is called.
---@param session_id string
---@return fun() stop
function Model:watch_queue(session_id)
  local watched = self.queues[session_id] or { watchers = 0 }
  self.queues[session_id] = watched
  watched.watchers = watched.watchers + 1
  if watched.watchers == 1 and self.connection.state == "connected" then self:fetch_queue(session_id) end
  local stopped = false
  return function()
    if stopped then return end
    stopped = true
    watched.watchers = watched.watchers - 1
    if watched.watchers == 0 then self.queues[session_id] = nil end
  end
end

---@private
function Model:daemon_connection_changed(connection)
  if connection.state == "connected" then return self:refresh() end
  self.epoch = self.epoch + 1
  self:set_connection(connection)
end

---@private
function Model:set_connection(connection)
  self.connection = connection
  self.emitter:emit("connection", connection)
end

---Fetches everything again.
function Model:refresh()
  self.epoch = self.epoch + 1
  self.revision = nil
  self.early_requests = {}
  self:list()
  for session_id in pairs(self.queues) do
    self:fetch_queue(session_id)
  end
  self.emitter:emit("stale")
end

---Fetches the lists of sessions and permission requests. A call during a fetch causes one more fetch after it.
---@private
function Model:list()
  if self.listing then
    self.list_again = true
    return
  end
  self.listing = true
  local epoch = self.epoch
  local failed ---@type areyouj.Problem?
  local list, requests ---@type areyouj.SessionList, areyouj.PermissionList
  local answers = 0

  local function finish()
    self.listing = false
    if self.list_again then
      self.list_again = false
      self:list()
    end
  end

  local function answered()
    answers = answers + 1
    if answers < 2 then return end
    local connected = self.daemon.connection.state == "connected"
    if failed then
      local state = self.connection.state
      self:set_connection({ state = state == "connected" and "reconnecting" or state, problem = failed })
      vim.defer_fn(function()
        self.list_again = self.list_again or self.daemon.connection.state == "connected"
        finish()
      end, LIST_RETRY_MS)
      return
    elseif epoch ~= self.epoch then
      -- The connection was lost during the fetch; its return causes another.
      self.list_again = connected
    else
      self:replace_sessions(list)
      self:replace_permissions(requests.permissions)
      if connected and self.connection.state ~= "connected" then self:set_connection(self.daemon.connection) end
    end
    finish()
  end

  self.daemon.request("areyouj/session/list", { all = true }, function(problem, result)
    failed, list = failed or problem, result
    answered()
  end)
  self.daemon.request("areyouj/permission/list", {}, function(problem, result)
    failed, requests = failed or problem, result
    answered()
  end)
end

---@private
function Model:replace_sessions(list)
  local changed, removed, kept = {}, {}, {}
  for _, session in ipairs(list.sessions) do
    kept[session.id] = true
    if not vim.deep_equal(session, self.sessions[session.id]) then table.insert(changed, session) end
    self.sessions[session.id] = session
  end
  for id in pairs(self.sessions) do
    if not kept[id] then table.insert(removed, id) end
  end
  for _, id in ipairs(removed) do
    self.sessions[id] = nil
  end
  self.revision = list.revision
  self:emit_sessions(changed, removed)
  local updates = self.early_updates
  self.early_updates = {}
  for _, update in ipairs(updates) do
    if update.revision > list.revision then self:update(update) end
  end
end

---@private
function Model:update(update)
  if self.revision == nil then
    table.insert(self.early_updates, update)
    if #self.early_updates > MAX_EARLY then
      self.early_updates = {}
      self.list_again = self.listing
    end
    return
  end
  if update.revision <= self.revision then return end
  self.revision = update.revision
  self.sessions[update.sessionId] = update.session
  if update.session then
    self:emit_sessions({ update.session }, {})
  else
    self:emit_sessions({}, { update.sessionId })
  end
end

---@private
function Model:emit_sessions(changed, removed)
  if #changed == 0 and #removed == 0 then return end
  self.emitter:emit("sessions", changed, removed)
  self:update_decisions()
end

---@private
function Model:update_request(request)
  if self.listing then self.early_requests[request.id] = request end
  local known = self.requests[request.id] ~= nil
  self.requests[request.id] = request.state == "open" and request or nil
  self.emitter:emit("permission", request)
  if known or request.state == "open" then self.emitter:emit("permissions", self:permissions()) end
end

---@private
function Model:replace_permissions(listed)
  local before = self.requests
  self.requests = {}
  for _, request in ipairs(listed) do
    self.requests[request.id] = request.state == "open" and request or nil
  end
  for id, request in pairs(self.early_requests) do
    self.requests[id] = request.state == "open" and request or nil
  end
  self.early_requests = {}
  local same = vim.tbl_count(before) == vim.tbl_count(self.requests)
  for id in pairs(self.requests) do
    same = same and before[id] ~= nil
  end
  if not same then self.emitter:emit("permissions", self:permissions()) end
end

---@private
function Model:set_queue(queue)
  local watched = self.queues[queue.sessionId]
  if not watched then return end
  watched.queue = queue
  self.emitter:emit("queue", queue)
end

---@private
function Model:fetch_queue(session_id)
  local epoch, before = self.epoch, self:queue(session_id)
  self.daemon.request("areyouj/queue/list", { sessionId = session_id }, function(_, queue)
    -- A deleted session has no queue. A push that arrived during the fetch is at least as new.
    if queue and epoch == self.epoch and before == self:queue(session_id) then self:set_queue(queue) end
  end)
end

---Updates which sessions have a message that needs a decision, and fetches new ones.
---@private
function Model:update_decisions()
  local needed, gone = {}, false
  for id, session in pairs(self.sessions) do
    local attention = session.attention
    local kind = attention and attention.kind
    if attention and (kind == "interrupted" or kind == "failed") then needed[id] = attention.messageId end
  end
  for id, entry in pairs(self.undecided) do
    if needed[id] ~= entry.message_id then
      self.undecided[id] = nil
      gone = gone or entry.message ~= nil
    end
  end
  for id, message_id in pairs(needed) do
    if not self.undecided[id] then
      self.undecided[id] = { message_id = message_id }
      self:fetch_decision(id, message_id)
    end
  end
  if gone then self.emitter:emit("decisions", self:decisions()) end
end

---@private
function Model:fetch_decision(session_id, message_id)
  self.daemon.request("areyouj/queue/list", { sessionId = session_id, all = true }, function(_, queue)
    local entry = self.undecided[session_id]
    if not entry or entry.message_id ~= message_id then return end
    for _, message in ipairs(queue and queue.messages or {}) do
      if message.id == message_id then entry.message = message end
    end
    if entry.message then
      self.emitter:emit("decisions", self:decisions())
    else
      self.undecided[session_id] = nil
    end
  end)
end

return { new = new }
