---Everything about one session, in a float.
local page = require("areyouj.views.styled_lines")
local status = require("areyouj.status")
local text = require("areyouj.text")
local window = require("areyouj.views.window")

local M = {}

---@param at integer
---@return string
local function moment(at)
  return os.date("%Y-%m-%d %H:%M:%S", math.floor(at / 1000)) --[[@as string]]
end

---@param session areyouj.Session
function M.open(session)
  local built = page.new()
  local function fact(name, words)
    if words and words ~= "" then built:add({ text.pad(name, 14), "AreYouJDim" }, words) end
  end
  fact("Session", session.id)
  fact("Name", session.name and text.plain(session.name, 100))
  fact("Directory", text.exact_line(session.directory))
  fact("Status", status.of(session.status).word .. ", for " .. text.since(text.now() - session.statusSince))
  fact("Reason", session.statusReason and text.plain(session.statusReason, 300))
  fact("Needs you", session.attention and text.plain(session.attention.title, 300))
  fact("Current task", text.plain(session.currentTask or "No active task", 300))
  fact(
    "Queue",
    text.count(session.queued, "waiting message")
      .. (session.queuePaused and ", paused: " .. text.plain(session.queuePaused, 200) or "")
  )
  fact("Model", session.model and text.plain(session.model, 100))
  fact("Mode", session.permissionMode and text.plain(session.permissionMode, 100))
  local context, used, max = text.context(session), session.contextUsed or 0, session.contextMax or 0
  fact("Context", context and ("%d%% (%s of %s tokens)"):format(context, text.tokens(used), text.tokens(max)))
  fact("Cost", (session.driver ~= "terminal" or session.costUsd > 0) and text.cost(session.costUsd) or nil)
  fact("Form", session.driver)
  fact("Created", moment(session.createdAt))
  fact("Last activity", moment(session.lastActivity))
  fact("Process", session.pid and tostring(session.pid))
  if session.error then
    built
      :add("")
      :add({ text.plain(session.error.message, 300), "AreYouJError" })
      :add({ text.plain(session.error.hint, 300), "AreYouJDim" })
    built:all(text.lines(session.error.log or ""), "  ", "AreYouJDim")
  end
  window.page(text.name(session), built)
end

return M
