---The composer: one buffer for each session, to write a message, with history. The draft stays until the daemon accepts it.
---A buffer with an unsent draft is modified, so that Neovim does not quit without a warning.
local explicit_write = require("areyouj.views.explicit_write")
local names = require("areyouj.views.names")
local paths = require("areyouj.paths")
local problem = require("areyouj.problem")
local queue_actions = require("areyouj.actions.queue")
local text = require("areyouj.text")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

local MIN_LINES, MAX_LINES = 3, 15
local MAX_WIDTH = 100

---@class areyouj.Draft
---@field id string Of the session.
---@field buffer integer
---@field window? integer
---@field history string[] Earlier messages, oldest first.
---@field position? integer The position in the history, while an earlier message is displayed.
---@field original? string The draft before the history was displayed.
---@field sending boolean

---@type table<string, areyouj.Draft>
local drafts = {}

---@param draft areyouj.Draft
---@return string
local function text_of(draft) return table.concat(vim.api.nvim_buf_get_lines(draft.buffer, 0, -1, false), "\n") end

---@param draft areyouj.Draft
---@param words string
---@param modified boolean
local function write(draft, words, modified)
  vim.api.nvim_buf_set_lines(draft.buffer, 0, -1, false, vim.split(words, "\n", { plain = true }))
  vim.bo[draft.buffer].modified = modified
end

---@param draft areyouj.Draft
local function close(draft)
  if draft.window then window.close(draft.window) end
  draft.window = nil
  vim.cmd.stopinsert()
end

---@param draft areyouj.Draft
---@param steer boolean
local function send(draft, steer)
  local words = vim.trim(text_of(draft))
  if words == "" or draft.sending then return end
  draft.sending = true
  queue_actions.send(words, draft.id, function(failed)
    draft.sending = false
    if failed then return problem.show(failed) end
    if not vim.api.nvim_buf_is_valid(draft.buffer) then return end
    table.insert(draft.history, words)
    draft.position, draft.original = nil, nil
    -- Text that was changed during the request stays.
    if vim.trim(text_of(draft)) == words then
      write(draft, "", false)
      close(draft)
    end
  end, steer)
end

---@param draft areyouj.Draft
---@param step 1|-1
local function recall(draft, step)
  local position = (draft.position or #draft.history + 1) + step
  if position < 1 or position > #draft.history + 1 then return end
  if not draft.position then draft.original = text_of(draft) end
  draft.position = position <= #draft.history and position or nil
  write(draft, draft.position and draft.history[position] or draft.original or "", true)
  local last = vim.api.nvim_buf_line_count(draft.buffer)
  vim.api.nvim_win_set_cursor(0, { last, #vim.fn.getline(last) })
end

---The value of 'omnifunc': completes a file after `@`.
---@param find 0|1
---@param base string
---@return integer|string[]
function M.complete(find, base)
  local session = model:session(vim.b.areyouj_session)
  if find == 1 then
    local before = vim.api.nvim_get_current_line():sub(1, vim.fn.col(".") - 1)
    local start = before:find("@[^%s@]*$")
    return start or -3
  end
  if not session then return {} end
  return paths.files(base, session.directory)
end

---@param draft areyouj.Draft
local function map(draft)
  local function arrow(lhs, step, edge)
    vim.keymap.set({ "n", "i" }, lhs, function()
      local row = vim.api.nvim_win_get_cursor(0)[1]
      local at_edge = edge == "first" and row == 1 or edge == "last" and row == vim.api.nvim_buf_line_count(0)
      if at_edge and vim.fn.pumvisible() == 0 then
        vim.schedule(function() recall(draft, step) end)
        return ""
      end
      return lhs
    end, { buffer = draft.buffer, expr = true, desc = step == -1 and "Earlier message" or "Later message" })
  end
  arrow("<Up>", -1, "first")
  arrow("<Down>", 1, "last")
  local keys = {
    { { "<CR>", "ZZ" }, "Send; the message waits in the queue while Claude works", function() send(draft, false) end },
    { "<C-s>", "Send", function() send(draft, false) end, mode = { "n", "i" } },
    { "<M-CR>", "Send into the running turn", function() send(draft, true) end, mode = { "n", "i" } },
    { "<Up> <Down>", "Earlier and later messages, from the first and the last line" },
    { "<C-x><C-o>", "Complete a file after @" },
    { { "q", "<Esc>" }, "Close; the draft stays", function() close(draft) end },
  }
  table.insert(keys, { "g?", "Show this help", function() window.help("Message", keys) end })
  window.keys(draft.buffer, keys)
end

---@param id string
---@return areyouj.Draft
local function draft_of(id)
  local draft = drafts[id]
  if draft and vim.api.nvim_buf_is_valid(draft.buffer) then return draft end
  local buffer = vim.fn.bufadd(names.MESSAGE .. id)
  draft = { id = id, buffer = buffer, history = {}, sending = false }
  drafts[id] = draft
  vim.fn.bufload(buffer)
  local options = vim.bo[buffer]
  options.buftype, options.bufhidden, options.swapfile, options.buflisted = "acwrite", "hide", false, false
  options.omnifunc = "v:lua.require'areyouj.views.composer'.complete"
  vim.b[buffer].areyouj_session = id
  options.filetype = "areyouj-message"
  explicit_write.on_typed(buffer, function() send(draft, false) end, "the message was not sent. Send it with <C-s>.")
  map(draft)
  -- Earlier messages, of this and other clients.
  request("areyouj/queue/list", { sessionId = id, all = true }, function(_, queue)
    if not queue then return end
    local earlier = vim.tbl_map(function(message) return message.text end, queue.messages)
    draft.history = vim.list_extend(earlier, draft.history)
  end)
  return draft
end

---@param draft areyouj.Draft
local function fit(draft)
  if not draft.window or not vim.api.nvim_win_is_valid(draft.window) then return end
  local width = math.min(MAX_WIDTH, vim.o.columns - 4)
  local count = vim.api.nvim_buf_line_count(draft.buffer)
  local height = math.min(math.max(MIN_LINES, count), MAX_LINES, math.max(1, vim.o.lines - 6))
  vim.api.nvim_win_set_config(draft.window, {
    relative = "editor",
    width = width,
    height = height,
    row = math.max(0, vim.o.lines - height - vim.o.cmdheight - 3),
    col = math.max(0, math.floor((vim.o.columns - width) / 2)),
  })
end

---Opens the composer of a session.
---@param id string
---@param add? string Text to add to the draft.
function M.open(id, add)
  local draft = draft_of(id)
  local session = model:session(id)
  local name = session and text.name(session) or id
  local busy = session and (session.status == "active" or session.status == "waiting")
  if draft.window and vim.api.nvim_win_is_valid(draft.window) then
    vim.api.nvim_set_current_win(draft.window)
  else
    draft.window = vim.api.nvim_open_win(draft.buffer, true, {
      relative = "editor",
      width = math.min(MAX_WIDTH, vim.o.columns - 4),
      height = MIN_LINES,
      row = math.max(0, vim.o.lines - MIN_LINES - 4),
      col = 2,
      style = "minimal",
      border = "rounded",
      title = (busy and " Next message for %s " or " Message to %s "):format(name),
      footer = " <C-s> send   <M-CR> send into the turn   @ files   q close   g? help ",
      footer_pos = "right",
    })
    local options = vim.wo[draft.window][0]
    options.wrap, options.linebreak, options.winhighlight = true, true, "FloatBorder:AreYouJBorder,NormalFloat:Normal"
    vim.api.nvim_create_autocmd({ "TextChanged", "TextChangedI", "VimResized" }, {
      group = vim.api.nvim_create_augroup("areyouj.composer", {}),
      callback = function() fit(draft) end,
    })
  end
  if add and add ~= "" then
    local before = text_of(draft)
    write(draft, before == "" and add or before:gsub("\n?$", "\n") .. add, true)
  end
  fit(draft)
  local last = vim.api.nvim_buf_line_count(draft.buffer)
  vim.api.nvim_win_set_cursor(draft.window, { last, #vim.fn.getline(last) })
  if not add then vim.cmd("startinsert!") end
end

---Keeps a text as the draft for a session, if there is none.
---@param id string
---@param words string
function M.draft(id, words)
  local draft = draft_of(id)
  if vim.trim(text_of(draft)) == "" then write(draft, words, true) end
end

---@param ports { model: areyouj.Model, request: areyouj.Requester }
function M.setup(ports)
  model, request = ports.model, ports.request
  ui.register({ composer = M.open, keep_draft = M.draft })
end

return M
