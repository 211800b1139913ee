---Prompts in a float in the corner, one at a time. It never takes the keyboard by itself: whoever wants to answer enters
---it, and nothing is answered by keys that were meant for something else.
local Form = require("areyouj.views.permission.form")
local config = require("areyouj.config")
local page = require("areyouj.views.styled_lines")
local problem = require("areyouj.problem")
local session_actions = require("areyouj.actions.session")
local text = require("areyouj.text")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local model ---@type areyouj.Model

---A key that comes so soon after another prompt took the place of the one before was meant for that one.
local GUARD_MS = 400
---Before it is tried again to open the float where Neovim does not allow it just now.
local AGAIN_MS = 250
local MAX_WIDTH = 76
local MIN_WIDTH = 44
---Below the menus of completion.
local ZINDEX = 45

local namespace = vim.api.nvim_create_namespace("areyouj.permission")

---@class areyouj.Float
---@field buffer integer None (-1) before the first prompt.
---@field window integer None (-1) while it is closed.
---@field form areyouj.Form?
---@field changed number When another prompt was put into it, in milliseconds.
---@field answering boolean
---@field away boolean A person put it away.
---@field before integer? The window that the keyboard came from.
---@type areyouj.Float
local float = { buffer = -1, window = -1, changed = 0, answering = false, away = false }

---@type fun()
local refresh

---@return boolean
local function is_open() return vim.api.nvim_win_is_valid(float.window) end

---@return boolean
local function is_entered() return is_open() and vim.api.nvim_get_current_win() == float.window end

---Back to where the keyboard came from.
local function leave()
  if not is_entered() then return end
  if float.before and vim.api.nvim_win_is_valid(float.before) then
    vim.api.nvim_set_current_win(float.before)
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

---@param prompt areyouj.Permission
---@return areyouj.Session?
local function session_of(prompt) return model:session(prompt.sessionId) end

---@param prompt areyouj.Permission
---@return string
local function title(prompt)
  local session = session_of(prompt)
  local name = session and session.name and text.name(session) .. " " or ""
  local icon = config.get().icons and "◆ " or ""
  return (" %s%s%s: %s "):format(icon, name, prompt.sessionId, text.plain(prompt.title, 200))
end

---@param form areyouj.Form
---@param open areyouj.Permission[]
---@return string
local function footer(form, open)
  local place = 1
  for number, prompt in ipairs(open) do
    if prompt.id == form.prompt.id then place = number end
  end
  local count = #open > 1 and (" %d of %d "):format(place, #open) or ""
  if float.answering then return count .. " Answering… " end
  if not is_entered() then return count .. " :AreYouJ permissions answers " end
  local words = form:words()
  local always = form:offers_always() and not form.always and "A always…  " or ""
  return ("%s a %s  %sd %s  D %s  g? "):format(count, words.yes, always, words.no, words.instead)
end

---@param form areyouj.Form
---@param built areyouj.Page
---@param open areyouj.Permission[]
---@return table
local function geometry(form, built, open)
  local before = float.before and vim.api.nvim_win_is_valid(float.before) and float.before or 0
  local head, foot = title(form.prompt), footer(form, open)
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
  -- Where the least is written: above while a session is looked at, whose newest lines are at the bottom; else below.
  local above = vim.b[vim.api.nvim_win_get_buf(before)].areyouj_session ~= nil
  local tabline = vim.o.showtabline == 2 or (vim.o.showtabline == 1 and #vim.api.nvim_list_tabpages() > 1)
  local below = vim.o.lines - vim.o.cmdheight - (vim.o.laststatus > 0 and 1 or 0)
  return {
    relative = "editor",
    anchor = above and "NE" or "SE",
    row = above and (tabline and 2 or 1) or below,
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
  local session = session_of(form.prompt)
  local built = form:page(session and session.directory or "")
  if not vim.api.nvim_buf_is_valid(float.buffer) then
    float.buffer = window.buffer()
    vim.bo[float.buffer].filetype = "areyouj-permission"
    M.map(float.buffer)
  end
  window.set_lines(float.buffer, 0, -1, built.lines)
  vim.api.nvim_buf_clear_namespace(float.buffer, namespace, 0, -1)
  page.highlight(float.buffer, namespace, 0, built.marks)
  local place = geometry(form, built, open)
  if is_open() then
    vim.api.nvim_win_set_config(float.window, place)
    return
  end
  local options =
    vim.tbl_extend("force", place, { style = "minimal", border = "rounded", zindex = ZINDEX, noautocmd = true })
  local ok, opened = pcall(vim.api.nvim_open_win, float.buffer, false, options)
  if not ok then
    -- In the command-line window, or while text must not change.
    vim.defer_fn(refresh, AGAIN_MS)
    return
  end
  float.window = opened
  local look = vim.wo[opened][0]
  look.wrap, look.linebreak, look.breakindent, look.statuscolumn = true, true, true, " "
  look.winhighlight = "FloatBorder:AreYouJPrompt,NormalFloat:Normal,EndOfBuffer:Normal"
end

---@param prompt areyouj.Permission
local function show(prompt)
  if float.form and float.form.prompt.id == prompt.id then return end
  float.form = Form.new(prompt)
  float.changed = vim.uv.now()
  float.answering = false
  if is_open() then vim.api.nvim_win_set_cursor(float.window, { 1, 0 }) end
end

---Shows what is open now: the prompt that is shown, as long as it is open, or else the oldest.
refresh = function()
  local open = model:permissions()
  if #open == 0 then
    float.form, float.answering = nil, false
    return close()
  end
  local shown = nil
  for _, prompt in ipairs(open) do
    if float.form and float.form.prompt.id == prompt.id then shown = prompt end
  end
  if float.away or not (config.get().float or is_open()) then return end
  show(shown or open[1])
  -- A float belongs to a tab page; this one follows the person.
  if is_open() and vim.api.nvim_win_get_tabpage(float.window) ~= vim.api.nvim_get_current_tabpage() then close() end
  draw(open)
end

---Enters the float.
---@param id? string The prompt to show; the one that is shown if left out.
function M.enter(id)
  local open = model:permissions()
  if #open == 0 then
    vim.api.nvim_echo({ { "No prompt waits." } }, false, {})
    return
  end
  float.away = false
  for _, prompt in ipairs(open) do
    if prompt.id == id then show(prompt) end
  end
  if not float.form then show(open[1]) end
  draw(open)
  if not is_open() then return end
  if not is_entered() then float.before = vim.api.nvim_get_current_win() end
  vim.cmd.stopinsert()
  vim.api.nvim_set_current_win(float.window)
  -- The person asked for this very prompt.
  float.changed = 0
  draw(open)
end

---Enters the float at the oldest prompt of a session.
---@param session_id string
function M.enter_session(session_id)
  local prompt = model:permissions(session_id)[1]
  if not prompt then
    vim.api.nvim_echo({ { "No prompt of this session waits." } }, false, {})
    return
  end
  M.enter(prompt.id)
end

---Lists all prompts; the one that is chosen is entered.
function M.choose()
  local open = model:permissions()
  if #open <= 1 then return M.enter(open[1] and open[1].id) end
  vim.ui.select(open, {
    prompt = "Prompts",
    kind = "areyouj_permission",
    format_item = function(prompt)
      local session = model:session(prompt.sessionId)
      local name = session and text.name(session) or prompt.sessionId
      return ("%s: %s (%s)"):format(name, text.plain(prompt.title, 100), text.ago(prompt.createdAt))
    end,
  }, function(prompt)
    if prompt then M.enter(prompt.id) end
  end)
end

---@param given areyouj.Answer
local function answer(given)
  if float.answering or not float.form or vim.uv.now() - float.changed < GUARD_MS then return end
  float.answering = true
  refresh()
  session_actions.answer(float.form.prompt.id, given, function(failed)
    float.answering = false
    if not failed then return end
    local late = failed.code == "permission_answered" or failed.code == "permission_withdrawn"
    if late then
      problem.tell(problem.text(failed), vim.log.levels.INFO)
    else
      problem.show(failed)
    end
    refresh()
  end)
end

local function yes()
  local given = float.form and float.form:answer()
  if given then return answer(given) end
  vim.api.nvim_echo({ { "Choose something first.", "WarningMsg" } }, false, {})
end

---@param row? areyouj.FormRow
local function choose(row)
  if not row or not float.form then return end
  local shown = float.form
  if row.question and not row.option then
    vim.ui.input({ prompt = "In your own words: " }, function(words)
      if not words or float.form ~= shown then return end
      shown:say(row.question, words)
      refresh()
    end)
    return
  end
  shown:toggle(row)
  refresh()
end

---@param step 1|-1
local function neighbour(step)
  local open = model:permissions()
  for number, prompt in ipairs(open) do
    if float.form and prompt.id == float.form.prompt.id then
      return M.enter(open[(number - 1 + step) % #open + 1].id)
    end
  end
end

local function deny_with_words()
  local form = float.form
  if not form then return end
  vim.ui.input({ prompt = "What should Claude do instead? " }, function(words)
    if not words or float.form ~= form then return end
    local message = vim.trim(words)
    answer({ decision = "deny", message = message ~= "" and message or nil })
  end)
end

---@param buffer integer
function M.map(buffer)
  local function under_cursor() return float.form and float.form.rows[vim.api.nvim_win_get_cursor(0)[1]] end
  local keys = {
    { "a", "Allow, go ahead, or answer with what is chosen", yes },
    {
      "A",
      "Allow always: choose the rules, then a",
      function()
        if not float.form or not float.form:offers_always() then return end
        float.form.always = not float.form.always
        refresh()
      end,
    },
    { "d", "Deny, keep planning, or do not answer", function() answer({ decision = "deny" }) end },
    { "D", "The same, and say what to do instead", deny_with_words },
    {
      { "<CR>", "<Space>" },
      "Choose what is under the cursor, or take it back",
      function() choose(under_cursor()) end,
    },
    { "1 … 9", "Choose the first, second, … choice" },
    { "]p", "Next prompt", function() neighbour(1) end },
    { "[p", "Previous prompt", function() neighbour(-1) end },
    {
      "o",
      "Open the session",
      function()
        local id = float.form and float.form.prompt.sessionId
        leave()
        -- Keys that follow may still be meant for the float.
        if id then ui.session(id, nil, { typing = false }) end
      end,
    },
    {
      "Z",
      "Put the float away until the next prompt",
      function()
        float.away = true
        close()
      end,
    },
    {
      { "q", "<Esc>" },
      "Leave; the prompt stays",
      function()
        -- Whoever wants no float by itself wants none that stays either.
        if config.get().float then
          leave()
        else
          close()
        end
      end,
    },
  }
  table.insert(keys, { "g?", "This help", function() window.help("Prompt", keys) end })
  -- Without them nothing could be answered.
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

---Follows the prompts of a model.
---@param ports { model: areyouj.Model }
function M.setup(ports)
  model = ports.model
  ui.register({ permission = M.enter, permission_of = M.enter_session, choose_permission = M.choose })
  model:on("permission", function(prompt)
    if prompt.state == "open" then float.away = false end
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
      if not floats then float.before = here end
      if not is_open() then return end
      vim.schedule(function()
        if float.form and is_open() then refresh() end
      end)
    end,
  })
end

return M
