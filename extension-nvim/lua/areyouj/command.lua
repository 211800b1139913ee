---`:AreYouJ` and its subcommands.
local app = require("areyouj.app")
local paths = require("areyouj.paths")
local problem = require("areyouj.problem")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

local M = {}

local model, ui, session_actions, queue_actions = app.model, app.ui, app.session, app.queue

---@class areyouj.Arguments
---@field words string[]
---@field rest string The text after the subcommand.
---@field bang boolean
---@field range? { first: integer, last: integer, columns?: { from: integer, to: integer } }

---@class areyouj.Subcommand
---@field run fun(arguments: areyouj.Arguments)
---@field complete? fun(lead: string, words: string[]): string[]
---@field offline? boolean It needs no connection.

---A shorter word is part of the message, not the prefix of an id.
local MIN_ID = 4

---Ids of sessions with a prefix.
---@param lead string
---@param all boolean
---@return string[]
local function ids(lead, all)
  local sessions = all and model:all() or model:live()
  local found = vim.tbl_map(function(session) return session.id end, sessions)
  return vim.tbl_filter(function(id) return vim.startswith(id, lead:upper()) end, found)
end

local function live(lead, words) return #words <= 2 and ids(lead, false) or {} end
local function any(lead, words) return #words <= 2 and ids(lead, true) or {} end

---How long a command waits for the list of sessions, in milliseconds.
local LIST_WITHIN_MS = 5000

---Calls a function as soon as the list of sessions is known.
---@param go fun()
local function when_listed(go)
  -- The list stays known during a reconnection.
  local function ready() return model.connection.state ~= "connecting" and model.connection.state ~= "stopped" end
  if ready() then return go() end
  local stop = function() end
  local called = false
  local function once()
    if called then return end
    called = true
    stop()
    go()
  end
  stop = model:on("connection", function()
    if ready() then vim.schedule(once) end
  end)
  vim.defer_fn(once, LIST_WITHIN_MS)
end

---Finds the session of a command: the named one, the one of this buffer, the only one of this directory, or one that the
---person chooses.
---@param word? string An id or a prefix of one.
---@param prompt string
---@param go fun(id: string)
local function with_session(word, prompt, go)
  if word and word ~= "" then
    return app.request("areyouj/session/get", { sessionId = word:upper() }, function(failed, found)
      if failed then return problem.show(failed) end
      go(found.id)
    end)
  end
  local here = vim.b.areyouj_session
  if here then return go(here) end
  when_listed(function()
    local cwd = vim.fn.getcwd()
    local mine = vim.tbl_filter(function(one) return one.directory == cwd end, model:live())
    if #mine == 1 then return go(mine[1].id) end
    ui.choose_session(prompt, go)
  end)
end

---The text of a range for Claude. Its path is relative to the directory of the session.
---@param range { first: integer, last: integer, columns?: { from: integer, to: integer } }
---@return fun(directory: string): string
local function excerpt(range)
  local lines = vim.api.nvim_buf_get_lines(0, range.first - 1, range.last, false)
  if range.columns and #lines > 0 then
    lines[#lines] = lines[#lines]:sub(1, range.columns.to)
    lines[1] = lines[1]:sub(range.columns.from)
  end
  local name = vim.api.nvim_buf_get_name(0)
  local file, language = vim.bo.buftype == "" and name ~= "", vim.bo.filetype
  return function(directory)
    return text.excerpt({
      path = file and tools.relative(name, directory) or nil,
      first = range.first,
      last = range.last,
      language = language,
      text = table.concat(lines, "\n"),
    })
  end
end

---The id that the arguments start with, if a known session has it, and the text after it.
---@param arguments areyouj.Arguments
---@param all boolean
---@return string? id
---@return string rest
local function split_id(arguments, all)
  local word = arguments.words[1]
  if not word or #word < MIN_ID or #ids(word, all) == 0 then return nil, arguments.rest end
  return word, vim.trim(arguments.rest:sub(#word + 1))
end

---@param arguments areyouj.Arguments
local function send(arguments)
  local selected = arguments.range and excerpt(arguments.range)
  when_listed(function()
    local word, rest = split_id(arguments, false)
    with_session(word, "Send to", function(id)
      local known = model:session(id)
      local part = selected and selected(known and known.directory or "")
      -- Without a message the person writes one first.
      if rest == "" then return ui.composer(id, part) end
      local words = part and rest .. "\n\n" .. part or rest
      queue_actions.send(words, id, function(failed)
        if failed then
          problem.show(failed)
          return ui.keep_draft(id, words)
        end
        vim.api.nvim_echo({ { ("Message queued for %s."):format(known and text.name(known) or id) } }, false, {})
      end)
    end)
  end)
end

---@param lead string
---@return areyouj.Driver[]
local function drivers(lead)
  return vim.tbl_filter(function(driver) return vim.startswith(driver, lead) end, { "stream", "terminal" })
end

---The driver that the arguments start with, if they do, and the text after it.
---@param arguments areyouj.Arguments
---@return areyouj.Driver? driver
---@return string rest
local function split_driver(arguments)
  local word = arguments.words[1]
  if word ~= "stream" and word ~= "terminal" then return nil, arguments.rest end
  return word, vim.trim(arguments.rest:sub(#word + 1))
end

---@param arguments areyouj.Arguments
local function switch_driver(arguments)
  local id, driver ---@type string?, areyouj.Driver?
  for _, word in ipairs(arguments.words) do
    if word == "stream" or word == "terminal" then
      driver = word
    else
      id = word
    end
  end
  with_session(
    id,
    "Switch the driver of",
    function(found) session_actions.switch_driver(found, driver, { interrupt = arguments.bang }) end
  )
end

---@param lead string
---@param words string[]
---@return string[]
local function driver_or_id(lead, words)
  local has_driver = vim.tbl_contains(words, "stream") or vim.tbl_contains(words, "terminal")
  return vim.list_extend(has_driver and {} or drivers(lead), live(lead, words))
end

local function restart_daemon()
  app.restart_daemon(function(failed, status)
    if not status then return problem.report(failed) end
    local words = ("The daemon restarted (version %s). Sessions kept running."):format(status.version)
    problem.notify(text.plain(words, 200), vim.log.levels.INFO)
  end)
end

---@param prompt string
---@param action fun(id: string, arguments: areyouj.Arguments)
---@return fun(arguments: areyouj.Arguments)
local function of_session(prompt, action)
  return function(arguments)
    with_session(arguments.words[1], prompt, function(id) action(id, arguments) end)
  end
end

---@type table<string, areyouj.Subcommand>
M.subcommands = {
  dashboard = { run = function() ui.dashboard() end },
  new = {
    run = function(arguments)
      local driver, rest = split_driver(arguments)
      if rest == "" then
        return when_listed(function() ui.new_session(driver) end)
      end
      ui.create_session(paths.typed(rest), driver)
    end,
    complete = function(lead, words)
      local found = paths.directories(lead)
      return #words <= 2 and vim.list_extend(drivers(lead), found) or found
    end,
  },
  open = {
    run = of_session("Open", function(id, arguments)
      if arguments.bang then return ui.transcript(id) end
      ui.session(id)
    end),
    complete = any,
  },
  ["switch-driver"] = { run = switch_driver, complete = driver_or_id },
  send = { run = send, complete = live },
  queue = { run = of_session("Show the queue of", function(id) ui.queue(id) end), complete = live },
  switch = {
    run = function(arguments)
      when_listed(function() ui.switch(arguments.bang) end)
    end,
  },
  permissions = {
    run = function()
      when_listed(function() ui.choose_permission() end)
    end,
  },
  decide = { run = of_session("Continue or skip in", function(id) queue_actions.recover(id) end), complete = live },
  interrupt = {
    run = of_session("Interrupt", function(id) session_actions.interrupt(id) end),
    complete = live,
  },
  restart = { run = of_session("Restart", function(id) session_actions.restart(id) end), complete = any },
  terminate = {
    run = of_session("Terminate", function(id, arguments) session_actions.terminate({ id }, arguments.bang) end),
    complete = live,
  },
  rename = {
    run = function(arguments)
      when_listed(function()
        local word, name = split_id(arguments, true)
        with_session(word, "Rename", function(id) session_actions.rename(id, name ~= "" and name or nil) end)
      end)
    end,
    complete = any,
  },
  logs = { run = function(arguments) ui.logs(arguments.words[1]) end, complete = any },
  audit = { run = function(arguments) ui.audit(arguments.words[1]) end, complete = any },
  health = { run = function() vim.cmd.checkhealth("areyouj") end, offline = true },
  reconnect = { run = app.restart },
  ["restart-daemon"] = { run = restart_daemon },
}

---Earlier names of subcommands, which still work.
local RENAMED = { move = "switch-driver" }

---The columns of a characterwise selection, if the command comes from visual mode.
---@param arguments table
---@return { from: integer, to: integer }?
local function columns(arguments)
  local first, last = vim.api.nvim_buf_get_mark(0, "<"), vim.api.nvim_buf_get_mark(0, ">")
  local same = arguments.line1 == first[1] and arguments.line2 == last[1]
  if not same or vim.fn.visualmode() ~= "v" then return nil end
  -- A range of line numbers means whole lines, even if the last selection was in these lines.
  local typed = vim.fn.histget(":", -1)
  if typed:find("AreYouJ", 1, true) and not typed:find("'<,'>", 1, true) then return nil end
  local line = vim.api.nvim_buf_get_lines(0, last[1] - 1, last[1], false)[1] or ""
  -- The mark is at the first byte of the last character.
  local stop = last[2] + 1
  while stop < #line and line:byte(stop + 1) >= 0x80 and line:byte(stop + 1) < 0xc0 do
    stop = stop + 1
  end
  return { from = first[2] + 1, to = stop }
end

---Whether all these subcommands begin with the first one, which `restart` means beside `restart-daemon`.
---@param matching string[] In order.
---@return boolean
local function is_one(matching)
  local longer = vim.tbl_filter(function(name) return vim.startswith(name, matching[1]) end, matching)
  return #matching > 0 and #longer == #matching
end

---Runs `:AreYouJ`.
---@param arguments table As `nvim_create_user_command` passes them.
function M.run(arguments)
  local name, rest = arguments.args:match("^%s*(%S*)%s*(.-)%s*$")
  name = name == "" and "dashboard" or name
  local subcommand = M.subcommands[RENAMED[name] or name]
  if not subcommand then
    local matching = M.matching(name)
    if not is_one(matching) then
      local why = #matching == 0 and "%s is not a subcommand of :AreYouJ"
        or "%s is ambiguous: " .. table.concat(matching, ", ")
      problem.notify(text.plain(why:format(name), 200), vim.log.levels.ERROR)
      return
    end
    subcommand = M.subcommands[matching[1]]
  end
  if not subcommand.offline then app.use() end
  subcommand.run({
    words = vim.split(rest, "%s+", { trimempty = true }),
    rest = rest,
    bang = arguments.bang,
    range = arguments.range > 0 and { first = arguments.line1, last = arguments.line2, columns = columns(arguments) }
      or nil,
  })
end

---@param lead string
---@return string[]
function M.matching(lead)
  local found = vim.tbl_filter(function(name) return vim.startswith(name, lead) end, vim.tbl_keys(M.subcommands))
  table.sort(found)
  return found
end

---Completes `:AreYouJ`.
---@param lead string
---@param line string
---@param position integer
---@return string[]
function M.complete(lead, line, position)
  -- The connection makes ids known for completion.
  app.start()
  local typed = line:sub(1, position):gsub("^.-AreYouJ!?%s*", "", 1)
  local words = vim.split(typed, "%s+")
  if #words <= 1 then return M.matching(lead) end
  local subcommand = M.subcommands[RENAMED[words[1]] or words[1]]
  return subcommand and subcommand.complete and subcommand.complete(lead, words) or {}
end

return M
