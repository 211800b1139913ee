---Permission requests in a float in the corner, one at a time. The float never takes the focus by itself: a person enters
---it to answer, so that keys meant for another window answer nothing.
local Form = require("areyouj.views.permission.form")
local config = require("areyouj.config")
local styled_lines = require("areyouj.views.styled_lines")
local problem = require("areyouj.problem")
local session_actions = require("areyouj.actions.session")
local text = require("areyouj.text")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model

---A key within this time after the float shows another request was meant for the request before.
local GUARD_MS = 400
---Pause before another attempt to open the float when Neovim does not allow it.
local RETRY_MS = 250
local MAX_WIDTH = 76
local MIN_WIDTH = 44
---Below completion menus.
local ZINDEX = 45

local namespace = vim.api.nvim_create_namespace("areyouj.permission")

---@class areyouj.Float
---@field buffer integer Is -1 before the first request.
---@field window integer Is -1 while the float is closed.
---@field form areyouj.Form?
---@field changed number When the float showed another request, in milliseconds.
---@field answering boolean
---@field hidden boolean A person hid it.
---@field previous integer? The window to return to.
---@type areyouj.Float
local float = { buffer = -1, window = -1, changed = 0, answering = false, hidden = false }

---@type fun()
local refresh

---@return boolean
local function is_open() return vim.api.nvim_win_is_valid(float.window) end

---@return boolean
local function is_entered() return is_open() and vim.api.nvim_get_current_win() == float.window end

---Returns to the previous window.
local function leave()
  if not is_entered() then return end
  if float.previous and vim.api.nvim_win_is_valid(float.previous) then
    vim.api.nvim_set_current_win(float.previous)
  else
    vim.cmd.wincmd("p")
    if is_entered() then vim.cmd.wincmd("w") end
  end
end

local function close()
  leave()
  if is_open() then pcall(vim.api.nvim_win_close, float.window, true) end
  float.window = -1
end

---@param request areyouj.Permission
---@return areyouj.Session?
local function session_of(request) return model:session(request.sessionId) end

---@param request areyouj.Permission
---@return string
local function title(request)
  local session = session_of(request)
  local name = session and session.name and text.name(session) .. " " or ""
  local icon = config.get().icons and "◆ " or ""
  return (" %s%s%s: %s "):format(icon, name, request.sessionId, text.plain(request.title, 200))
end

---@param form areyouj.Form
---@param open areyouj.Permission[]
---@return string
local function footer(form, open)
  local place = 1
  for number, request in ipairs(open) do
    if request.id == form.request.id then place = number end
  end
  local count = #open > 1 and (" %d of %d "):format(place, #open) or ""
  if float.answering then return count .. " Answering… " end
  if not is_entered() then return count .. " Answer with :AreYouJ permissions " end
  local labels = form:labels()
  local always = form:offers_always() and not form.always and "A always…  " or ""
  return ("%s a %s  %sd %s  D %s  g? "):format(count, labels.yes, always, labels.no, labels.instead)
end

---@param form areyouj.Form
---@param built areyouj.StyledLines
---@param open areyouj.Permission[]
---@return table
local function geometry(form, built, open)
  local previous = float.previous and vim.api.nvim_win_is_valid(float.previous) and float.previous or 0
  local head, foot = title(form.request), footer(form, open)
  local width = MIN_WIDTH
  for _, line in ipairs(built.lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 2)
  end
  width = math.max(width, vim.fn.strdisplaywidth(head), vim.fn.strdisplaywidth(foot))
  width = math.max(1, math.min(width, MAX_WIDTH, vim.o.columns - 4))
  local rows = 0
  for _, line in ipairs(built.lines) do
    rows = rows + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / (width - 1)))
  end
  local share = is_entered() and 0.8 or 0.4
  local height = math.max(1, math.min(rows, math.floor(vim.o.lines * share) - 2))
  -- At the top over a session, whose newest lines are at the bottom; else at the bottom.
  local at_top = vim.b[vim.api.nvim_win_get_buf(previous)].areyouj_session ~= nil
  local tabline = vim.o.showtabline == 2 or (vim.o.showtabline == 1 and #vim.api.nvim_list_tabpages() > 1)
  local bottom = vim.o.lines - vim.o.cmdheight - (vim.o.laststatus > 0 and 1 or 0)
  return {
    relative = "editor",
    anchor = at_top and "NE" or "SE",
    row = at_top and (tabline and 2 or 1) or bottom,
    col = vim.o.columns,
    width = width,
    height = height,
    title = { { text.fit(head, width), "AreYouJPrompt" } },
    footer = { { text.fit(foot, width), "AreYouJDim" } },
    footer_pos = "right",
  }
end

---@param open areyouj.Permission[]
local function draw(open)
  local form = float.form
  if not form then return end
  local session = session_of(form.request)
  local built = form:page(session and session.directory or "")
  if not vim.api.nvim_buf_is_valid(float.buffer) then
    float.buffer = window.buffer()
    vim.bo[float.buffer].filetype = "areyouj-permission"
    M.map(float.buffer)
  end
  window.set_lines(float.buffer, 0, -1, built.lines)
  vim.api.nvim_buf_clear_namespace(float.buffer, namespace, 0, -1)
  styled_lines.highlight(float.buffer, namespace, 0, built.marks)
  local place = geometry(form, built, open)
  if is_open() then
    vim.api.nvim_win_set_config(float.window, place)
    return
  end
  local window_config =
    vim.tbl_extend("force", place, { style = "minimal", border = "rounded", zindex = ZINDEX, noautocmd = true })
  local ok, opened = pcall(vim.api.nvim_open_win, float.buffer, false, window_config)
  if not ok then
    -- Neovim refuses in the command-line window and under textlock.
    vim.defer_fn(refresh, RETRY_MS)
    return
  end
  float.window = opened
  local options = vim.wo[opened][0]
  options.wrap, options.linebreak, options.breakindent, options.statuscolumn = true, true, true, " "
  options.winhighlight = "FloatBorder:AreYouJPrompt,NormalFloat:Normal,EndOfBuffer:Normal"
end

---@param request areyouj.Permission
local function show(request)
  if float.form and float.form.request.id == request.id then return end
  float.form = Form.new(request)
  float.changed = vim.uv.now()
  float.answering = false
  if is_open() then vim.api.nvim_win_set_cursor(float.window, { 1, 0 }) end
end

---Updates the float: keeps the displayed request while it is open, or else shows the oldest.
refresh = function()
  local open = model:permissions()
  if #open == 0 then
    float.form, float.answering = nil, false
    return close()
  end
  local shown = nil
  for _, request in ipairs(open) do
    if float.form and float.form.request.id == request.id then shown = request end
  end
  if float.hidden or not (config.get().float or is_open()) then return end
  show(shown or open[1])
  -- A float belongs to one tab page; this one follows the current tab page.
  if is_open() and vim.api.nvim_win_get_tabpage(float.window) ~= vim.api.nvim_get_current_tabpage() then close() end
  draw(open)
end

---Enters the float.
---@param id? string The request to show; the displayed one if left out.
function M.enter(id)
  local open = model:permissions()
  if #open == 0 then
    vim.api.nvim_echo({ { "No open permission requests." } }, false, {})
    return
  end
  float.hidden = false
  for _, request in ipairs(open) do
    if request.id == id then show(request) end
  end
  if not float.form then show(open[1]) end
  draw(open)
  if not is_open() then return end
  if not is_entered() then float.previous = vim.api.nvim_get_current_win() end
  vim.cmd.stopinsert()
  vim.api.nvim_set_current_win(float.window)
  -- The person chose this request, so no key is meant for another.
  float.changed = 0
  draw(open)
end

---Enters the float at the oldest request of a session.
---@param session_id string
function M.enter_session(session_id)
  local request = model:permissions(session_id)[1]
  if not request then
    vim.api.nvim_echo({ { "No open permission requests in this session." } }, false, {})
    return
  end
  M.enter(request.id)
end

---Asks for one of all requests, and enters it.
function M.choose()
  local open = model:permissions()
  if #open <= 1 then return M.enter(open[1] and open[1].id) end
  vim.ui.select(open, {
    prompt = "Permission requests",
    kind = "areyouj_permission",
    format_item = function(request)
      local session = model:session(request.sessionId)
      local name = session and text.name(session) or request.sessionId
      return ("%s: %s (%s)"):format(name, text.plain(request.title, 100), text.ago(request.createdAt))
    end,
  }, function(request)
    if request then M.enter(request.id) end
  end)
end

---@param answer areyouj.Answer
local function send_answer(answer)
  if float.answering or not float.form or vim.uv.now() - float.changed < GUARD_MS then return end
  float.answering = true
  refresh()
  session_actions.answer(float.form.request, answer, function(failed)
    float.answering = false
    if not failed then return end
    local late = failed.code == "permission_answered" or failed.code == "permission_withdrawn"
    if late then
      problem.notify(problem.text(failed), vim.log.levels.INFO)
    else
      problem.show(failed)
    end
    refresh()
  end)
end

local function approve()
  local answer = float.form and float.form:answer()
  if answer then return send_answer(answer) end
  vim.api.nvim_echo({ { "Choose an option first.", "WarningMsg" } }, false, {})
end

---@param row? areyouj.FormRow
local function choose(row)
  if not row or not float.form then return end
  local shown = float.form
  if row.question and not row.option then
    vim.ui.input({ prompt = "Your answer: " }, function(words)
      if not words or float.form ~= shown then return end
      shown:set_own(row.question, words)
      refresh()
    end)
    return
  end
  shown:toggle(row)
  refresh()
end

---@param step 1|-1
local function show_next(step)
  local open = model:permissions()
  for number, request in ipairs(open) do
    if float.form and request.id == float.form.request.id then
      return M.enter(open[(number - 1 + step) % #open + 1].id)
    end
  end
end

local function deny_with_message()
  local form = float.form
  if not form then return end
  vim.ui.input({ prompt = "What should Claude do instead? " }, function(words)
    if not words or float.form ~= form then return end
    local message = vim.trim(words)
    send_answer({ decision = "deny", message = message ~= "" and message or nil })
  end)
end

---@param buffer integer
function M.map(buffer)
  local function under_cursor() return float.form and float.form.rows[vim.api.nvim_win_get_cursor(0)[1]] end
  local keys = {
    { "a", "Allow, approve the plan, or answer with the chosen options", approve },
    {
      "A",
      "Allow always: choose the rules, then press a",
      function()
        if not float.form or not float.form:offers_always() then return end
        float.form.always = not float.form.always
        refresh()
      end,
    },
    { "d", "Deny, keep planning, or skip the questions", function() send_answer({ decision = "deny" }) end },
    { "D", "Deny with a message for Claude", deny_with_message },
    {
      { "<CR>", "<Space>" },
      "Choose the option under the cursor, or take it back",
      function() choose(under_cursor()) end,
    },
    { "1 … 9", "Choose the first, second, … option" },
    { "]p", "Next request", function() show_next(1) end },
    { "[p", "Previous request", function() show_next(-1) end },
    {
      "o",
      "Open the session",
      function()
        local id = float.form and float.form.request.sessionId
        leave()
        -- The next keys can still be meant for the float.
        if id then ui.session(id, nil, { typing = false }) end
      end,
    },
    {
      "Z",
      "Hide the float until the next request",
      function()
        float.hidden = true
        close()
      end,
    },
    {
      { "q", "<Esc>" },
      "Leave; the request stays open",
      function()
        -- Without `float` in the configuration, the float closes when left.
        if config.get().float then
          leave()
        else
          close()
        end
      end,
    },
  }
  table.insert(keys, { "g?", "Show this help", function() window.help("Permission request", keys) end })
  -- Even without `keys`: they are the only way to answer.
  window.keys(buffer, keys, true)
  for number = 1, 9 do
    vim.keymap.set("n", tostring(number), function()
      local rows = float.form and float.form.rows or {}
      local lines = vim.tbl_keys(rows)
      table.sort(lines)
      choose(rows[lines[number]])
    end, { buffer = buffer, nowait = true })
  end
end

---@param ports { model: areyouj.Model }
function M.setup(ports)
  model = ports.model
  ui.register({ permission = M.enter, permission_of = M.enter_session, choose_permission = M.choose })
  model:on("permission", function(request)
    if request.state == "open" then float.hidden = false end
  end)
  model:on("permissions", refresh)
  local group = vim.api.nvim_create_augroup("areyouj.permission", {})
  vim.api.nvim_create_autocmd({ "TabEnter", "VimResized", "CmdwinLeave" }, {
    group = group,
    callback = function()
      if float.form then vim.schedule(refresh) end
    end,
  })
  vim.api.nvim_create_autocmd({ "WinEnter", "WinLeave" }, {
    group = group,
    callback = function()
      local here = vim.api.nvim_get_current_win()
      local floats = vim.api.nvim_win_get_config(here).relative ~= ""
      if not floats then float.previous = here end
      if not is_open() then return end
      vim.schedule(function()
        if float.form and is_open() then refresh() end
      end)
    end,
  })
end

return M
