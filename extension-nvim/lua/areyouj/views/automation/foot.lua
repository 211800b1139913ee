---The end of an automation: what needs a person, and what waits.
local page = require("areyouj.views.styled_lines")
local text = require("areyouj.text")

local M = {}

---Messages of the queue that are shown; the queue float has all.
local MAX_MESSAGES = 5
---Columns of a message or a reason.
local MAX_WORDS = 120

---@param model areyouj.Model
---@param id string
---@param problem? areyouj.Problem Why its output cannot be had.
---@return areyouj.Page
function M.page(model, id, problem)
  local built, session, connection = page.new(), model:session(id), model.connection
  local function warn(group, words, ...) built:add({ words, group }, ...) end
  built:add("")
  if connection.state == "failed" and connection.problem then
    warn("AreYouJError", text.plain(connection.problem.message, 300))
    built:add({ text.plain(connection.problem.hint, 300), "AreYouJDim" })
  elseif connection.state == "reconnecting" then
    warn("AreYouJWaiting", "Reconnecting to AreYouJ. Sessions go on meanwhile.")
  end
  if problem then
    warn("AreYouJError", text.plain(problem.message, 300))
    if problem.hint ~= "" then built:add({ text.plain(problem.hint, 300), "AreYouJDim" }) end
  end
  if not session then return built end
  if session.status == "error" and session.error then
    warn("AreYouJError", "Stopped by an error: ", text.plain(session.error.message, 300))
    built:add({ text.plain(session.error.hint, 300), "AreYouJDim" })
    built:add({ "R", "AreYouJKey" }, { " restarts", "AreYouJDim" })
  elseif session.attention and session.attention.kind == "terminal" then
    warn("AreYouJWaiting", text.plain(session.attention.title, 300) .. ": ", { "o", "AreYouJKey" }, {
      " shows it",
      "AreYouJDim",
    })
  elseif session.status == "starting" or session.statusReason then
    built:add({ text.plain(session.statusReason or "Claude starts.", 300), "AreYouJDim" })
  end
  for _, message in ipairs(model:decisions(id)) do
    warn(
      "AreYouJWaiting",
      message.state == "interrupted" and "A message was cut off: " or "A message failed: ",
      text.plain(message.text, MAX_WORDS)
    )
    if message.error then built:add({ text.plain(message.error, 300), "AreYouJDim" }) end
    built:add({ "u", "AreYouJKey" }, { " decides what becomes of it", "AreYouJDim" })
  end
  local prompts = #model:permissions(id)
  if prompts > 0 then
    built:add(
      { prompts == 1 and "1 prompt waits for you: " or prompts .. " prompts wait for you: ", "AreYouJWaiting" },
      { "p", "AreYouJKey" },
      { " answers", "AreYouJDim" }
    )
  end
  local queue = model:queue(id)
  local waiting = queue and vim.tbl_filter(function(message) return message.state == "queued" end, queue.messages) or {}
  if #waiting > 0 or (queue and queue.paused) then
    local paused = queue and queue.paused
    built:add(
      { "Queue: ", "AreYouJHeader" },
      #waiting == 0 and "nothing waits" or #waiting .. " waiting",
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
    built:add({ "Terminated. The transcript stays until the session is deleted.", "AreYouJDim" })
  else
    built:add(
      { "i", "AreYouJKey" },
      { " write   ", "AreYouJDim" },
      { "gq", "AreYouJKey" },
      { " queue   ", "AreYouJDim" },
      { session.driver == "terminal" and "o" or "", "AreYouJKey" },
      { session.driver == "terminal" and " screen   " or "", "AreYouJDim" },
      { "gs", "AreYouJKey" },
      { " switch   ", "AreYouJDim" },
      { "g?", "AreYouJKey" },
      { " help", "AreYouJDim" }
    )
  end
  return built
end

return M
