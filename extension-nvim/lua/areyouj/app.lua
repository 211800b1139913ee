---Composition root: creates the model of the daemon and gives each part the interfaces that it needs.
local Model = require("areyouj.model")
local alerts = require("areyouj.alerts")
local automation = require("areyouj.views.automation")
local client = require("areyouj.client")
local composer = require("areyouj.views.composer")
local daemon_actions = require("areyouj.actions.daemon")
local dashboard = require("areyouj.views.dashboard")
local highlight = require("areyouj.highlight")
local logs = require("areyouj.views.logs")
local new_session = require("areyouj.views.new_session")
local permission = require("areyouj.views.permission")
local queue = require("areyouj.views.queue")
local queue_actions = require("areyouj.actions.queue")
local screen = require("areyouj.views.screen")
local session_actions = require("areyouj.actions.session")
local session_page = require("areyouj.views.session_page")
local switch = require("areyouj.views.switch")
local ui = require("areyouj.ui")

local M = {}

local daemon = client --[[@as areyouj.Daemon]]
local request = daemon.request
local model = Model.new(daemon)
M.model, M.request, M.ui, M.session, M.queue = model, request, ui, session_actions, queue_actions
M.restart_daemon = daemon_actions.restart

daemon_actions.setup({ request = request, request_once = daemon.request_once })
session_actions.setup({ model = model, request = request })
queue_actions.setup({ model = model, request = request })
automation.setup({ model = model, daemon = daemon })
composer.setup({ model = model, request = request })
dashboard.setup({ model = model })
logs.setup({ request = request })
new_session.setup({ model = model, request = request })
queue.setup({ model = model })
screen.setup({ model = model, request = request })
session_page.setup({ model = model, request = request })
switch.setup({ model = model })
permission.setup({ model = model })
alerts.setup({ model = model, is_displayed = session_page.is_displayed })
highlight.setup()

local started = false

---Connects, and starts the daemon if necessary.
function M.start()
  started = true
  client.start()
end

---Disconnects. Sessions continue.
function M.stop() client.stop() end

---Restarts the sidecar.
function M.restart() client.restart() end

---Whether the plugin has connected at least once.
---@return boolean
function M.is_used() return started end

---Connects on first use. After `stop` it does not connect again.
function M.use()
  if not started then M.start() end
end

return M
