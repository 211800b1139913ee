---The footer of an automation: what needs a person, and the queue.
local problems = require("areyouj.problem")
local styled_lines = require("areyouj.views.styled_lines")
local text = require("areyouj.text")

local M = {}

---Upper bound on the queued messages displayed; the queue float has all.
local MAX_MESSAGES = 5
---Upper bound on a message or a reason, in characters.
local MAX_WORDS = 120

---@param model areyouj.Model
---@param id string
---@param problem? areyouj.Problem Why the output is not available.
---@return areyouj.StyledLines
function M.lines(model, id, problem)
  local built, session, connection = styled_lines.new(), model:session(id), model.connection
  local function warn(group, words, ...) built:add({ words, group }, ...) end
  built:add("")
  if connection.state == "failed" and connection.problem then
    warn("AreYouJError", text.plain(connection.problem.message, 300))
    built:add({ text.plain(connection.problem.hint, 300), "AreYouJDim" })
  elseif connection.state == "reconnecting" then
    warn("AreYouJWaiting", "Reconnecting to AreYouJ. Sessions continue in the meantime.")
  end
  if problem then
    warn("AreYouJError", text.plain(problem.message, 300))
    if problem.hint ~= "" then built:add({ text.plain(problem.hint, 300), "AreYouJDim" }) end
  end
  if not session then return built end
  if session.status == "error" and session.error then
    warn("AreYouJError", "Stopped with an error: ", text.plain(session.error.message, 300))
    built:add({ text.plain(problems.hint(session.error), 300), "AreYouJDim" })
    built:add({ "R", "AreYouJKey" }, { " restart", "AreYouJDim" })
  elseif session.attention and session.attention.kind == "terminal" then
    warn("AreYouJWaiting", text.plain(session.attention.title, 300) .. ": ", { "o", "AreYouJKey" }, {
      " show",
      "AreYouJDim",
    })
  elseif session.status == "starting" or session.statusReason then
    built:add({ text.plain(session.statusReason or "Claude is starting.", 300), "AreYouJDim" })
  end
  for _, message in ipairs(model:decisions(id)) do
    warn(
      "AreYouJWaiting",
      message.state == "interrupted" and "A message was interrupted: " or "A message failed: ",
      text.plain(message.text, MAX_WORDS)
    )
    if message.error then built:add({ text.plain(message.error, 300), "AreYouJDim" }) end
    built:add({ "u", "AreYouJKey" }, { " continue or skip", "AreYouJDim" })
  end
  local requests = #model:permissions(id)
  if requests > 0 then
    built:add(
      { text.count(requests, "open permission request") .. ": ", "AreYouJWaiting" },
      { "p", "AreYouJKey" },
      { " answer", "AreYouJDim" }
    )
  end
  local queue = model:queue(id)
  local waiting = queue and vim.tbl_filter(function(message) return message.state == "queued" end, queue.messages) or {}
  if #waiting > 0 or (queue and queue.paused) then
    local paused = queue and queue.paused
    built:add(
      { "Queue: ", "AreYouJHeader" },
      #waiting == 0 and "empty" or #waiting .. " waiting",
      { paused and "  Paused: " .. text.plain(paused, MAX_WORDS) or "", "AreYouJWaiting" },
      { "  gq", "AreYouJKey" }
    )
    for place, message in ipairs(waiting) do
      if place > MAX_MESSAGES then
        built:add({ ("  … and %d more"):format(#waiting - MAX_MESSAGES), "AreYouJDim" })
        break
      end
      built:add({ ("  %d "):format(place), "AreYouJDim" }, text.plain(message.text, MAX_WORDS))
    end
  end
  if session.status == "terminated" then
    built:add({ "Terminated. The transcript stays until you delete the session.", "AreYouJDim" })
  else
    built:add(
      { "i", "AreYouJKey" },
      { " message   ", "AreYouJDim" },
      { "gq", "AreYouJKey" },
      { " queue   ", "AreYouJDim" },
      { session.driver == "terminal" and "o" or "", "AreYouJKey" },
      { session.driver == "terminal" and " terminal   " or "", "AreYouJDim" },
      { "gs", "AreYouJKey" },
      { " sessions   ", "AreYouJDim" },
      { "g?", "AreYouJKey" },
      { " help", "AreYouJDim" }
    )
  end
  return built
end

return M
