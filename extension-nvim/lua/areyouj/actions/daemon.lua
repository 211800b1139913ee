---Actions on the daemon itself.
local problem = require("areyouj.problem")

local M = {}

---A daemon that stops can take this long to finish its writes, in milliseconds. `areyouj daemon stop` waits as long.
local RESTART_WITHIN_MS = 30000
local POLL_EVERY_MS = 100

local request, request_once ---@type areyouj.Requester, areyouj.Requester

---@param ports { request: areyouj.Requester, request_once: areyouj.Requester }
function M.setup(ports)
  request, request_once = ports.request, ports.request_once
end

---Stops the daemon and waits for the next one, which the sidecar starts when it loses its connection. Sessions keep
---running.
---@param callback fun(failed?: areyouj.Problem, status?: areyouj.DaemonStatus)
function M.restart(callback)
  request("areyouj/daemon/status", {}, function(unknown, before)
    if unknown then return callback(unknown) end
    local deadline = vim.uv.now() + RESTART_WITHIN_MS
    local last ---@type areyouj.Problem?

    local function poll()
      request_once("areyouj/daemon/status", {}, function(failed, after)
        if failed and not failed.retryable then return callback(failed) end
        last = failed or last
        if after and (after.pid ~= before.pid or after.startedAt ~= before.startedAt) then
          return callback(nil, after)
        end
        if vim.uv.now() >= deadline then
          local hint = "Run `:checkhealth areyouj` to find the cause."
          local message = ("The daemon did not restart within %d seconds."):format(RESTART_WITHIN_MS / 1000)
          return callback(last or problem.new("timeout", message, hint))
        end
        vim.defer_fn(poll, POLL_EVERY_MS)
      end)
    end

    -- Not repeated: the repetition of a request whose answer was lost would stop the new daemon.
    request_once("areyouj/daemon/stop", { sessions = false }, function(failed)
      if failed and not failed.retryable then return callback(failed) end
      last = failed
      poll()
    end)
  end)
end

return M
