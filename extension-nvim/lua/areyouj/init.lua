---AreYouJ for Neovim: the documented Lua API.
local M = {}

---@class areyouj.Counts
---@field active integer Sessions that are active or starting.
---@field waiting integer Sessions that need an answer or a decision.
---@field error integer Sessions with an error, or with a turn that failed or was interrupted.
---@field idle integer Sessions that are ready for a message.
---@field total integer All sessions except terminated ones.

---The plugin behind this facade. The first call loads and connects it.
local function app()
  local loaded = require("areyouj.app")
  loaded.use()
  return loaded
end

---The model, if the plugin is in use already.
---@return areyouj.Model?
local function known()
  local loaded = package.loaded["areyouj.app"]
  return loaded and loaded.is_used() and loaded.model or nil
end

---Sets the configuration. Optional: without it, `vim.g.areyouj` or the defaults apply.
---@param options? table
function M.setup(options)
  local config = require("areyouj.config").set(options)
  if config.global_keys then
    vim.keymap.set("n", "]a", "<Plug>(AreYouJNextWaiting)", { desc = "Next waiting session" })
    vim.keymap.set("n", "[a", "<Plug>(AreYouJPreviousWaiting)", { desc = "Previous waiting session" })
  end
  if config.autostart then vim.schedule(M.start) end
end

---Connects to the daemon, and starts it if necessary.
function M.start() require("areyouj.app").start() end

---Disconnects. Sessions continue.
function M.stop() require("areyouj.app").stop() end

---Sends a request of the protocol; see |areyouj-protocol|.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
function M.request(method, params, callback) app().request(method, params, callback) end

---Known sessions, newest first.
---@param options? { all?: boolean } `all`: including terminated sessions.
---@return areyouj.Session[]
function M.sessions(options)
  local model = known()
  if not model then return {} end
  return options and options.all and model:all() or model:live()
end

---Open permission requests, oldest first.
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

---How many sessions have which status. Does not connect.
---@return areyouj.Counts
function M.counts() return require("areyouj.statusline").counts(M.sessions()) end

---A component for a status line, escaped for it. Empty until AreYouJ is used.
---@param options? { icons?: boolean }
---@return string
function M.statusline(options)
  local model = known()
  if not model then return "" end
  return require("areyouj.statusline").line(model.connection, model:live(), options)
end

---Opens the dashboard.
function M.dashboard() app().ui.dashboard() end

---Opens a session: its terminal if its driver is "terminal", else its transcript.
---@param session_id string
---@param place? areyouj.Place As configured if left out.
function M.open(session_id, place) app().ui.session(session_id, place) end

---Opens the transcript of a session with either driver.
---@param session_id string
---@param place? areyouj.Place As configured if left out.
function M.transcript(session_id, place) app().ui.transcript(session_id, place) end

---Creates a session.
---@param options? areyouj.NewSession
---@param callback? fun(problem?: areyouj.Problem, session?: areyouj.Session)
function M.new(options, callback) app().session.new(options or {}, callback) end

---Queues a message. Without a session, for the newest session of the working directory.
---@param text string
---@param session_id? string
---@param callback? fun(problem?: areyouj.Problem, message?: areyouj.Message)
function M.send(text, session_id, callback) app().queue.send(text, session_id, callback) end

---Switches the driver of a session.
---@param session_id string
---@param driver? areyouj.Driver The other driver if left out.
---@param options? { interrupt?: boolean } `interrupt`: interrupts the running turn instead of waiting for its end.
---@param callback? fun(problem?: areyouj.Problem, session?: areyouj.Session)
function M.switch_driver(session_id, driver, options, callback)
  app().session.switch_driver(session_id, driver, options or {}, callback)
end

---Answers a permission request.
---@param permission areyouj.Permission The request as it was displayed.
---@param answer areyouj.Answer
---@param callback? fun(problem?: areyouj.Problem, permission?: areyouj.Permission)
function M.answer(permission, answer, callback) app().session.answer(permission, answer, callback) end

---Asks for a session and opens it.
function M.switch() app().ui.switch() end

---Opens the next session that needs a person, or the previous one.
---@param step 1|-1
function M.next_waiting(step) app().ui.next_waiting(step) end

return M
