local daemon = require("areyouj.actions.daemon")
local problem = require("areyouj.problem")
local wait = require("lib.wait")
local same = wait.same

local AWAY = problem.new("daemon_unavailable", "The connection was lost.", "", true)

---Restarts a daemon that answers status requests in this order, the last one forever.
---@param stop areyouj.Problem? The answer to the request to stop.
---@param answers (areyouj.Problem|{ pid: integer })[]
---@return areyouj.Problem? failed
---@return areyouj.DaemonStatus? status
---@return table[] stops The parameters of each request to stop.
local function restart(stop, answers)
  local stops = {}
  local function answer(method, params, callback)
    if method == "areyouj/daemon/stop" then
      table.insert(stops, params)
      return callback(stop)
    end
    local next_one = #answers > 1 and table.remove(answers, 1) or answers[1]
    if next_one.code then return callback(next_one) end
    callback(nil, vim.tbl_extend("keep", next_one, { startedAt = next_one.pid, version = "1.0" }))
  end
  daemon.setup({ request = answer, request_once = answer })
  local done, failed, status = false, nil, nil
  daemon.restart(function(...)
    done, failed, status = true, ...
  end)
  wait.until_true("the outcome", function() return done end)
  return failed, status, stops
end

return {
  tests = {
    {
      "a restart stops the daemon once, keeps the sessions, and waits for the next daemon",
      function()
        local failed, status, stops = restart(nil, { { pid = 1 }, { pid = 1 }, AWAY, { pid = 2 } })
        same("problem", failed, nil)
        same("daemon", status and status.pid, 2)
        same("stops", stops, { { sessions = false } })
      end,
    },
    {
      "a restart whose answer is lost counts by the daemon that follows",
      function()
        local failed, status, stops = restart(AWAY, { { pid = 1 }, { pid = 2 } })
        same("outcome", { failed, status and status.pid, #stops }, { nil, 2, 1 })
      end,
    },
    {
      "a restart that the daemon refuses, or after which none starts, reports why",
      function()
        local refused = problem.new("not_allowed", "A process in a session cannot stop the daemon.")
        same("refused", (restart(refused, { { pid = 1 } })), refused)
        local broken = problem.new("daemon_start_failed", "The disk is full.")
        same("broken", (restart(nil, { { pid = 1 }, AWAY, broken })), broken)
      end,
    },
    {
      "restart can be shortened beside restart-daemon",
      function()
        local command = require("areyouj.command")
        local ran = {}
        local before = vim.deepcopy(command.subcommands)
        for _, name in ipairs({ "restart", "restart-daemon" }) do
          command.subcommands[name] = { run = function() table.insert(ran, name) end, offline = true }
        end
        for _, typed in ipairs({ "res", "restart", "restart-", "restart-daemon" }) do
          command.run({ args = typed, bang = false, range = 0 })
        end
        for name, subcommand in pairs(before) do
          command.subcommands[name] = subcommand
        end
        same("subcommands", ran, { "restart", "restart", "restart-daemon", "restart-daemon" })
      end,
    },
  },
}
