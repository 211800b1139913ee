---Actions on messages and on the queue of a session. The id of a message and the request id of a change make repeated
---requests harmless.
local problem = require("areyouj.problem")
local text = require("areyouj.text")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---@param ports { model: areyouj.Model, request: areyouj.Requester }
function M.setup(ports)
  model, request = ports.model, ports.request
end

---Queues a message.
---@param words string
---@param session_id? string The newest session of the working directory if left out.
---@param callback? fun(failed?: areyouj.Problem, message?: areyouj.Message)
---@param steer? boolean Sends it into the running turn.
function M.send(words, session_id, callback, steer)
  local method = steer and "areyouj/queue/steer" or "areyouj/queue/add"
  local params = { sessionId = session_id, message = { id = text.uuid(), text = words } }
  request(method, params, callback or problem.report)
end

---Sends a waiting message into the running turn.
---@param message areyouj.Message
function M.steer(message)
  local params = { sessionId = message.sessionId, message = { id = message.id, text = message.text } }
  request("areyouj/queue/steer", params, problem.report)
end

---@param message_id string
---@param words string
---@param callback? fun(failed?: areyouj.Problem, message?: areyouj.Message)
function M.edit(message_id, words, callback)
  local params = { requestId = text.uuid(), messageId = message_id, text = words }
  request("areyouj/queue/edit", params, callback or problem.report)
end

---@param message areyouj.Message
function M.remove(message)
  request("areyouj/queue/remove", { requestId = text.uuid(), messageId = message.id }, problem.report)
end

---@param message_id string
---@param position integer Among the waiting ones, from 0.
function M.move(message_id, position)
  local params = { requestId = text.uuid(), messageId = message_id, position = position }
  request("areyouj/queue/move", params, problem.report)
end

---@param session_id string
---@param paused boolean
function M.pause(session_id, paused)
  local params = { requestId = text.uuid(), sessionId = session_id }
  request(paused and "areyouj/queue/pause" or "areyouj/queue/resume", params, problem.report)
end

---Removes all waiting messages, after a question if there are several.
---@param session_id string
---@param count integer
function M.clear(session_id, count)
  local function go()
    request("areyouj/queue/clear", { requestId = text.uuid(), sessionId = session_id }, problem.report)
  end
  if count <= 1 then return go() end
  window.confirm("Clear the queue?", { ("This removes %d waiting messages."):format(count) }, go)
end

local CHOICES = {
  continue = "Continue: ask Claude to continue from where it was interrupted",
  again = "Send again: send the same message once more",
  skip = "Skip: leave the message and continue with the queue",
}

---Asks how to continue after a message that was interrupted or failed.
---@param session_id string
function M.recover(session_id)
  local message = model:decisions(session_id)[1]
  if not message then
    vim.api.nvim_echo({ { "No message needs a decision." } }, false, {})
    return
  end
  local interrupted = message.state == "interrupted"
  vim.ui.select(interrupted and { "continue", "again", "skip" } or { "again", "skip" }, {
    prompt = (interrupted and "A message was interrupted: " or "A message failed: ") .. text.plain(message.text, 60),
    kind = "areyouj_decision",
    format_item = function(choice) return CHOICES[choice] end,
  }, function(choice)
    if not choice then return end
    local params = { requestId = text.uuid(), messageId = message.id, choice = choice }
    request("areyouj/queue/recover", params, problem.report)
  end)
end

return M
