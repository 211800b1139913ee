---What is known of the daemon: sessions, open prompts, messages that wait for a decision, and the queues somebody looks
---at. After a gap, a resync or a new connection everything is asked for again; until it is there, what was known stays.

local events = require("areyouj.events")

---Before the list is asked for again after it could not be had, in milliseconds.
local LIST_AGAIN_MS = 1000
---Updates that are kept while a list is on its way; with more, it is listed once more instead.
local MAX_EARLY = 1000

---@alias areyouj.Requester fun(method: areyouj.RequestMethod, params: table, callback?: fun(problem?: areyouj.Problem, result?: any))

---@class areyouj.Daemon What the model and feeds need of the client.
---@field connection areyouj.Connection
---@field request areyouj.Requester
---@field on fun(name: string, listener: fun(params: any)): fun()

---@class areyouj.Model
---@field private emitter areyouj.Emitter
---@field connection areyouj.Connection As people should see it: `connected` means that what is known is up to date.
---@field private daemon areyouj.Daemon
---@field private sessions table<string, areyouj.Session>
---@field private prompts table<string, areyouj.Permission>
---@field private queues table<string, { watchers: integer, queue: areyouj.Queue? }>
---@field private wanted table<string, { message_id: string, message: areyouj.Message? }>
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
    -- Counts connections and resyncs; an answer that belongs to an older one is not used.
    epoch = 0,
    sessions = {},
    early = {},
    prompts = {},
    prompt_news = {},
    queues = {},
    wanted = {},
  }, Model)
  daemon.on("connection", function(connection) self:connection_is(connection) end)
  daemon.on("areyouj/sessionListUpdate", function(update) self:update(update) end)
  daemon.on("areyouj/sessionCreated", function(update) self:update(update) end)
  daemon.on("areyouj/permissionUpdate", function(update) self:permission(update.permission) end)
  daemon.on("areyouj/queueUpdate", function(update) self:queue_is(update.queue) end)
  daemon.on("areyouj/resync", function() self:refresh() end)
  if daemon.connection.state == "connected" then self:refresh() end
  return self
end

---Listens until the returned function is called.
---
---- `connection`: (areyouj.Connection)
---- `sessions`: (changed: areyouj.Session[], removed: string[])
---- `permissions`: (open: areyouj.Permission[])
---- `permission`: (areyouj.Permission), one that was asked, answered or withdrawn
---- `decisions`: (areyouj.Message[])
---- `queue`: (areyouj.Queue), one that is watched
---- `stale`: whoever follows a session's output attaches again
---@param name string
---@param listener fun(...)
---@return fun() stop
function Model:on(name, listener) return self.emitter:on(name, listener) end

---All sessions, terminated ones too, newest first.
---@return areyouj.Session[]
function Model:all()
  local all = vim.tbl_values(self.sessions)
  table.sort(all, function(one, other)
    if one.createdAt ~= other.createdAt then return one.createdAt > other.createdAt end
    return one.id < other.id
  end)
  return all
end

---All sessions but the terminated ones, newest first.
---@return areyouj.Session[]
function Model:live()
  return vim.tbl_filter(function(session) return session.status ~= "terminated" end, self:all())
end

---@param id string
---@return areyouj.Session?
function Model:session(id) return self.sessions[id] end

---The number behind the dash of a prompt's id.
local function number(id) return tonumber(id:match("(%d+)$")) or 0 end

---Open prompts, of all sessions or of one, oldest first.
---@param session_id? string
---@return areyouj.Permission[]
function Model:permissions(session_id)
  local open = vim.tbl_filter(
    function(prompt) return session_id == nil or prompt.sessionId == session_id end,
    vim.tbl_values(self.prompts)
  )
  table.sort(open, function(one, other)
    if one.createdAt ~= other.createdAt then return one.createdAt < other.createdAt end
    if number(one.id) ~= number(other.id) then return number(one.id) < number(other.id) end
    return one.id < other.id
  end)
  return open
end

---Messages that were cut off or failed and wait for a decision, of all sessions or of one, oldest first.
---@param session_id? string
---@return areyouj.Message[]
function Model:decisions(session_id)
  local found = {}
  for id, entry in pairs(self.wanted) do
    if entry.message and (session_id == nil or session_id == id) then table.insert(found, entry.message) end
  end
  table.sort(found, function(one, other) return one.createdAt < other.createdAt end)
  return found
end

---The queue of a session that is watched, once it is known.
---@param session_id string
---@return areyouj.Queue?
function Model:queue(session_id)
  local watched = self.queues[session_id]
  return watched and watched.queue
end

---Keeps a session's queue up to date until the returned function is called.
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
function Model:connection_is(connection)
  if connection.state == "connected" then return self:refresh() end
  self.epoch = self.epoch + 1
  self:set_connection(connection)
end

---@private
function Model:set_connection(connection)
  self.connection = connection
  self.emitter:emit("connection", connection)
end

---Asks for everything again.
function Model:refresh()
  self.epoch = self.epoch + 1
  self.revision = nil
  self.prompt_news = {}
  self:list()
  for session_id in pairs(self.queues) do
    self:fetch_queue(session_id)
  end
  self.emitter:emit("stale")
end

---Lists sessions and prompts. One at a time; one more is made if it is asked for meanwhile.
---@private
function Model:list()
  if self.listing then
    self.list_again = true
    return
  end
  self.listing = true
  local epoch = self.epoch
  local failed ---@type areyouj.Problem?
  local list, prompts ---@type areyouj.SessionList, areyouj.PermissionList
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
      end, LIST_AGAIN_MS)
      return
    elseif epoch ~= self.epoch then
      -- The connection was lost meanwhile; when it is back, it is listed again.
      self.list_again = connected
    else
      self:replace_sessions(list)
      self:replace_permissions(prompts.permissions)
      if connected and self.connection.state ~= "connected" then self:set_connection(self.daemon.connection) end
    end
    finish()
  end

  self.daemon.request("areyouj/session/list", { all = true }, function(problem, result)
    failed, list = failed or problem, result
    answered()
  end)
  self.daemon.request("areyouj/permission/list", {}, function(problem, result)
    failed, prompts = failed or problem, result
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
  self:tell_sessions(changed, removed)
  local early = self.early
  self.early = {}
  for _, update in ipairs(early) do
    if update.revision > list.revision then self:update(update) end
  end
end

---@private
function Model:update(update)
  if self.revision == nil then
    table.insert(self.early, update)
    if #self.early > MAX_EARLY then
      self.early = {}
      self.list_again = self.listing
    end
    return
  end
  if update.revision <= self.revision then return end
  if update.revision > self.revision + 1 then
    self.revision = nil
    self.early = { update }
    self:list()
    return
  end
  self.revision = update.revision
  self.sessions[update.sessionId] = update.session
  if update.session then
    self:tell_sessions({ update.session }, {})
  else
    self:tell_sessions({}, { update.sessionId })
  end
end

---@private
function Model:tell_sessions(changed, removed)
  if #changed == 0 and #removed == 0 then return end
  self.emitter:emit("sessions", changed, removed)
  self:follow_decisions()
end

---@private
function Model:permission(prompt)
  if self.listing then self.prompt_news[prompt.id] = prompt end
  local known = self.prompts[prompt.id] ~= nil
  self.prompts[prompt.id] = prompt.state == "open" and prompt or nil
  self.emitter:emit("permission", prompt)
  if known or prompt.state == "open" then self.emitter:emit("permissions", self:permissions()) end
end

---@private
function Model:replace_permissions(listed)
  local before = self.prompts
  self.prompts = {}
  for _, prompt in ipairs(listed) do
    self.prompts[prompt.id] = prompt.state == "open" and prompt or nil
  end
  for id, prompt in pairs(self.prompt_news) do
    self.prompts[id] = prompt.state == "open" and prompt or nil
  end
  self.prompt_news = {}
  local same = vim.tbl_count(before) == vim.tbl_count(self.prompts)
  for id in pairs(self.prompts) do
    same = same and before[id] ~= nil
  end
  if not same then self.emitter:emit("permissions", self:permissions()) end
end

---@private
function Model:queue_is(queue)
  local watched = self.queues[queue.sessionId]
  if not watched then return end
  watched.queue = queue
  self.emitter:emit("queue", queue)
end

---@private
function Model:fetch_queue(session_id)
  local epoch, before = self.epoch, self:queue(session_id)
  self.daemon.request("areyouj/queue/list", { sessionId = session_id }, function(_, queue)
    -- A session that is gone has no queue; a push that came meanwhile is at least as new.
    if queue and epoch == self.epoch and before == self:queue(session_id) then self:queue_is(queue) end
  end)
end

---Takes note of which sessions have a message to decide about, and fetches what is new.
---@private
function Model:follow_decisions()
  local wanted, gone = {}, false
  for id, session in pairs(self.sessions) do
    local attention = session.attention
    local kind = attention and attention.kind
    if attention and (kind == "interrupted" or kind == "failed") then wanted[id] = attention.messageId end
  end
  for id, entry in pairs(self.wanted) do
    if wanted[id] ~= entry.message_id then
      self.wanted[id] = nil
      gone = gone or entry.message ~= nil
    end
  end
  for id, message_id in pairs(wanted) do
    if not self.wanted[id] then
      self.wanted[id] = { message_id = message_id }
      self:fetch_decision(id, message_id)
    end
  end
  if gone then self.emitter:emit("decisions", self:decisions()) end
end

---@private
function Model:fetch_decision(session_id, message_id)
  self.daemon.request("areyouj/queue/list", { sessionId = session_id, all = true }, function(_, queue)
    local entry = self.wanted[session_id]
    if not entry or entry.message_id ~= message_id then return end
    for _, message in ipairs(queue and queue.messages or {}) do
      if message.id == message_id then entry.message = message end
    end
    if entry.message then
      self.emitter:emit("decisions", self:decisions())
    else
      self.wanted[session_id] = nil
    end
  end)
end

return { new = new }
