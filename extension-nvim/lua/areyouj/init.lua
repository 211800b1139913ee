---AreYouJ for Neovim: the documented Lua API.
local M = {}

---@class areyouj.Counts
---@field active integer Sessions that work or start.
---@field waiting integer Sessions that need an answer or a decision.
---@field error integer Sessions that failed.
---@field idle integer Sessions that are ready for a message.
---@field total integer All but the terminated ones.

---The plugin behind this facade, connected unless a person disconnected it. The first call loads it.
local function app()
  local loaded = require("areyouj.app")
  loaded.use()
  return loaded
end

---The model, if anything has used the plugin yet.
---@return areyouj.Model?
local function known()
  local loaded = package.loaded["areyouj.app"]
  return loaded and loaded.is_used() and loaded.model or nil
end

---Takes a configuration. Not needed: without it `vim.g.areyouj` counts, or else the defaults.
---@param options? table
function M.setup(options)
  local config = require("areyouj.config").set(options)
  if config.global_keys then
    vim.keymap.set("n", "]a", "<Plug>(AreYouJNextWaiting)", { desc = "Next session that waits" })
    vim.keymap.set("n", "[a", "<Plug>(AreYouJPreviousWaiting)", { desc = "Previous session that waits" })
  end
  if config.autostart then vim.schedule(M.start) end
end

---Connects to the daemon, starting it if need be.
function M.start() require("areyouj.app").start() end

---Disconnects. Sessions go on.
function M.stop() require("areyouj.app").stop() end

---Sends a request of the protocol; see |areyouj-protocol|.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
function M.request(method, params, callback) app().request(method, params, callback) end

---Sessions as last known, newest first.
---@param options? { all?: boolean } `all`: terminated ones too.
---@return areyouj.Session[]
function M.sessions(options)
  local model = known()
  if not model then return {} end
  return options and options.all and model:all() or model:live()
end

---Open prompts as last known, oldest first.
---@return areyouj.Permission[]
function M.permissions()
  local model = known()
  return model and model:permissions() or {}
end

---@return areyouj.Connection
function M.connection()
  local model = known()
  return model and model.connection or { state = "stopped" }
end

---How many sessions stand how. Connects nothing.
---@return areyouj.Counts
function M.counts() return require("areyouj.statusline").counts(M.sessions()) end

---A component for a status line, escaped for it; empty as long as nothing was asked of AreYouJ.
---@param options? { icons?: boolean }
---@return string
function M.statusline(options)
  local model = known()
  if not model then return "" end
  return require("areyouj.statusline").line(model.connection, model:live(), options)
end

---Opens the dashboard.
function M.dashboard() app().ui.dashboard() end

---Opens a session: Claude's own screen of one that has one, else its transcript.
---@param session_id string
---@param place? areyouj.Place Where; as configured if left out.
function M.open(session_id, place) app().ui.session(session_id, place) end

---Opens the transcript of a session, whatever its form.
---@param session_id string
---@param place? areyouj.Place Where; as configured if left out.
function M.transcript(session_id, place) app().ui.transcript(session_id, place) end

---Creates a session.
---@param options? areyouj.NewSession
---@param callback? fun(problem?: areyouj.Problem, session?: areyouj.Session)
function M.new(options, callback) app().session.new(options or {}, callback) end

---Queues a message. Without a session: the newest one of the working directory.
---@param text string
---@param session_id? string
---@param callback? fun(problem?: areyouj.Problem, message?: areyouj.Message)
function M.send(text, session_id, callback) app().queue.send(text, session_id, callback) end

---Moves a session to its other form: to a terminal or to a stream.
---@param session_id string
---@param driver? areyouj.Driver Where to; the form that it does not have if left out.
---@param options? { interrupt?: boolean } `interrupt`: breaks off the running turn instead of waiting for its end.
---@param callback? fun(problem?: areyouj.Problem, session?: areyouj.Session)
function M.move(session_id, driver, options, callback)
  app().session.switch_driver(session_id, driver, options or {}, callback)
end

---Answers a prompt.
---@param permission_id string
---@param answer areyouj.Answer
---@param callback? fun(problem?: areyouj.Problem, permission?: areyouj.Permission)
function M.answer(permission_id, answer, callback) app().session.answer(permission_id, answer, callback) end

---Chooses a session and opens it.
function M.switch() app().ui.switch() end

---Goes to the next session that needs a person, or the previous one.
---@param step 1|-1
function M.next_waiting(step) app().ui.next_waiting(step) end

return M
