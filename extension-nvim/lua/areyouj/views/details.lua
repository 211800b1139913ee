---The details of a session in a float.
local problem = require("areyouj.problem")
local styled_lines = require("areyouj.views.styled_lines")
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
  local built = styled_lines.new()
  local function add(name, words)
    if words and words ~= "" then built:add({ text.pad(name, 16), "AreYouJDim" }, words) end
  end
  add("Session", session.id)
  add("Name", session.name and text.plain(session.name, 100))
  add("Directory", text.exact_line(session.directory))
  add("Status", status.of(session.status).word .. ", for " .. text.since(text.now() - session.statusSince))
  add("Reason", session.statusReason and text.plain(session.statusReason, 300))
  add("Needs you", session.attention and text.plain(session.attention.title, 300))
  local refusals = session.refusals
  add("Refused", refusals and ("%s. %s"):format(text.count(refusals.count, "request"), text.plain(refusals.title, 300)))
  add("Current task", text.plain(session.currentTask or "No active task", 300))
  add(
    "Queue",
    text.count(session.queued, "waiting message")
      .. (session.queuePaused and ", paused: " .. text.plain(session.queuePaused, 200) or "")
  )
  add("Model", session.model and text.plain(session.model, 100))
  add("Permission mode", session.permissionMode and text.plain(session.permissionMode, 100))
  local context, used, max = text.context(session), session.contextUsed or 0, session.contextMax or 0
  add("Context", context and ("%d%% (%s of %s tokens)"):format(context, text.tokens(used), text.tokens(max)))
  add("Cost", (session.driver ~= "terminal" or session.costUsd > 0) and text.cost(session.costUsd) or nil)
  add("Driver", status.drivers[session.driver])
  add("Created", moment(session.createdAt))
  add("Last activity", moment(session.lastActivity))
  add("Process", session.pid and tostring(session.pid))
  if session.error then
    built
      :add("")
      :add({ text.plain(session.error.message, 300), "AreYouJError" })
      :add({ text.plain(problem.hint(session.error), 300), "AreYouJDim" })
    built:all(text.lines(session.error.log or ""), "  ", "AreYouJDim")
  end
  window.page(text.name(session), built)
end

return M
