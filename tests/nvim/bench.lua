-- Measures the goals of the plugin: its cost at startup, the latency of a key while a long transcript grows, and the delay
-- until Neovim and the command line agree.
local here = vim.fs.dirname(vim.fn.fnamemodify(arg[0], ":p"))
package.path = here .. "/?.lua;" .. package.path

local Editor = require("lib.editor")
local Home = require("lib.home")
local Terminal = require("lib.terminal")
local cleanup = require("lib.cleanup")
local measure = require("lib.measure")
local wait = require("lib.wait")

local STARTS = 20
local ENTRIES = 10000
---The stand-in creates three entries per message.
local MESSAGES = math.ceil(ENTRIES / 3)
---The number of queued messages while the transcript is created.
local BATCH = 250
---The number of messages to queue at once, and the number of keys between: several hundred entries per second.
local STREAMED, EACH_KEYS = 60, 8
---The number of measured keys, and the pause between them: a fast typist.
local KEYS, KEY_EVERY_MS = 100, 40
local CHANGES = 40

local function milliseconds() return vim.uv.hrtime() / 1e6 end

local function start_up()
  local home = { program = "areyouj", directory = vim.fn.tempname(), environment = vim.fn.environ() }
  vim.fn.mkdir(home.directory)
  local sourced, whole = {}, { {}, {} }
  for _ = 1, STARTS do
    for place, arguments in ipairs({ Editor.arguments(home), { "--clean", "-n" } }) do
      local log = home.directory .. "/startup"
      os.remove(log)
      local command = { vim.v.progpath, "--headless", "--startuptime", log }
      vim.list_extend(command, arguments)
      vim.list_extend(command, { "+qa" })
      assert(vim.system(command, { env = Editor.environment(home) }):wait().code == 0)
      for line in io.lines(log) do
        local own = line:match("^[%d.]+%s+[%d.]+%s+([%d.]+): sourcing .*plugin/areyouj%.lua")
        if own then table.insert(sourced, tonumber(own)) end
        local ended = line:match("^([%d.]+)%s+[%d.]+: %-%-%- NVIM STARTED %-%-%-")
        if ended then table.insert(whole[place], tonumber(ended)) end
      end
    end
  end
  vim.fn.delete(home.directory, "rf")
  measure.times("start-up cost of the plugin, by --startuptime", sourced, "< 1 ms")
  measure.times("start of Neovim with the plugin", whole[1])
  measure.times("start of Neovim without it", whole[2])
end

---Sends keys like a typist, and measures when the editor has handled each. Both processes read the same clock.
---@param feed? fun() Called after every few keys.
local function keys(channel, what, key, feed)
  vim.rpcrequest(
    channel,
    "nvim_exec_lua",
    [[
    local key = ...
    _G.handled = {}
    vim.keymap.set({ "n", "i" }, "<F9>", function()
      table.insert(_G.handled, vim.uv.hrtime() / 1e6)
      return key
    end, { expr = true })
  ]],
    { key }
  )
  local sent = {}
  for number = 1, KEYS do
    if feed and number % EACH_KEYS == 0 then feed() end
    table.insert(sent, milliseconds())
    vim.rpcnotify(channel, "nvim_input", "<F9>")
    vim.wait(KEY_EVERY_MS, function() return false end, KEY_EVERY_MS)
  end
  local handled = wait.until_true("the last key", function()
    local list = vim.rpcrequest(channel, "nvim_exec_lua", "return _G.handled", {})
    return #list == KEYS and list or nil
  end)
  local times = {}
  for place, at in ipairs(handled) do
    times[place] = at - sent[place]
  end
  measure.times(what, times, "p95 < 16 ms")
end

local function input()
  local home = Home.open({ projects = { "engine" }, stand_in = "obedient" })
  local id = home:idle("engine")
  local socket = home.directory .. "/nvim.sock"
  local terminal = Terminal.open(home, { project = "engine", arguments = { "--listen", socket } })
  wait.until_true("the editor", function() return vim.uv.fs_stat(socket) end)
  local channel = vim.fn.sockconnect("pipe", socket, { rpc = true })
  local function lua(code, ...) return vim.rpcrequest(channel, "nvim_exec_lua", code, { ... }) end
  local function send(count)
    lua(
      [[
      local id, count = ...
      for number = 1, count do
        require("areyouj").send("message " .. number, id, function(problem) assert(not problem, problem and problem.message) end)
      end
    ]],
      id,
      count
    )
  end
  lua("require('areyouj').start()")
  for first = 1, MESSAGES, BATCH do
    send(math.min(BATCH, MESSAGES - first + 1))
    wait.until_true("the messages", function() return home:json("show", id).queued > 0 end)
    wait.until_true("their turns", function()
      local session = home:json("show", id)
      return session.status == "idle" and session.queued == 0
    end, 120000)
  end
  vim.rpcrequest(channel, "nvim_command", "AreYouJ open " .. id)
  terminal:shows("Automation")
  -- Loads all older pages, as scrolling up does.
  wait.until_true("all entries", function()
    vim.rpcrequest(channel, "nvim_input", "gg")
    return lua("return vim.b.areyouj_session == ... and vim.api.nvim_buf_line_count(0)", id) > MESSAGES * 5
  end, 120000)
  measure.note("lines of the transcript", tostring(lua("return vim.api.nvim_buf_line_count(0)")))
  vim.rpcrequest(channel, "nvim_input", "G")
  keys(channel, "key while nothing happens", "k")
  vim.rpcrequest(channel, "nvim_input", "G")
  local function streaming(what, key)
    local function entries()
      return lua("return vim.api.nvim_buf_line_count(vim.fn.bufnr('areyouj://automation/' .. ...))", id)
    end
    send(STREAMED)
    local before, began = entries(), milliseconds()
    keys(channel, what .. ", under streaming", key, function() send(STREAMED) end)
    local rate = (entries() - before) / (milliseconds() - began) * 1000
    measure.note("  lines added meanwhile, per second", ("%d"):format(rate))
  end
  streaming("key at the end of the transcript", "<Ignore>")
  vim.rpcrequest(channel, "nvim_input", "5000G")
  streaming("key in the middle of the transcript", "j")
  vim.rpcrequest(channel, "nvim_command", "new")
  vim.rpcrequest(channel, "nvim_input", "i")
  streaming("letter in another window", "x")
  cleanup.all()
end

---An editor with the page of a session. It records when it learned each name of the session.
local function follower(home, id)
  local editor = Editor.open(home, { project = "engine" })
  editor:command("AreYouJ open " .. id)
  editor:connects()
  editor:lua([[
    _G.names = {}
    vim.api.nvim_create_autocmd("User", {
      pattern = "AreYouJSession",
      callback = function(event) _G.names[event.data.session.name or ""] = vim.uv.hrtime() / 1e6 end,
    })
  ]])
  return editor
end

local function agreement()
  local home = Home.open({ projects = { "engine" }, stand_in = "obedient" })
  local id = home:idle("engine")
  local editor = follower(home, id)
  local there, answered = {}, {}
  for number = 1, CHANGES do
    local name, began = "cli" .. number, milliseconds()
    home:run("rename", id, name)
    local ended = milliseconds()
    local seen = wait.until_true("the name in Neovim", function() return editor:lua("return _G.names[...]", name) end)
    table.insert(there, seen - began)
    table.insert(answered, math.max(0, seen - ended))
  end
  measure.times("change by the command line, started → seen in Neovim", there, "p95 < 100 ms")
  measure.times("change by the command line, answered → seen in Neovim", answered, "p95 < 100 ms")
  -- The opposite direction: a second client sees the changes of the first one.
  local other = follower(home, id)
  local back, followed = {}, {}
  for number = 1, CHANGES do
    local name = "nvim" .. number
    local began = milliseconds()
    editor:lua("require('areyouj.actions.session').rename(...)", id, name)
    local seen = wait.until_true(
      "the name in the other Neovim",
      function() return other:lua("return _G.names[...]", name) end
    )
    table.insert(back, seen - began)
    wait.until_true("the name on the command line", function() return home:json("show", id).name == name end)
    table.insert(followed, milliseconds() - began)
  end
  measure.times("change in Neovim → seen in another Neovim", back, "p95 < 100 ms")
  measure.times("change in Neovim → printed by the command line", followed, "p95 < 100 ms")
  cleanup.all()
end

local parts = { start_up = start_up, input = input, agreement = agreement }
for _, name in ipairs({ "start_up", "input", "agreement" }) do
  if #arg == 0 or vim.tbl_contains(arg, name) then parts[name]() end
end
measure.print()
os.exit(0)
