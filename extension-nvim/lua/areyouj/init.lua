---AreYouJ for Neovim: the documented Lua API.
local M = {}

---@class areyouj.Counts
---@field active integer Sessions that work or start.
---@field waiting integer Sessions that need an answer or a decision.
---@field error integer Sessions that failed.
---@field idle integer Sessions that are ready for a message.
---@field total integer All but the terminated ones.

---@type areyouj.Model?
local model = nil

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

---What is known of the daemon. The first call connects.
---@return areyouj.Model
function M.model()
  if not model then
    local client = require("areyouj.client")
    model = require("areyouj.model").new(client --[[@as areyouj.Daemon]])
    require("areyouj.highlight").setup()
    require("areyouj.alerts").follow(model)
    require("areyouj.views.permission").follow(model)
    client.start()
  end
  return model
end

---Connects to the daemon, starting it if need be.
function M.start()
  M.model()
  require("areyouj.client").start()
end

---Disconnects. Sessions go on.
function M.stop() require("areyouj.client").stop() end

---Sends a request of the protocol; see |areyouj-protocol|.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
function M.request(method, params, callback)
  M.model()
  require("areyouj.client").request(method, params, callback)
end

---Sessions as last known, newest first.
---@param options? { all?: boolean } `all`: terminated ones too.
---@return areyouj.Session[]
function M.sessions(options)
  if not model then return {} end
  return options and options.all and model:all() or model:live()
end

---Open prompts as last known, oldest first.
---@return areyouj.Permission[]
function M.permissions() return model and model:permissions() or {} end

---@return areyouj.Connection
function M.connection() return model and model.connection or { state = "stopped" } end

---How many sessions stand how. Connects nothing.
---@return areyouj.Counts
function M.counts() return require("areyouj.status").counts(M.sessions()) end

---A component for a status line, escaped for it; empty as long as nothing was asked of AreYouJ.
---@param options? { icons?: boolean }
---@return string
function M.statusline(options)
  if not model then return "" end
  return require("areyouj.status").statusline(model.connection, model:live(), options)
end

---Opens the dashboard.
function M.dashboard() require("areyouj.views.dashboard").open() end

---Opens a session: Claude's own screen of one that has one, else its transcript.
---@param session_id string
---@param place? "current"|"tab"|"split"|"vsplit" Where; as configured if left out.
function M.open(session_id, place) require("areyouj.views.session_page").open(session_id, place) end

---Opens the transcript of a session, whatever its form.
---@param session_id string
---@param place? "current"|"tab"|"split"|"vsplit" Where; as configured if left out.
function M.transcript(session_id, place) require("areyouj.views.automation").open(session_id, place) end

---Creates a session.
---@param options? { directory?: string, name?: string, driver?: areyouj.Driver, model?: string, permission_mode?: string, message?: string, open?: boolean }
---@param callback? fun(problem?: areyouj.Problem, session?: areyouj.Session)
function M.new(options, callback) require("areyouj.actions").new(options or {}, callback) end

---Queues a message. Without a session: the newest one of the working directory.
---@param text string
---@param session_id? string
---@param callback? fun(problem?: areyouj.Problem, message?: areyouj.Message)
function M.send(text, session_id, callback) require("areyouj.actions").send(text, session_id, callback) end

---Moves a session to its other form: to a terminal or to a stream.
---@param session_id string
---@param driver? areyouj.Driver Where to; the form that it does not have if left out.
---@param options? { interrupt?: boolean } `interrupt`: breaks off the running turn instead of waiting for its end.
---@param callback? fun(problem?: areyouj.Problem, session?: areyouj.Session)
function M.move(session_id, driver, options, callback)
  require("areyouj.actions").switch_driver(session_id, driver, options or {}, callback)
end

---Answers a prompt.
---@param permission_id string
---@param answer areyouj.Answer
---@param callback? fun(problem?: areyouj.Problem, permission?: areyouj.Permission)
function M.answer(permission_id, answer, callback) require("areyouj.actions").answer(permission_id, answer, callback) end

---Chooses a session and opens it.
function M.switch() require("areyouj.views.switch").open() end

---Goes to the next session that needs a person, or the previous one.
---@param step 1|-1
function M.next_waiting(step) require("areyouj.views.switch").next_waiting(step) end

return M
