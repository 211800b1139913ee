---Everything that a person can do, for the views, the commands and the Lua API alike. Each request that changes something
---has an id of its own, so a repeat of it changes nothing.
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
---@param options { directory?: string, name?: string, model?: string, permission_mode?: string, message?: string, open?: boolean }
---@param callback? fun(failed?: areyouj.Problem, session?: areyouj.Session)
function M.new(options, callback)
  local config = require("areyouj.config").get().new
  local directory = vim.fn.fnamemodify(vim.fs.normalize(options.directory or vim.fn.getcwd()), ":p")
  if directory ~= "/" then directory = directory:gsub("/$", "") end
  local params = {
    requestId = text.uuid(),
    directory = directory,
    environment = require("areyouj.client").environment(),
    name = options.name,
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
    if options.open ~= false then require("areyouj.views.automation").open(created.session.id) end
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

---@param session_id string
function M.read(session_id)
  ask("areyouj/session/read", { sessionId = session_id }, function() end)
end

---A session's name and id, for a question.
---@param id string
---@return string
local function named(id)
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
  local lines = vim.tbl_map(named, session_ids)
  table.insert(lines, "Claude and everything it started are ended. The transcript stays in the list.")
  require("areyouj.views.window").confirm(#session_ids == 1 and "Terminate?" or "Terminate all of these?", lines, go)
end

---Removes terminated sessions for good, after a question.
---@param session_id string
function M.delete(session_id)
  local lines =
    { named(session_id), "Its transcript and journal are removed for good. Files in its directory stay as they are." }
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

---Out of the queue first, so that it cannot run twice, then into the running turn; if that fails, its text is kept as a
---draft of the prompt.
---@param session_id string
---@param message_id string
function M.steer(session_id, message_id)
  M.remove(message_id, function(failed, message)
    if failed or not message then return problem.show(assert(failed)) end
    M.send(message.text, session_id, function(refused)
      if not refused then return end
      problem.show(refused)
      require("areyouj.views.prompt").draft(session_id, message.text)
    end, true)
  end)
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
