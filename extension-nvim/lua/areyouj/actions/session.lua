---Actions on sessions and on permission requests. Each change has its own request id, so that a repeated request changes
---nothing.
local config = require("areyouj.config")
local paths = require("areyouj.paths")
local problem = require("areyouj.problem")
local status = require("areyouj.status")
local text = require("areyouj.text")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---@param ports { model: areyouj.Model, request: areyouj.Requester }
function M.setup(ports)
  model, request = ports.model, ports.request
end

---@param session_id? string
---@return table
local function change(session_id) return { requestId = text.uuid(), sessionId = session_id } end

---The permission mode in which Claude does everything without asking.
local NEVER_ASKS = "bypassPermissions"

---@class areyouj.NewSession
---@field directory? string The working directory if left out.
---@field name? string
---@field driver? areyouj.Driver
---@field model? string
---@field permission_mode? string
---@field message? string
---@field open? boolean False not to open it.

---Creates a session and opens it. A session that never asks needs a confirmation, however its mode was chosen.
---@param options areyouj.NewSession
---@param callback? fun(failed?: areyouj.Problem, session?: areyouj.Session)
function M.new(options, callback)
  local defaults = config.get().new
  local params = {
    requestId = text.uuid(),
    directory = paths.typed(options.directory or vim.fn.getcwd()),
    environment = vim.fn.environ(),
    name = options.name,
    driver = options.driver or defaults.driver,
    model = options.model or defaults.model,
    permissionMode = options.permission_mode or defaults.permission_mode,
    messages = options.message and { { id = text.uuid(), text = options.message } } or nil,
  }
  local function go()
    request("areyouj/session/create", params, function(failed, created)
      if failed then return (callback or problem.show)(failed) end
      if created.warning then problem.notify(text.plain(created.warning, 300), vim.log.levels.WARN) end
      if options.open ~= false then ui.session(created.session.id, nil, { session = created.session }) end
      if callback then callback(nil, created.session) end
    end)
  end
  if params.permissionMode ~= NEVER_ASKS then return go() end
  window.confirm("Start a session that never asks for permission?", {
    ("Claude runs every command and changes every file in %s and elsewhere without asking."):format(
      text.plain(params.directory, 200)
    ),
    "Use it only in a sandbox.",
  }, go)
end

---@param permission areyouj.Permission The request as it was displayed.
---@param answer areyouj.Answer
---@param callback? fun(failed?: areyouj.Problem, permission?: areyouj.Permission)
function M.answer(permission, answer, callback)
  local params =
    { requestId = text.uuid(), permissionId = permission.id, digest = permission.digest, answer = answer }
  request("areyouj/permission/answer", params, callback or problem.report)
end

---@param session_id string
function M.interrupt(session_id) request("areyouj/session/interrupt", change(session_id), problem.report) end

---@param session_id string
function M.restart(session_id) request("areyouj/session/restart", change(session_id), problem.report) end

---Driver switches that this editor waits for, by session, each with a function that stops waiting.
---@type table<string, fun()>
local switching = {}

---Replaces the displayed page of the old driver once the session has switched.
---@param id string
---@param driver areyouj.Driver
local function follow(id, driver)
  if switching[id] then switching[id]() end
  local stop = model:on("sessions", function(changed, removed)
    local over = vim.tbl_contains(removed, id)
    for _, session in ipairs(changed) do
      local mine = session.id == id
      if mine and session.driver == driver then ui.show_driver(id, driver) end
      over = over or (mine and (session.driver == driver or session.status == "terminated"))
    end
    if over then switching[id]() end
  end)
  switching[id] = function()
    switching[id] = nil
    stop()
  end
end

---@param driver areyouj.Driver
---@return areyouj.Driver
local function other(driver) return driver == "terminal" and "stream" or "terminal" end

---@param session areyouj.Session
---@param to areyouj.Driver
---@param options { interrupt?: boolean }
---@param callback? fun(failed?: areyouj.Problem, session?: areyouj.Session)
local function switch(session, to, options, callback)
  local id, already = session.id, session.driver == to
  local params = vim.tbl_extend("force", change(id), { driver = to, interrupt = options.interrupt })
  if not already then follow(id, to) end
  request("areyouj/session/switch", params, function(failed, switched)
    if failed then
      if switching[id] then switching[id]() end
      return (callback or problem.show)(failed)
    end
    if callback then return callback(nil, switched) end
    local waits = switched.driver ~= to and (switched.status == "active" or switched.status == "waiting")
    local words = waits and "%s switches to %s when the turn ends. :AreYouJ! switch-driver switches at once."
      or already and "%s already uses %s."
      or "%s switches to %s."
    vim.api.nvim_echo({ { words:format(text.name(switched), status.drivers[to]) } }, false, {})
  end)
end

---Switches the driver of a session.
---@param session_id string
---@param driver? areyouj.Driver The other one if left out.
---@param options { interrupt?: boolean } `interrupt`: interrupts the running turn instead of waiting for its end.
---@param callback? fun(failed?: areyouj.Problem, session?: areyouj.Session)
function M.switch_driver(session_id, driver, options, callback)
  local function go(session) switch(session, driver or other(session.driver), options, callback) end
  local known = model:session(session_id)
  if known then return go(known) end
  request("areyouj/session/get", { sessionId = session_id }, function(failed, found)
    if failed then return (callback or problem.show)(failed) end
    go(found)
  end)
end

---The name and the id of a session, as a question shows them.
---@param id string
---@return string
local function named(id)
  local session = model:session(id)
  return session and ("%s (%s)%s"):format(text.name(session), id, session.status == "active" and ", active" or "") or id
end

---Switches the driver of a session after confirmation.
---@param session_id string
function M.ask_to_switch(session_id)
  local session = model:session(session_id)
  if not session then return end
  local to = other(session.driver)
  local lines = { named(session_id), "Claude restarts there with the same conversation and queue." }
  if session.status == "active" or session.status == "waiting" then
    table.insert(lines, "The session switches when the running turn ends.")
  end
  window.confirm(
    ("Switch to %s?"):format(status.drivers[to]),
    lines,
    function() M.switch_driver(session_id, to, {}) end
  )
end

---Marks a session as read.
---@param session_id string
function M.read(session_id) request("areyouj/session/read", { sessionId = session_id }) end

---Terminates sessions, after confirmation unless forced.
---@param session_ids string[]
---@param force? boolean
function M.terminate(session_ids, force)
  local function go()
    for _, id in ipairs(session_ids) do
      request("areyouj/session/terminate", change(id), problem.report)
    end
  end
  if force then return go() end
  local lines = vim.tbl_map(named, session_ids)
  table.insert(lines, "This ends Claude and every process that it started. The transcript stays in the list.")
  window.confirm(#session_ids == 1 and "Terminate this session?" or "Terminate these sessions?", lines, go)
end

---Deletes a terminated session permanently, after confirmation.
---@param session_id string
function M.delete(session_id)
  local lines = {
    named(session_id),
    "This deletes its transcript and journal permanently. Files in its directory stay as they are.",
  }
  window.confirm(
    "Delete this session?",
    lines,
    function() request("areyouj/session/delete", change(session_id), problem.report) end
  )
end

---Renames a session. Without a name, asks for one.
---@param session_id string
---@param name? string
function M.rename(session_id, name)
  local function go(given)
    if not given then return end
    local params = vim.tbl_extend("force", change(session_id), { name = vim.trim(given) })
    request("areyouj/session/rename", params, problem.report)
  end
  if name then return go(name) end
  local session = model:session(session_id)
  vim.ui.input({ prompt = "Name (leave empty to remove it): ", default = session and session.name or "" }, go)
end

return M
