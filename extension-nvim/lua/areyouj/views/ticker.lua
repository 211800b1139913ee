---One clock for everything that moves by itself: relative times and spinners. It stands still while nothing needs it.
local config = require("areyouj.config")

local M = {}

---A spinner's pace: seen as movement, and eight small updates a second.
local FAST_MS = 120
---The pace of relative times.
local SLOW_MS = 1000

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

---The picture of a spinner now.
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

---Something changed: whoever stood still may move now.
function M.poke() tick() end

---Calls a function at each tick; what it returns says when it is needed again: soon, in a second, or not before `poke`.
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
