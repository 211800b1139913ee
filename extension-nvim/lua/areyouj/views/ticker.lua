---One timer for relative times and spinners. It stops while nothing needs it.
local config = require("areyouj.config")

local M = {}

---The interval of a spinner: eight small updates a second look like movement.
local FAST_MS = 120
---The interval of relative times.
local SLOW_MS = 1000

---How soon a follower needs the next tick; nil until `wake`.
---@alias areyouj.Pace ("fast"|"slow")?

---@alias areyouj.Follower fun(): areyouj.Pace

---@type table<areyouj.Follower, boolean>
local followers = {}
---@type uv.uv_timer_t?
local timer = nil
---@type integer?
local interval = nil

local FRAMES = {
  [true] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" },
  [false] = { "|", "/", "-", "\\" },
}

---The present frame of a spinner.
---@return string
function M.spinner()
  local frames = FRAMES[config.get().icons]
  return frames[math.floor(vim.uv.now() / FAST_MS) % #frames + 1] or ""
end

local function tick()
  local pace = nil ---@type integer?
  for follower in pairs(followers) do
    local wanted = follower()
    if wanted == "fast" then
      pace = FAST_MS
    elseif wanted == "slow" then
      pace = pace or SLOW_MS
    end
  end
  if pace == interval then return end
  interval = pace
  if not pace then
    if timer then timer:stop() end
    return
  end
  timer = timer or assert(vim.uv.new_timer())
  timer:start(pace, pace, vim.schedule_wrap(tick))
end

---Asks all followers again, after a change.
function M.wake() tick() end

---Calls a function at each tick until the returned function is called.
---@param follower areyouj.Follower
---@return fun() stop
function M.follow(follower)
  followers[follower] = true
  tick()
  return function()
    followers[follower] = nil
    tick()
  end
end

return M
