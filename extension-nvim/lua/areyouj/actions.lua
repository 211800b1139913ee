---Everything that a person can do, for the views, the commands and the Lua API alike. Each request that changes something
---has an id of its own, so a repeat of it changes nothing.
local paths = require("areyouj.paths")
local problem = require("areyouj.problem")
local text = require("areyouj.text")

local M = {}

---Sends a request and tells what went wrong, unless somebody else wants to know.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(failed?: areyouj.Problem, result?: any)
local function ask(method, params, callback)
  require("areyouj").request(method, params, function(failed, result)
    if callback then
      callback(failed, result)
    elseif failed then
      problem.show(failed)
    end
  end)
end

---@param session_id? string
---@return table
local function change(session_id) return { requestId = text.uuid(), sessionId = session_id } end

---Creates a session and opens it.
---@param options { directory?: string, name?: string, driver?: areyouj.Driver, model?: string, permission_mode?: string, message?: string, open?: boolean }
---@param callback? fun(failed?: areyouj.Problem, session?: areyouj.Session)
function M.new(options, callback)
  local config = require("areyouj.config").get().new
  local directory = paths.typed(options.directory or vim.fn.getcwd())
  local params = {
    requestId = text.uuid(),
    directory = directory,
    environment = require("areyouj.client").environment(),
    name = options.name,
    driver = options.driver or config.driver,
    model = options.model or config.model,
    permissionMode = options.permission_mode or config.permission_mode,
    messages = options.message and { { id = text.uuid(), text = options.message } } or nil,
  }
  ask("areyouj/session/create", params, function(failed, created)
    if failed then
      if callback then return callback(failed) end
      return problem.show(failed)
    end
    if created.warning then problem.tell(text.plain(created.warning, 300), vim.log.levels.WARN) end
    if options.open ~= false then
      require("areyouj.views.session_page").open(created.session.id, nil, { session = created.session })
    end
    if callback then callback(nil, created.session) end
  end)
end

---Queues a message.
---@param words string
---@param session_id? string
---@param callback? fun(failed?: areyouj.Problem, message?: areyouj.Message)
---@param steer? boolean Into the running turn.
function M.send(words, session_id, callback, steer)
  local method = steer and "areyouj/queue/steer" or "areyouj/queue/add"
  ask(method, { sessionId = session_id, message = { id = text.uuid(), text = words } }, callback)
end

---@param permission_id string
---@param answer areyouj.Answer
---@param callback? fun(failed?: areyouj.Problem, permission?: areyouj.Permission)
function M.answer(permission_id, answer, callback)
  ask("areyouj/permission/answer", { requestId = text.uuid(), permissionId = permission_id, answer = answer }, callback)
end

---@param session_id string
function M.interrupt(session_id) ask("areyouj/session/interrupt", change(session_id)) end

---@param session_id string
function M.restart(session_id) ask("areyouj/session/restart", change(session_id)) end

---Moves of this editor whose end is waited for, each with what forgets it.
---@type table<string, fun()>
local moving = {}

---Shows the session in its new form where it is shown in the other, once it has moved.
---@param id string
---@param driver areyouj.Driver
local function follow(id, driver)
  local model = require("areyouj").model()
  if moving[id] then moving[id]() end
  local stop = model:on("sessions", function(changed, removed)
    local gone = vim.tbl_contains(removed, id)
    for _, session in ipairs(changed) do
      local mine = session.id == id
      if mine and session.driver == driver then require("areyouj.views.session_page").follow(id, driver) end
      gone = gone or (mine and (session.driver == driver or session.status == "terminated"))
    end
    if gone then moving[id]() end
  end)
  moving[id] = function()
    moving[id] = nil
    stop()
  end
end

---@type table<areyouj.Driver, string>
local FORMS = { stream = "a stream", terminal = "a terminal" }

---Moves a session to its other form.
---@param session_id string
---@param driver? areyouj.Driver
---@param options { interrupt?: boolean }
---@param callback? fun(failed?: areyouj.Problem, session?: areyouj.Session)
function M.switch_driver(session_id, driver, options, callback)
  local function go(session)
    local to = driver or (session.driver == "terminal" and "stream" or "terminal")
    local params = vim.tbl_extend("force", change(session_id), { driver = to, interrupt = options.interrupt })
    local already = session.driver == to
    if not already then follow(session_id, to) end
    ask("areyouj/session/switch", params, function(failed, moved)
      if failed then
        if moving[session_id] then moving[session_id]() end
        if callback then return callback(failed) end
        return problem.show(failed)
      end
      if callback then return callback(nil, moved) end
      local waits = moved.driver ~= to and (moved.status == "active" or moved.status == "waiting")
      local words = waits and "moves to %s when the turn has ended; :AreYouJ! move does not wait."
        or already and "is at %s."
        or "moves to %s."
      vim.api.nvim_echo({ { text.name(moved) .. " " .. words:format(FORMS[to]) } }, false, {})
    end)
  end
  local known = require("areyouj").model():session(session_id)
  if known then return go(known) end
  ask("areyouj/session/get", { sessionId = session_id }, function(failed, found)
    if not failed then return go(found) end
    if callback then return callback(failed) end
    problem.show(failed)
  end)
end

---Moves a session to its other form after a question.
---@param session_id string
function M.ask_to_move(session_id)
  local session = require("areyouj").model():session(session_id)
  if not session then return end
  local to = session.driver == "terminal" and "stream" or "terminal"
  local lines = { M.named(session_id), "Claude is started again there with the same conversation and queue." }
  if session.status == "active" or session.status == "waiting" then
    table.insert(lines, "It moves when the running turn has ended.")
  end
  require("areyouj.views.window").confirm(
    ("Move to %s?"):format(FORMS[to]),
    lines,
    function() M.switch_driver(session_id, to, {}) end
  )
end

---@param session_id string
function M.read(session_id)
  ask("areyouj/session/read", { sessionId = session_id }, function() end)
end

---A session's name and id, for a question.
---@param id string
---@return string
function M.named(id)
  local session = require("areyouj").model():session(id)
  return session and ("%s (%s)%s"):format(text.name(session), id, session.status == "active" and ", active" or "") or id
end

---Ends sessions, after a question unless forced.
---@param session_ids string[]
---@param force? boolean
function M.terminate(session_ids, force)
  local function go()
    for _, id in ipairs(session_ids) do
      ask("areyouj/session/terminate", change(id))
    end
  end
  if force then return go() end
  local lines = vim.tbl_map(M.named, session_ids)
  table.insert(lines, "Claude and everything it started are ended. The transcript stays in the list.")
  require("areyouj.views.window").confirm(#session_ids == 1 and "Terminate?" or "Terminate all of these?", lines, go)
end

---Removes terminated sessions for good, after a question.
---@param session_id string
function M.delete(session_id)
  local lines =
    { M.named(session_id), "Its transcript and journal are removed for good. Files in its directory stay as they are." }
  require("areyouj.views.window").confirm(
    "Delete?",
    lines,
    function() ask("areyouj/session/delete", change(session_id)) end
  )
end

---Names a session; without a name, asks for it.
---@param session_id string
---@param name? string
function M.rename(session_id, name)
  local function go(given)
    if not given then return end
    ask("areyouj/session/rename", vim.tbl_extend("force", change(session_id), { name = vim.trim(given) }))
  end
  if name then return go(name) end
  local session = require("areyouj").model():session(session_id)
  vim.ui.input({ prompt = "Name (empty takes it away): ", default = session and session.name or "" }, go)
end

---@param message_id string
---@param words string
---@param callback? fun(failed?: areyouj.Problem, message?: areyouj.Message)
function M.edit(message_id, words, callback)
  ask("areyouj/queue/edit", { requestId = text.uuid(), messageId = message_id, text = words }, callback)
end

---@param message_id string
---@param callback? fun(failed?: areyouj.Problem, message?: areyouj.Message)
function M.remove(message_id, callback)
  ask("areyouj/queue/remove", { requestId = text.uuid(), messageId = message_id }, callback)
end

---@param message_id string
---@param position integer
function M.move(message_id, position)
  ask("areyouj/queue/move", { requestId = text.uuid(), messageId = message_id, position = position })
end

---Sends a waiting message into the running turn.
---@param message areyouj.Message
function M.steer(message)
  ask("areyouj/queue/steer", { sessionId = message.sessionId, message = { id = message.id, text = message.text } })
end

---@param session_id string
---@param paused boolean
function M.pause(session_id, paused) ask(paused and "areyouj/queue/pause" or "areyouj/queue/resume", change(session_id)) end

---Cancels every waiting message, after a question if there are several.
---@param session_id string
---@param count integer
function M.clear(session_id, count)
  local function go() ask("areyouj/queue/clear", change(session_id)) end
  if count <= 1 then return go() end
  require("areyouj.views.window").confirm("Clear the queue?", { count .. " waiting messages are removed." }, go)
end

---@param message_id string
---@param choice areyouj.RecoverChoice
function M.recover(message_id, choice)
  ask("areyouj/queue/recover", { requestId = text.uuid(), messageId = message_id, choice = choice })
end

local CHOICES = {
  continue = "Continue: ask Claude to go on where it was cut off",
  again = "Send again: run the same message once more",
  skip = "Skip: leave it and go on with the queue",
}

---Asks what becomes of a message of a session that was cut off or failed.
---@param session_id string
function M.decide(session_id)
  local message = require("areyouj").model():decisions(session_id)[1]
  if not message then
    vim.api.nvim_echo({ { "Nothing to decide." } }, false, {})
    return
  end
  local cut_off = message.state == "interrupted"
  vim.ui.select(cut_off and { "continue", "again", "skip" } or { "again", "skip" }, {
    prompt = (cut_off and "A message was cut off: " or "A message failed: ") .. text.plain(message.text, 60),
    kind = "areyouj_decision",
    format_item = function(choice) return CHOICES[choice] end,
  }, function(choice)
    if choice then M.recover(message.id, choice) end
  end)
end

---Opens a terminal in the directory of a session.
---@param session areyouj.Session
function M.terminal(session)
  local command = { vim.o.shell }
  vim.cmd.tabnew()
  if vim.fn.has("nvim-0.11") == 1 then
    vim.fn.jobstart(command, { term = true, cwd = session.directory })
  else
    ---@diagnostic disable-next-line: deprecated -- The one way before 0.11.
    vim.fn.termopen(command, { cwd = session.directory })
  end
  vim.cmd.startinsert()
end

---@param value string
---@param said string
function M.copy(value, said)
  vim.fn.setreg(vim.v.register ~= "" and vim.v.register or '"', value)
  pcall(vim.fn.setreg, "+", value)
  vim.api.nvim_echo({ { said } }, false, {})
end

return M
