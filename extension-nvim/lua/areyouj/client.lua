---The connection to the daemon. Runs the sidecar as a server of Neovim's language client, restarts it when it exits, and
---retries requests that may have been lost.
local config = require("areyouj.config")
local events = require("areyouj.events")
local problem = require("areyouj.problem")
local program = require("areyouj.program")

---@class areyouj.Connection
---@field state "stopped"|"connecting"|"connected"|"reconnecting"|"failed"
---@field problem? areyouj.Problem

---@class areyouj.Client
---@field connection areyouj.Connection The present state of the connection.
local M = { connection = { state = "stopped" } }

---How long a request is retried, in milliseconds. A daemon restart takes about one second.
local RETRY_FOR_MS = 10000
local FIRST_PAUSE_MS = 100
---An upper bound, so that a retry reaches a restarted daemon soon.
local LONGEST_PAUSE_MS = 1000
---Exits of the sidecar within `FAILURES_WITHIN_MS` after which it is not restarted automatically.
local MAX_FAILURES = 5
local FAILURES_WITHIN_MS = 60000
local FIRST_RESTART_MS = 250
local LONGEST_RESTART_MS = 4000

local NOTIFICATIONS = {
  "areyouj/sessionListUpdate",
  "areyouj/sessionCreated",
  "areyouj/sessionTerminated",
  "areyouj/sessionStatusChanged",
  "areyouj/queueUpdate",
  "areyouj/permissionUpdate",
  "areyouj/claudeOutput",
  "areyouj/resync",
}

local emitter = events.new()
local group = vim.api.nvim_create_augroup("areyouj.client", {})
---@type table? The RPC client of the running sidecar, once it is initialized.
local sidecar = nil
---@type table? The RPC client of the sidecar from its start on.
local starting = nil
---@type integer? Neovim's id of the language client.
local lsp_id = nil
---The number of the current run of the sidecar. Events of an older run are ignored.
local run = 0
---@type integer[]
local failures = {}
---@type table<table, true> Sent requests without an answer. They fail when the sidecar exits.
local pending = {}
---@type table<table, true> Requests that wait for a sidecar.
local held = {}

local function now() return vim.uv.hrtime() / 1e6 end

---@param connection areyouj.Connection
local function set(connection)
  M.connection = connection
  emitter:emit("connection", connection)
end

---Subscribes to a notification of the daemon, or to `connection`. `connection` reports `connected` for each new connection;
---a subscriber must then fetch again what it knows.
---@param name areyouj.NotificationMethod|"connection"
---@param listener fun(params: any)
---@return fun() stop
function M.on(name, listener) return emitter:on(name, listener) end

---Replaces JSON nulls by nil. Neovim before 0.12 does this itself.
---@param value any
---@return any
local function without_null(value)
  if value == vim.NIL then return nil end
  if type(value) == "table" then
    for key, inner in pairs(value) do
      if inner == vim.NIL then
        value[key] = nil
      elseif type(inner) == "table" then
        without_null(inner)
      end
    end
  end
  return value
end
local decoded = vim.fn.has("nvim-0.12") == 1 and without_null or function(value) return value end

---Attaches the language client to a buffer of an ordinary file.
---@param buffer integer
local function attach(buffer)
  if not lsp_id or not vim.api.nvim_buf_is_loaded(buffer) or vim.bo[buffer].buftype ~= "" then return end
  local name = vim.api.nvim_buf_get_name(buffer)
  if name == "" or name:match("^%a[%w+.-]+://") then return end
  vim.lsp.buf_attach_client(buffer, lsp_id)
end

---@type fun()
local begin

---Restarts the sidecar after it exited, and fails its pending requests.
---@param message string
---@param mine integer The number of the run.
local function exited(message, mine)
  if mine ~= run then return end
  run = run + 1
  sidecar, starting, lsp_id = nil, nil, nil
  local at = now()
  failures = vim.tbl_filter(function(earlier) return at - earlier < FAILURES_WITHIN_MS end, failures)
  table.insert(failures, at)
  local why = problem.new("sidecar_failed", message, "Run `:checkhealth areyouj` to check the installation.")
  local lost = vim.tbl_keys(pending)
  pending = {}
  if #failures >= MAX_FAILURES then
    set({ state = "failed", problem = why })
  else
    set({ state = M.connection.state == "connecting" and "connecting" or "reconnecting" })
    local again = run
    local pause = math.min(FIRST_RESTART_MS * 2 ^ (#failures - 1), LONGEST_RESTART_MS)
    vim.defer_fn(function()
      if again == run then begin() end
    end, pause --[[@as integer]])
  end
  local retryable = M.connection.state ~= "failed"
  for _, request in ipairs(lost) do
    request.failed(problem.not_connected(why, retryable))
  end
  if not retryable then
    local waiting = vim.tbl_keys(held)
    held = {}
    for _, request in ipairs(waiting) do
      request.failed(problem.not_connected(why, false))
    end
  end
end

---@param change areyouj.ConnectionChanged
local function daemon_connection_changed(change)
  if change.state == "connected" then return set({ state = "connected" }) end
  local why = change.error
  set({ state = "reconnecting", problem = why and problem.new(why.code, why.message, problem.hint(why)) or nil })
end

---Runs the sidecar as the transport of a language client. Its failures are reported here, once, instead of by Neovim.
---@param path string Of the program.
---@param mine integer
---@return fun(dispatchers: table): table
local function transport(path, mine)
  return function(dispatchers)
    local refusal ---@type string?
    local rpc = vim.lsp.rpc.start({ path, "lsp" }, {
      notification = dispatchers.notification,
      server_request = dispatchers.server_request,
      on_error = function() end,
      on_exit = function()
        vim.schedule(function() exited(refusal or "The areyouj sidecar exited unexpectedly.", mine) end)
        dispatchers.on_exit(0, 0)
      end,
    }, { cwd = vim.uv.os_homedir() })
    assert(type(rpc) == "table", "the program cannot be started")
    local wrapped = {
      notify = rpc.notify,
      is_closing = rpc.is_closing,
      terminate = rpc.terminate,
      request = function(method, params, callback, notified)
        return rpc.request(method, params, function(failed, result)
          if method == "initialize" and failed then
            refusal = problem.of(failed).message
            rpc.terminate()
          else
            callback(failed, result)
          end
        end, notified)
      end,
    }
    if mine == run then starting = wrapped end
    return wrapped
  end
end

---Handlers of notifications.
---@param mine integer
---@param state { ready: boolean, daemon: areyouj.ConnectionChanged? } `daemon`: the last news about its connection.
---@return table<string, fun(failed: any, params: any): any>
local function handlers(mine, state)
  local all = {
    ["areyouj/connectionChanged"] = function(_, change)
      if mine ~= run then return end
      state.daemon = decoded(change)
      if state.ready or change.state == "reconnecting" then daemon_connection_changed(state.daemon) end
    end,
  }
  for _, name in ipairs(NOTIFICATIONS) do
    all[name] = function(_, params)
      if mine == run then emitter:emit(name, decoded(params)) end
    end
  end
  return all
end

begin = function()
  run = run + 1
  local mine = run
  local path, missing = program.find()
  if not path then return set({ state = "failed", problem = missing }) end
  local state = { ready = false, daemon = nil }
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.experimental = { areyouj = vim.empty_dict() }
  local lsp_config = {
    name = "areyouj",
    cmd = transport(path, mine),
    root_dir = vim.fn.getcwd(),
    capabilities = capabilities,
    handlers = handlers(mine, state),
    on_init = function(client)
      if mine ~= run then return end
      sidecar, lsp_id, state.ready = starting, client.id, true
      if config.get().attach then vim.tbl_map(attach, vim.api.nvim_list_bufs()) end
      daemon_connection_changed(state.daemon or { state = "connected" })
      local waiting = vim.tbl_keys(held)
      held = {}
      for _, request in ipairs(waiting) do
        request.attempt()
      end
    end,
  }
  local ok, id
  if vim.fn.has("nvim-0.11") == 1 then
    ok, id = pcall(vim.lsp.start, lsp_config, { attach = false, reuse_client = function() return false end })
  else
    ---@diagnostic disable-next-line: deprecated -- Needed before 0.11.
    ok, id = pcall(vim.lsp.start_client, lsp_config)
  end
  if not ok or not id then exited("The areyouj sidecar could not be started: " .. tostring(id), mine) end
end

---Starts the sidecar if it is not running. `connection` reports the result.
function M.start()
  if M.connection.state ~= "stopped" then return end
  vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile", "BufFilePost" }, {
    group = group,
    callback = function(event)
      if config.get().attach then attach(event.buf) end
    end,
  })
  vim.api.nvim_create_autocmd("DirChanged", {
    group = group,
    pattern = "global",
    callback = function(event) M.folder(event.file) end,
  })
  vim.api.nvim_create_autocmd("VimLeavePre", { group = group, callback = M.stop })
  set({ state = "connecting" })
  begin()
end

---@type string? The workspace folder that the daemon knows.
local folder = nil

---Reports a new working directory. A request that names no session means a session of this directory.
---@param directory string
function M.folder(directory)
  local before = folder or vim.fn.getcwd(-1, -1)
  folder = directory
  if not sidecar then return end
  local function entry(path) return { uri = vim.uri_from_fname(path), name = vim.fs.basename(path) } end
  sidecar.notify("workspace/didChangeWorkspaceFolders", {
    event = { added = { entry(directory) }, removed = before ~= directory and { entry(before) } or {} },
  })
end

---Stops the sidecar. Sessions continue.
function M.stop()
  run = run + 1
  local last = starting
  sidecar, starting, lsp_id = nil, nil, nil
  vim.api.nvim_clear_autocmds({ group = group })
  set({ state = "stopped" })
  if last then last.terminate() end
  -- Their retries succeed if the sidecar starts again in time.
  local lost = vim.tbl_keys(pending)
  pending = {}
  for _, request in ipairs(lost) do
    request.failed(problem.not_connected(nil, true))
  end
end

---Restarts the sidecar, also from the state `failed`.
function M.restart()
  failures = {}
  M.stop()
  M.start()
end

---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
---@param retry_for number In milliseconds; 0 for one attempt, which does not wait for a connection either.
local function send(method, params, callback, retry_for)
  M.start()
  if next(params) == nil then params = vim.empty_dict() end
  local deadline, pause = now() + retry_for, FIRST_PAUSE_MS
  local request = {}

  local function done(failed, result)
    if callback then callback(failed, result) end
  end

  function request.failed(why)
    if not why.retryable or now() + pause > deadline then
      vim.schedule(function() done(why) end)
    else
      vim.defer_fn(request.attempt, pause)
      pause = math.min(pause * 2, LONGEST_PAUSE_MS)
    end
  end

  function request.attempt()
    if not sidecar then
      if M.connection.state == "failed" or M.connection.state == "stopped" then
        request.failed(problem.not_connected(M.connection.problem, false))
        return
      end
      if retry_for == 0 then return request.failed(problem.not_connected(M.connection.problem, true)) end
      held[request] = true
      vim.defer_fn(function()
        if not held[request] then return end
        held[request] = nil
        done(problem.not_connected(M.connection.problem, false))
      end, math.max(1, math.floor(deadline - now())))
      return
    end
    pending[request] = true
    local sent = sidecar.request(method, params, function(failed, result)
      -- Failed already, with the exit of the sidecar.
      if not pending[request] then return end
      pending[request] = nil
      if failed then
        request.failed(problem.of(decoded(failed)))
      else
        done(nil, decoded(result))
      end
    end)
    if not sent then
      pending[request] = nil
      request.failed(problem.not_connected(nil, true))
    end
  end

  request.attempt()
end

---Sends a request, and starts the sidecar if necessary. A request that fails with a retryable problem is retried for
---ten seconds. The callback runs later, in the main loop.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
function M.request(method, params, callback) send(method, params, callback, RETRY_FOR_MS) end

---The same without retries: for a request whose repetition would do something else.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
function M.request_once(method, params, callback) send(method, params, callback, 0) end

---Neovim's id of the language client, while it runs.
---@return integer?
function M.lsp_id() return lsp_id end

return M
