---Windows and buffers that several views share.
local config = require("areyouj.config")
local styled_lines = require("areyouj.views.styled_lines")

local M = {}

---Creates a buffer for a view: without a file, swap file or undo, and read-only for a person.
---@param name? string
---@return integer buffer
function M.buffer(name)
  local buffer = vim.api.nvim_create_buf(false, true)
  if name then vim.api.nvim_buf_set_name(buffer, name) end
  M.prepare(buffer)
  return buffer
end

---@param buffer integer
function M.prepare(buffer)
  local options = vim.bo[buffer]
  options.buftype, options.bufhidden, options.swapfile, options.modifiable = "nofile", "hide", false, false
  options.undolevels = -1
end

---Replaces lines of a read-only buffer.
---@param buffer integer
---@param first integer From 0.
---@param last integer Exclusive; -1 is the end.
---@param lines string[]
function M.set_lines(buffer, first, last, lines)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, first, last, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modified = false
end

---Edits a file or a directory in the current window, without expanding its name.
---@param path string
function M.edit(path) vim.api.nvim_cmd({ cmd = "edit", args = { path }, magic = { file = false, bar = false } }, {}) end

---Maps the keys of a buffer.
---@param buffer integer
---@param keys { [1]: string|string[], [2]: string, [3]?: fun(), mode?: string|string[] }[] Keys, description, action.
---@param always? boolean Even without `keys` in the configuration.
function M.keys(buffer, keys, always)
  if not always and not config.get().keys then return end
  for _, key in ipairs(keys) do
    local action = key[3]
    for _, lhs in ipairs(type(key[1]) == "table" and key[1] or { key[1] }) do
      if action then
        vim.keymap.set(key.mode or "n", lhs, action, { buffer = buffer, nowait = true, silent = true, desc = key[2] })
      end
    end
  end
end

---Lines of help, from the table that maps the keys.
---@param keys table[]
---@return string[]
function M.help_lines(keys)
  local lines, width = {}, 0
  local function lhs(key) return type(key[1]) == "table" and table.concat(key[1], " ") or key[1] end
  for _, key in ipairs(keys) do
    width = math.max(width, vim.fn.strdisplaywidth(lhs(key)))
  end
  for _, key in ipairs(keys) do
    table.insert(lines, (" %s%s  %s"):format(lhs(key), (" "):rep(width - vim.fn.strdisplaywidth(lhs(key))), key[2]))
  end
  return lines
end

---Opens a centred float and enters it.
---@param buffer integer
---@param options { title: string, width: integer, height: integer, footer?: string }
---@return integer window
function M.float(buffer, options)
  local width = math.max(10, math.min(options.width, vim.o.columns - 4))
  local height = math.max(1, math.min(options.height, vim.o.lines - 4))
  local window = vim.api.nvim_open_win(buffer, true, {
    relative = "editor",
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width) / 2)),
    width = width,
    height = height,
    style = "minimal",
    border = "rounded",
    title = " " .. options.title .. " ",
    footer = options.footer and (" " .. options.footer .. " ") or nil,
  })
  vim.wo[window].winhighlight = "FloatBorder:AreYouJBorder"
  vim.wo[window].wrap = true
  vim.wo[window].linebreak = true
  return window
end

---@param window integer
function M.close(window)
  if vim.api.nvim_win_is_valid(window) then pcall(vim.api.nvim_win_close, window, true) end
end

---Shows the keys of a view.
---@param title string
---@param keys table[]
function M.help(title, keys)
  local lines = M.help_lines(keys)
  local buffer = M.buffer()
  vim.bo[buffer].bufhidden = "wipe"
  M.set_lines(buffer, 0, -1, lines)
  local width = 0
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 1)
  end
  local window = M.float(buffer, { title = title, width = width, height = #lines })
  for row, line in ipairs(lines) do
    local _, finish = line:find("^ %S.-  ")
    vim.api.nvim_buf_set_extmark(buffer, vim.api.nvim_create_namespace("areyouj.help"), row - 1, 0, {
      end_col = finish or #line,
      hl_group = "AreYouJKey",
    })
  end
  for _, lhs in ipairs({ "q", "<Esc>", "g?" }) do
    vim.keymap.set("n", lhs, function() M.close(window) end, { buffer = buffer, nowait = true })
  end
end

---Shows lines in a float until `q`.
---@param title string
---@param built areyouj.StyledLines
function M.page(title, built)
  local buffer = M.buffer()
  vim.bo[buffer].bufhidden = "wipe"
  M.set_lines(buffer, 0, -1, built.lines)
  styled_lines.highlight(buffer, vim.api.nvim_create_namespace("areyouj.page"), 0, built.marks)
  local width = 40
  for _, line in ipairs(built.lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 1)
  end
  local window = M.float(buffer, { title = title, width = width, height = #built.lines, footer = "q close" })
  for _, lhs in ipairs({ "q", "<Esc>" }) do
    vim.keymap.set("n", lhs, function() M.close(window) end, { buffer = buffer, nowait = true })
  end
end

---Asks for confirmation without blocking.
---@param question string
---@param lines string[]
---@param yes fun()
function M.confirm(question, lines, yes)
  local buffer = M.buffer()
  vim.bo[buffer].bufhidden = "wipe"
  lines = vim.list_extend(vim.deepcopy(lines), { "", "y: yes   n: no" })
  M.set_lines(buffer, 0, -1, lines)
  local width = vim.fn.strdisplaywidth(question) + 4
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  local window = M.float(buffer, { title = question, width = width, height = #lines })
  local function choose(lhs, chosen)
    vim.keymap.set("n", lhs, function()
      M.close(window)
      if chosen then yes() end
    end, { buffer = buffer, nowait = true })
  end
  choose("y", true)
  for _, lhs in ipairs({ "n", "q", "<Esc>", "<CR>" }) do
    choose(lhs, false)
  end
end

---Shows a buffer, or enters a window of this tab page that shows it.
---@param buffer integer
---@param place "current"|"tab"|"split"|"vsplit"|"float"
---@param title string
function M.show(buffer, place, title)
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(window) == buffer then return vim.api.nvim_set_current_win(window) end
  end
  if place == "float" then
    M.float(buffer, { title = title, width = math.floor(vim.o.columns * 0.9), height = math.floor(vim.o.lines * 0.8) })
    return
  end
  -- A float is too small for a page.
  if vim.api.nvim_win_get_config(0).relative ~= "" then
    local from = vim.api.nvim_get_current_win()
    vim.cmd.wincmd("p")
    if vim.api.nvim_win_get_config(0).relative == "" then M.close(from) end
  end
  if place == "tab" then
    vim.cmd("tab split")
  elseif place == "split" then
    vim.cmd("split")
  elseif place == "vsplit" then
    vim.cmd("vsplit")
  elseif vim.wo.winfixbuf then
    vim.cmd("split")
  end
  vim.cmd("normal! m'")
  vim.api.nvim_win_set_buf(0, buffer)
end

return M
