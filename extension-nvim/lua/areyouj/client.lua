---The connection to the daemon: runs the sidecar as a client of Neovim's own language client, starts it again when it
---ends, and sends requests that may be lost again.
local config = require("areyouj.config")
local events = require("areyouj.events")
local problem = require("areyouj.problem")
local program = require("areyouj.program")

---@class areyouj.Connection
---@field state "stopped"|"connecting"|"connected"|"reconnecting"|"failed"
---@field problem? areyouj.Problem

---@class areyouj.Client
---@field connection areyouj.Connection How the connection stands now.
local M = { connection = { state = "stopped" } }

---How long a request is sent again by itself, in milliseconds: a daemon restart takes about one second.
local RETRY_FOR_MS = 10000
local FIRST_PAUSE_MS = 100
---No longer, so that a daemon that came back is noticed soon.
local LONGEST_PAUSE_MS = 1000
---Ends of the sidecar within `FAILURES_WITHIN_MS` after which it is not started again by itself.
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
---@type table? The running sidecar: Neovim's RPC client, once it has introduced itself.
local link = nil
---@type table? The same, from its start on.
local starting = nil
---@type integer? Neovim's id of the language client.
local lsp_id = nil
---Counts the runs that were begun; what belongs to an older run is not listened to.
local run = 0
---@type integer[]
local failures = {}
---@type table<table, true> Requests on their way, to be failed when the sidecar ends.
local pending = {}
---@type table<table, true> Requests that wait for a sidecar.
local parked = {}

local function now() return vim.uv.hrtime() / 1e6 end

---@param connection areyouj.Connection
local function set(connection)
  M.connection = connection
  emitter:emit("connection", connection)
end

---Listens to a notification of the daemon, or to `connection`. The latter tells `connected` for every new one: what was
---known has to be asked for again.
---@param name areyouj.NotificationMethod|"connection"
---@param listener fun(params: any)
---@return fun() stop
function M.on(name, listener) return emitter:on(name, listener) end

---Nulls of JSON as nil; before 0.12 Neovim does so by itself.
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

---Attaches the language client to a buffer, if it is one of an ordinary file.
---@param buffer integer
local function attach(buffer)
  if not lsp_id or not vim.api.nvim_buf_is_loaded(buffer) or vim.bo[buffer].buftype ~= "" then return end
  local name = vim.api.nvim_buf_get_name(buffer)
  if name == "" or name:match("^%a[%w+.-]+://") then return end
  vim.lsp.buf_attach_client(buffer, lsp_id)
end

---@type fun()
local begin

---@param message string
---@param mine integer
local function ended(message, mine)
  if mine ~= run then return end
  run = run + 1
  link, starting, lsp_id = nil, nil, nil
  local at = now()
  failures = vim.tbl_filter(function(earlier) return at - earlier < FAILURES_WITHIN_MS end, failures)
  table.insert(failures, at)
  local why = problem.new("sidecar_failed", message, "`:checkhealth areyouj` checks the installation.")
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
  local may_pass = M.connection.state ~= "failed"
  for _, request in ipairs(lost) do
    request.failed(problem.not_connected(why, may_pass))
  end
  if not may_pass then
    local waiting = vim.tbl_keys(parked)
    parked = {}
    for _, request in ipairs(waiting) do
      request.failed(problem.not_connected(why, false))
    end
  end
end

---@param change areyouj.ConnectionChanged
local function connection_is(change)
  if change.state == "connected" then return set({ state = "connected" }) end
  local why = change.error
  set({ state = "reconnecting", problem = why and problem.new(why.code, why.message, why.hint) or nil })
end

---Runs the sidecar as the transport of a language client: what fails in it is told here, once, rather than by the editor.
---@param path string Of the program.
---@param mine integer
---@return fun(dispatchers: table): table
local function transport(path, mine)
  return function(dispatchers)
    local refused ---@type string?
    local rpc = vim.lsp.rpc.start({ path, "lsp" }, {
      notification = dispatchers.notification,
      server_request = dispatchers.server_request,
      on_error = function() end,
      on_exit = function()
        vim.schedule(function() ended(refused or "The areyouj sidecar ended unexpectedly.", mine) end)
        dispatchers.on_exit(0, 0)
      end,
    }, { cwd = vim.uv.os_homedir() })
    assert(type(rpc) == "table", "it cannot be started")
    local wrapped = {
      notify = rpc.notify,
      is_closing = rpc.is_closing,
      terminate = rpc.terminate,
      request = function(method, params, callback, notified)
        return rpc.request(method, params, function(failed, result)
          if method == "initialize" and failed then
            refused = problem.of(failed).message
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

---@return table<string, fun(failed: any, params: any): any>
local function handlers(mine, state)
  local all = {
    ["areyouj/connectionChanged"] = function(_, change)
      if mine ~= run then return end
      state.told = decoded(change)
      if state.ready or change.state == "reconnecting" then connection_is(state.told) end
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
  local state = { ready = false, told = nil }
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
      link, lsp_id, state.ready = starting, client.id, true
      if config.get().attach then vim.tbl_map(attach, vim.api.nvim_list_bufs()) end
      connection_is(state.told or { state = "connected" })
      local waiting = vim.tbl_keys(parked)
      parked = {}
      for _, request in ipairs(waiting) do
        request.attempt()
      end
    end,
  }
  local ok, id
  if vim.fn.has("nvim-0.11") == 1 then
    ok, id = pcall(vim.lsp.start, lsp_config, { attach = false, reuse_client = function() return false end })
  else
    ---@diagnostic disable-next-line: deprecated -- The one way before 0.11.
    ok, id = pcall(vim.lsp.start_client, lsp_config)
  end
  if not ok or not id then ended("The areyouj sidecar could not be started: " .. tostring(id), mine) end
end

---Starts the sidecar, if it is not running. How it goes is told by `connection`.
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

---@type string? The folder that the daemon knows of.
local folder = nil

---The working directory of the editor changed; a request that names no session means one of this directory.
---@param directory string
function M.folder(directory)
  local before = folder or vim.fn.getcwd(-1, -1)
  folder = directory
  if not link then return end
  local function entry(path) return { uri = vim.uri_from_fname(path), name = vim.fs.basename(path) } end
  link.notify("workspace/didChangeWorkspaceFolders", {
    event = { added = { entry(directory) }, removed = before ~= directory and { entry(before) } or {} },
  })
end

---Ends the sidecar. Sessions go on.
function M.stop()
  run = run + 1
  local last = starting
  link, starting, lsp_id = nil, nil, nil
  vim.api.nvim_clear_autocmds({ group = group })
  set({ state = "stopped" })
  if last then last.terminate() end
  -- Those on their way are lost; whoever connects again within their time sends them again.
  local lost = vim.tbl_keys(pending)
  pending = {}
  for _, request in ipairs(lost) do
    request.failed(problem.not_connected(nil, true))
  end
end

---Ends the sidecar and starts it anew; also the way out of `failed`.
function M.restart()
  failures = {}
  M.stop()
  M.start()
end

---Sends a request, starting the sidecar if need be; while it fails in a way that may pass, it is sent again as it is, for
---ten seconds. The callback runs in the main loop, never at once.
---@param method areyouj.RequestMethod
---@param params table
---@param callback? fun(problem?: areyouj.Problem, result?: any)
function M.request(method, params, callback)
  M.start()
  if next(params) == nil then params = vim.empty_dict() end
  local deadline, pause = now() + RETRY_FOR_MS, FIRST_PAUSE_MS
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
    if not link then
      if M.connection.state == "failed" or M.connection.state == "stopped" then
        request.failed(problem.not_connected(M.connection.problem, false))
        return
      end
      parked[request] = true
      vim.defer_fn(function()
        if not parked[request] then return end
        parked[request] = nil
        done(problem.not_connected(M.connection.problem, false))
      end, math.max(1, math.floor(deadline - now())))
      return
    end
    pending[request] = true
    local sent = link.request(method, params, function(failed, result)
      -- Lost and failed already.
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

---Neovim's id of the language client, while there is one.
---@return integer?
function M.lsp_id() return lsp_id end

return M
