---The queue of a session in a float: adds, edits, removes and moves messages, and pauses the queue.
local explicit_write = require("areyouj.views.explicit_write")
local names = require("areyouj.views.names")
local styled_lines = require("areyouj.views.styled_lines")
local problem = require("areyouj.problem")
local queue_actions = require("areyouj.actions.queue")
local text = require("areyouj.text")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model

local namespace = vim.api.nvim_create_namespace("areyouj.queue")

local MIN_HEIGHT = 3

---@class areyouj.QueueView
---@field id string
---@field buffer integer
---@field window integer
---@field rows table<integer, areyouj.Message> By line.
---@field keep? string The id of the message that the cursor stays on.
local View = {}
View.__index = View

---@return areyouj.Queue?
function View:queue() return model:queue(self.id) end

---@return areyouj.Message[]
function View:waiting()
  local queue = self:queue()
  return queue and vim.tbl_filter(function(message) return message.state == "queued" end, queue.messages) or {}
end

---The message under the cursor.
---@return areyouj.Message?
function View:current() return self.rows[vim.api.nvim_win_get_cursor(self.window)[1]] end

---The waiting message under the cursor.
---@return areyouj.Message?
function View:chosen()
  local message = self:current()
  return message and message.state == "queued" and message or nil
end

function View:draw()
  if not vim.api.nvim_win_is_valid(self.window) then return end
  local current = self:current()
  local keep = self.keep or (current and current.id)
  self.keep = nil
  local queue, built = self:queue(), styled_lines.new()
  local width = vim.api.nvim_win_get_width(self.window) - 6
  self.rows = {}
  local waiting = self:waiting()
  if queue and queue.paused then built:add({ "Paused: " .. text.plain(queue.paused, width), "AreYouJWaiting" }) end
  for _, message in ipairs(queue and queue.messages or {}) do
    local line = text.plain(message.text, width)
    if message.state == "running" then
      built:add({ " ● ", "AreYouJActive" }, line)
      self.rows[#built.lines] = message
    elseif message.state == "queued" then
      built:add({ ("%2d "):format(vim.fn.index(waiting, message) + 1), "AreYouJDim" }, line)
      self.rows[#built.lines] = message
    end
  end
  if not queue then
    built:add({ "…", "AreYouJDim" })
  elseif #waiting == 0 then
    built:add({ "The queue is empty. a adds a message.", "AreYouJDim" })
  end
  window.set_lines(self.buffer, 0, -1, built.lines)
  vim.api.nvim_win_set_height(self.window, math.max(MIN_HEIGHT, math.min(#built.lines, math.floor(vim.o.lines * 0.6))))
  vim.api.nvim_buf_clear_namespace(self.buffer, namespace, 0, -1)
  styled_lines.highlight(self.buffer, namespace, 0, built.marks)
  for row, message in pairs(self.rows) do
    if message.id == keep then vim.api.nvim_win_set_cursor(self.window, { row, 0 }) end
  end
end

---@param step 1|-1
function View:move(step)
  local message, waiting = self:chosen(), self:waiting()
  if not message then return end
  local position = vim.fn.index(vim.tbl_map(function(one) return one.id end, waiting), message.id) + step
  if position < 0 or position >= #waiting then return end
  self.keep = message.id
  queue_actions.move(message.id, position)
end

---Edits a waiting message in its own buffer. Writing the buffer saves the message.
---@param message areyouj.Message
function M.edit(message)
  local buffer = vim.fn.bufadd(names.QUEUED .. message.id)
  vim.fn.bufload(buffer)
  local options = vim.bo[buffer]
  options.buftype, options.bufhidden, options.swapfile, options.filetype = "acwrite", "wipe", false, "areyouj-message"
  local lines = vim.split(message.text, "\n", { plain = true })
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  options.modified = false
  local id = window.float(buffer, {
    title = "Edit message",
    width = 100,
    height = math.max(5, math.min(20, #lines + 1)),
    footer = ":w save   :q! discard",
  })
  local function save(close)
    local words = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
    queue_actions.edit(message.id, words, function(failed)
      local exists = vim.api.nvim_buf_is_valid(buffer)
      if failed then
        problem.show(failed)
        -- The buffer is gone; the composer keeps the text.
        if not exists then ui.keep_draft(message.sessionId, words) end
        return
      end
      if not exists then return end
      vim.bo[buffer].modified = false
      if close then window.close(id) end
    end)
  end
  explicit_write.on_typed(buffer, function()
    save(false)
    -- `:wq` closes the window before the answer arrives.
    vim.bo[buffer].modified = false
  end, "the message was not saved. Save it with <C-s>.")
  window.keys(buffer, {
    { "<C-s>", "Save and close", function() save(true) end, mode = { "n", "i" } },
    { "ZZ", "Save and close", function() save(true) end },
    { "q", "Close", function() window.close(id) end },
  })
end

function View:map()
  local function with(action)
    return function()
      local message = self:chosen()
      if message then action(message) end
    end
  end
  local keys = {
    {
      { "a", "i" },
      "Add a message",
      function()
        window.close(self.window)
        ui.composer(self.id)
      end,
    },
    { { "<CR>", "e" }, "Edit the message", with(M.edit) },
    { "<M-j>", "Move the message down", function() self:move(1) end },
    { "<M-k>", "Move the message up", function() self:move(-1) end },
    { { "dd", "x" }, "Remove the message", with(queue_actions.remove) },
    { "s", "Send the message into the running turn", with(queue_actions.steer) },
    {
      "P",
      "Pause the queue after the running message, or resume it",
      function()
        local queue = self:queue()
        if queue then queue_actions.pause(self.id, queue.paused == nil) end
      end,
    },
    { "C", "Remove all waiting messages", function() queue_actions.clear(self.id, #self:waiting()) end },
    { { "q", "<Esc>" }, "Close", function() window.close(self.window) end },
  }
  table.insert(keys, { "g?", "Show this help", function() window.help("Queue", keys) end })
  window.keys(self.buffer, keys)
end

---Opens the queue of a session.
---@param id string
function M.open(id)
  local session = model:session(id)
  local buffer = window.buffer()
  vim.bo[buffer].bufhidden, vim.bo[buffer].filetype = "wipe", "areyouj-queue"
  vim.b[buffer].areyouj_session = id
  local title = "Queue of " .. (session and text.name(session) or id)
  local self = setmetatable({ id = id, buffer = buffer, rows = {} }, View)
  self.window = window.float(buffer, {
    title = title,
    width = 90,
    height = MIN_HEIGHT,
    footer = "a add   <CR> edit   dd remove   <M-j> <M-k> move   P pause   g? help",
  })
  vim.wo[self.window].cursorline = true
  vim.wo[self.window].wrap = false
  self:map()
  local stops = {
    model:watch_queue(id),
    model:on("queue", function(queue)
      if queue.sessionId == id then self:draw() end
    end),
  }
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buffer,
    once = true,
    callback = function()
      for _, stop in ipairs(stops) do
        stop()
      end
    end,
  })
  self:draw()
end

---@param ports { model: areyouj.Model }
function M.setup(ports)
  model = ports.model
  ui.register({ queue = M.open })
end

return M
