-- Terminal sessions: Claude's own screen in a buffer, with the same queue, permission requests and dashboard as any session.
local Editor = require("lib.editor")
local Home = require("lib.home")
local Terminal = require("lib.terminal")
local buffers = require("lib.buffers")
local wait = require("lib.wait")

local automation = buffers.automation
local screen = buffers.screen
local DASHBOARD = buffers.DASHBOARD

local home, editor

---The screen of Claude contains this when Claude is ready for a prompt.
local READY = "? for shortcuts"
local ASKS = "Do you want to proceed?"

---Creates a terminal session and waits until it is idle.
local function session(project, ...)
  return home:idle(project, "--driver", "terminal", "--permission-mode", "default", ...)
end

---Opens the terminal of a session, in terminal mode.
local function open(where, id)
  where:command("AreYouJ open " .. id)
  where:shows(screen(id), READY)
  where:becomes("Claude's screen", "vim.b.areyouj_session == ... and vim.bo.filetype == 'areyouj-terminal'", id)
  where:becomes("typing to Claude", "vim.fn.mode() == 't'")
end

---Types a prompt to Claude, and submits it once the screen shows it.
local function submit(where, id, words)
  where:type(words)
  where:shows(screen(id), words)
  where:type("<CR>")
end

---Presses a key until a condition holds: for a moment, Claude ignores keys that can be meant for its previous screen.
---@param where table
---@param key string
---@param what string
---@param holds fun(): boolean
local function press_until(where, key, what, holds)
  wait.until_true(what, function()
    if holds() then return true end
    where:type(key)
    return vim.wait(200, holds, 20)
  end)
end

---Trusts the directory of a session in its terminal, until an answer shows. Claude ignores keys for a moment, and can draw
---the question again.
---@param id string
---@param answer string
local function trust(id, answer)
  wait.until_true("the trust", function()
    local before = editor:named(screen(id))
    if before:find(answer, 1, true) then return true end
    if before:find("Yes, I trust this folder", 1, true) then
      editor:type(before:find("❯ Yes", 1, true) and "<CR>" or "<Down>")
    end
    vim.wait(2000, function() return editor:named(screen(id)) ~= before end, 50)
  end)
end

---Exits Claude, which wants Ctrl-D twice within a moment.
---@param id string
---@param status string Of the session after it.
local function exit_claude(id, status)
  wait.until_true("the exit of Claude", function()
    editor:type("<C-d>")
    editor:shows(screen(id), "Ctrl-D again")
    editor:type("<C-d>")
    return vim.wait(3000, function() return home:json("show", id).status == status end, 50)
  end)
end

local function stop_typing(where)
  where:type([[<C-\><C-n>]])
  where:becomes("normal mode", "vim.fn.mode() == 'n'")
end

---The id of the process that shows the terminal.
local function viewer(where, id)
  return where:lua("return vim.fn.jobpid(vim.bo[vim.fn.bufnr('^' .. ... .. '$')].channel)", screen(id))
end

---Waits until a process has exited.
local function exits(pid)
  wait.until_true("the exit of the viewer", function() return not vim.uv.fs_stat("/proc/" .. pid) end)
end

---Runs a test with a new session and its terminal, which are removed after it.
---@param project string
---@param name string Of the session.
---@param test fun(id: string)
local function with_terminal(project, name, test)
  local id = session(project, "--name", name)
  editor:command("tabnew")
  open(editor, id)
  test(id)
  editor:command("tabonly!")
  if home:json("show", id).status ~= "terminated" then home:run("terminate", id) end
end

---Waits until two editors show the same screen, apart from blanks at the ends of lines.
local function same(one, other, id)
  local function visible(where) return vim.trim((where:named(screen(id)):gsub("%s+\n", "\n"))) end
  local first, second
  local ok = vim.wait(wait.TIMEOUT_MS, function()
    first, second = visible(one), visible(other)
    return first == second
  end, 20)
  if not ok then error(("not the same:\n%s\n=====\n%s"):format(first, second), 2) end
end

return {
  before = function()
    home = Home.open({ projects = { "engine", "tools", "docs" } })
    editor =
      Editor.open(home, { project = "engine", config = { new = { driver = "terminal", permission_mode = "default" } } })
  end,
  tests = {
    {
      "a terminal session is created, gets a typed prompt, and shows the answer on the screen and in the transcript",
      function()
        editor:command("AreYouJ new " .. home.projects.engine)
        wait.until_true("the screen", function() return editor:lua("return vim.bo.filetype == 'areyouj-terminal'") end)
        local id = editor:lua("return vim.b.areyouj_session")
        wait.same("name", editor:lua("return vim.api.nvim_buf_get_name(0)"), screen(id))
        editor:shows(screen(id), READY)
        editor:becomes("typing to Claude", "vim.fn.mode() == 't'")
        submit(editor, id, "hello there")
        editor:shows(screen(id), "Echo: hello there")
        home:wait(id, "idle")
        wait.same("modified", editor:lua("return vim.bo.modified"), false)
        stop_typing(editor)
        local help = buffers.help()
        for _, mode in ipairs({ "n", "t" }) do
          local keys = editor:lua(
            "return vim.tbl_map(function(map) return map.lhs end, vim.api.nvim_buf_get_keymap(0, ...))",
            mode
          )
          assert(#keys > 0, "no keys in mode " .. mode)
          for _, key in ipairs(keys) do
            wait.has("help", help, (key:lower():gsub("c%-bslash", [[c-\]])))
          end
        end
        -- The transcript, and back. Each page has one buffer.
        editor:type("o")
        editor:shows(automation(id), "Echo: hello there")
        editor:shows(automation(id), "o terminal")
        editor:type("o")
        editor:becomes("the screen again", "vim.bo.filetype == 'areyouj-terminal'")
        editor:shows(screen(id), "Echo: hello there")
        stop_typing(editor)
        editor:command("AreYouJ! open")
        editor:becomes("the transcript", "vim.bo.filetype == 'areyouj'")
        local count = editor:lua([[
          return #vim.tbl_filter(function(buffer)
            return vim.api.nvim_buf_get_name(buffer):find("areyouj://terminal", 1, true) ~= nil
              or vim.bo[buffer].buftype == "terminal"
          end, vim.api.nvim_list_bufs())
        ]])
        assert(count <= 1, count .. " buffers of one terminal")
      end,
    },
    {
      "a permission request is answered on the command line, in the float or on the screen, and closes everywhere",
      function()
        with_terminal("tools", "asker", function(id)
          home:run("send", id, "run: touch from-the-command-line")
          editor:asks("touch from-the-command-line")
          editor:shows(screen(id), ASKS)
          wait.same("mode", editor:mode().mode, "t")
          home:allow(id)
          editor:float_closes()
          home:wait(id, "idle")
          wait.same("from-the-command-line", home:has_file("tools", "from-the-command-line"), true)

          home:run("send", id, "run: touch from-the-float")
          editor:asks("touch from-the-float")
          editor:shows(screen(id), ASKS)
          stop_typing(editor)
          editor:enter_float()
          editor:type("a")
          home:wait(id, "idle")
          wait.same("from-the-float", home:has_file("tools", "from-the-float"), true)
          editor:is_at(id)
          editor:type("i")
          editor:becomes("typing to Claude", "vim.fn.mode() == 't'")

          home:run("send", id, "run: touch from-the-screen; sleep 1")
          editor:asks("touch from-the-screen")
          editor:shows(screen(id), ASKS)
          press_until(editor, "<CR>", "an answer", function() return home:json("show", id).status ~= "waiting" end)
          editor:float_closes()
          home:wait(id, "idle")
          wait.same("from-the-screen", home:has_file("tools", "from-the-screen"), true)
          wait.same("nothing is open", #home:json("permissions", id), 0)
          -- The float can be entered from terminal mode.
          editor:lua("vim.keymap.set('t', '<F2>', '<Cmd>AreYouJ permissions<CR>')")
          home:run("send", id, "run: touch never")
          editor:asks("touch never")
          editor:type("<F2>")
          editor:becomes("the float entered", "vim.bo.filetype == 'areyouj-permission' and vim.fn.mode() == 'n'")
          editor:type("d")
          home:wait(id, "idle")
          editor:is_at(id)
          wait.same("never", home:has_file("tools", "never"), false)
        end)
      end,
    },
    {
      "waiting messages are delivered to the terminal, one after the other",
      function()
        with_terminal("docs", "docs", function(id)
          stop_typing(editor)
          home:run("send", id, "hold: gate")
          home:wait(id, "active")
          editor:command("AreYouJ send from the queue")
          wait.until_true("the message", function() return vim.deep_equal(home:waiting(id), { "from the queue" }) end)
          editor:type("gq")
          editor:becomes("the queue", "vim.bo.filetype == 'areyouj-queue'")
          editor:becomes("its messages", "vim.fn.getline(2):find('from the queue', 1, true) ~= nil")
          editor:type("q")
          home:release("gate")
          editor:shows(screen(id), "Echo: from the queue")
          home:wait(id, "idle")
          -- While a person types, messages wait.
          editor:type("i")
          editor:becomes("typing to Claude", "vim.fn.mode() == 't'")
          editor:type("half a thought")
          editor:shows(screen(id), "half a thought")
          home:run("send", id, "after the thought")
          editor:becomes(
            "the waiting queue",
            "(require('areyouj.app').model:session(...).statusReason or ''):find('text in the terminal', 1, true) ~= nil",
            id
          )
          editor:type("<CR>")
          editor:shows(screen(id), "Echo: after the thought")
          home:wait(id, "idle")
        end)
      end,
    },
    {
      "closing the window detaches, and opening it again shows the same screen",
      function()
        local id = session("tools")
        home:say(id, "slow: 5 **bold** words")
        editor:command("tabnew")
        open(editor, id)
        editor:shows(screen(id), "words")
        local stays = Editor.open(home, { project = "tools" })
        open(stays, id)
        same(editor, stays, id)
        local pid = viewer(editor, id)
        stop_typing(editor)
        editor:command("tabclose")
        exits(pid)
        home:wait(id, "idle")
        editor:command("tabnew")
        open(editor, id)
        same(editor, stays, id)
        -- Opening it again enters its window, also from another tab page.
        stop_typing(editor)
        local window = editor:lua("return vim.api.nvim_get_current_win()")
        editor:command("tabnew")
        editor:command("AreYouJ open " .. id)
        editor:becomes("the same window", "vim.api.nvim_get_current_win() == ...", window)
        -- Editing another file in its window detaches too, and CTRL-^ returns.
        stop_typing(editor)
        pid = viewer(editor, id)
        editor:command("edit " .. home.projects.tools .. "/other.txt")
        exits(pid)
        editor:becomes("no buffer of it", "vim.fn.bufloaded(...) == 0", screen(id))
        editor:type("<C-^>")
        editor:becomes("Claude's screen", "vim.b.areyouj_session == ... and vim.bo.buftype == 'terminal'", id)
        same(editor, stays, id)
        -- A terminal buffer can only be wiped out by force.
        pid = viewer(editor, id)
        editor:command("bwipeout!")
        exits(pid)
        home:wait(id, "idle")
        stays:quit()
        editor:command("tabonly")
        home:run("terminate", id)
      end,
    },
    {
      "the terminal has the width of its window",
      function()
        with_terminal("tools", "tools", function(id)
          stop_typing(editor)
          local function wide()
            local longest = 0
            for _, line in ipairs(vim.split(editor:named(screen(id)), "\n")) do
              local _, count = line:gsub("─", "")
              longest = math.max(longest, count)
            end
            return longest
          end
          wait.until_true("the whole width", function() return wide() == 120 end)
          editor:command("vsplit | enew")
          wait.until_true("half of it", function()
            local width = editor:lua("return vim.api.nvim_win_get_width(vim.fn.bufwinid(...))", screen(id))
            return width < 70 and wide() == width
          end)
          editor:command("only!")
        end)
      end,
    },
    {
      "kill -9 of the daemon does not disturb a terminal, and waiting messages are delivered",
      function()
        with_terminal("engine", "survivor", function(id)
          home:run("send", id, "hold: door")
          wait.until_true("the turn", function() return vim.tbl_contains(home:prompts(), "hold: door") end)
          home:run("send", id, "next one")
          local pid = viewer(editor, id)
          vim.uv.kill(home:daemon(), "sigkill")
          home:release("door")
          editor:shows(screen(id), "door was released.")
          editor:shows(screen(id), "Echo: next one")
          vim.uv.kill(home:daemon(), "sigkill")
          submit(editor, id, "slow: 3 no daemon")
          editor:shows(screen(id), "word3 no daemon")
          wait.same("the same view", viewer(editor, id), pid)
          home:wait(id, "idle")
          editor:connects()
          stop_typing(editor)
        end)
      end,
    },
    {
      "Neovim quits without a question, and the session continues",
      function()
        local id = session("docs")
        local other = Editor.open(home, { project = "docs" })
        open(other, id)
        submit(other, id, "hold: leaving")
        other:becomes("a turn", "require('areyouj').counts().active > 0")
        local pid = viewer(other, id)
        other:quit()
        exits(pid)
        wait.same("status", home:json("show", id).status, "active")
        home:release("leaving")
        home:wait(id, "idle")
        home:run("terminate", id)
      end,
    },
    {
      "a session switches to Transcript and back, and so do its pages",
      function()
        with_terminal("tools", "mover", function(id)
          submit(editor, id, "typed in the terminal")
          editor:shows(screen(id), "Echo: typed in the terminal")
          home:wait(id, "idle")
          stop_typing(editor)
          local window = editor:lua("return vim.api.nvim_get_current_win()")
          editor:type("M")
          editor:becomes("the confirmation", "vim.api.nvim_win_get_config(0).relative ~= ''")
          editor:type("y")
          editor:becomes(
            "the transcript in its place",
            "vim.bo.filetype == 'areyouj' and vim.b.areyouj_session == ...",
            id
          )
          wait.same("the same window", editor:lua("return vim.api.nvim_get_current_win()"), window)
          home:wait(id, "idle")
          wait.same("driver", home:json("show", id).driver, "stream")
          editor:becomes("no screen", "vim.fn.bufloaded(...) == 0", screen(id))
          home:say(id, "sent in the stream")
          editor:shows(automation(id), "Echo: sent in the stream")
          wait.has("both", editor:named(automation(id)), "typed in the terminal")
          -- A switch waits for the running turn, or interrupts it.
          home:run("send", id, "hold: moving")
          home:wait(id, "active")
          editor:becomes("the turn", "require('areyouj.app').model:session(...).status == 'active'", id)
          editor:lua("_G.echoed = {}; vim.api.nvim_echo = function(pieces) table.insert(_G.echoed, pieces[1][1]) end")
          editor:command("AreYouJ switch-driver terminal")
          editor:becomes(
            "the message",
            "table.concat(_G.echoed, '\\n'):find('mover switches to Terminal when the turn ends', 1, true) ~= nil"
          )
          wait.same("driver", home:json("show", id).driver, "stream")
          editor:command("AreYouJ! move")
          editor:becomes("the screen in its place", "vim.bo.filetype == 'areyouj-terminal'")
          wait.same("the same window", editor:lua("return vim.api.nvim_get_current_win()"), window)
          editor:shows(screen(id), "sent in the stream")
          home:run("switch-driver", id, "stream")
          editor:becomes("the transcript again", "vim.bo.filetype == 'areyouj'")
        end)
      end,
    },
    {
      "a conversation that another Claude has open is not switched, and the problem says what to do",
      function()
        local id = session("docs")
        home:say(id, "hello")
        home:run("switch-driver", id, "stream")
        local conversation = home:json("show", id).claudeSessionId
        local claude = home.environment.AREYOUJ_CLAUDE
        local by_hand = Editor.open(home, { project = "docs" })
        by_hand:lua("vim.fn.jobstart({ ... }, { term = true })", claude, "--resume", conversation)
        wait.until_true("the conversation", function() return by_hand:text():find("Echo: hello", 1, true) end)
        editor:record_notifications()
        editor:command("AreYouJ switch-driver " .. id .. " terminal")
        local problem = editor:notifications(1)[1]
        wait.has("what happened", problem, "has the conversation of " .. id .. " open")
        wait.has("what to do", problem, "End that Claude first")
        wait.same("driver", home:json("show", id).driver, "stream")
        by_hand:close()
        wait.has(
          "completion",
          table.concat(editor:lua("return vim.fn.getcompletion('AreYouJ switch-driver ', 'cmdline')"), " "),
          "stream terminal"
        )
        home:run("terminate", id)
      end,
    },
    {
      "a question in the terminal is notified and listed in the dashboard, which opens the terminal",
      function()
        local elsewhere = home.directory .. "/elsewhere"
        vim.fn.mkdir(elsewhere)
        editor:record_notifications()
        editor:command("tabnew")
        editor:command("AreYouJ")
        local id = home:run("new", elsewhere, "--driver", "terminal", "--name", "stranger", "-m", "hello")
        wait.has("notification", editor:notifications(1)[1], "stranger: Claude asks in its terminal whether to trust")
        editor:shows(DASHBOARD, "whether to trust this directory  <CR>")
        editor:lua("vim.fn.cursor(1, 1); vim.fn.search('whether to trust')")
        editor:type("<CR>")
        editor:is_at(id)
        editor:shows(screen(id), "Yes, I trust this folder")
        editor:becomes("typing to Claude", "vim.fn.mode() == 't'")
        trust(id, "Echo: hello")
        home:wait(id, "idle")
        -- A screen that the person opened is not notified.
        submit(editor, id, "/help")
        home:wait(id, "waiting")
        editor:becomes("the state", "require('areyouj.app').model:session(...).status == 'waiting'", id)
        stop_typing(editor)
        editor:type("o")
        editor:shows(automation(id), "Claude shows in its terminal")
        editor:type("o")
        editor:becomes("typing to Claude", "vim.fn.mode() == 't'")
        press_until(
          editor,
          "<Esc>",
          "the end of the help",
          function() return home:json("show", id).status == "idle" end
        )
        editor:notifications(1)
        stop_typing(editor)
        editor:command("tabonly")
        home:run("terminate", id)
      end,
    },
    {
      "a person who exits Claude terminates the session, and the screen says so",
      function()
        with_terminal("tools", "tools", function(id)
          exit_claude(id, "terminated")
          editor:shows(screen(id), id .. " was terminated.")
          editor:becomes("normal mode", "vim.fn.mode() == 'n'")
          editor:becomes("the status in the winbar", "vim.wo.winbar:find('terminated', 1, true) ~= nil")
          wait.same("no restart", editor:lua("return vim.wo.winbar:find('R%#AreYouJDim# restart', 1, true)"), nil)
          editor:command("tabclose")
          -- Opening it again shows its transcript.
          editor:command("tabnew")
          editor:command("AreYouJ open " .. id)
          editor:shows(automation(id), "Terminated. The transcript stays")
        end)
      end,
    },
    {
      "a session with waiting messages whose Claude exits has an error, and restarts in the same window",
      function()
        with_terminal("tools", "tools", function(id)
          home:run("queue", "pause", id)
          home:run("send", id, "not lost")
          exit_claude(id, "error")
          editor:becomes("the status in the winbar", "vim.wo.winbar:find('R%#AreYouJDim# restart', 1, true) ~= nil")
          editor:shows(screen(id), "A person ended Claude in its terminal.")
          editor:becomes("normal mode", "vim.fn.mode() == 'n'")
          editor:type("R")
          home:wait(id, "idle")
          editor:becomes("the new terminal", "vim.bo.buftype == 'terminal' and vim.b.areyouj_session == ...", id)
          editor:shows(screen(id), READY)
          wait.same("hint", editor:lua("return vim.wo.winbar:find('R%#AreYouJDim# restart', 1, true)"), nil)
          home:run("queue", "resume", id)
          editor:shows(screen(id), "Echo: not lost")
          home:wait(id, "idle")
        end)
      end,
    },
    {
      "an editor session restores the terminal",
      function()
        local file = home.directory .. "/screens.vim"
        local id = session("docs")
        home:say(id, "remember the screen")
        local other = Editor.open(home, { project = "docs" })
        open(other, id)
        other:shows(screen(id), "remember the screen")
        stop_typing(other)
        other:command("mksession " .. file)
        other:quit()
        other = Editor.open(home, { project = "docs" })
        other:command("source " .. file)
        other:shows(screen(id), "remember the screen")
        wait.same("type", other:lua("return vim.bo[vim.fn.bufnr(...)].buftype", screen(id)), "terminal")
        wait.same("messages", other:messages(), "")
        other:quit()
        -- The session can have switched in the meantime.
        home:run("switch-driver", id, "stream")
        other = Editor.open(home, { project = "docs" })
        other:command("source " .. file)
        other:shows(automation(id), "remember the screen")
        other:becomes("the transcript in its place", "vim.bo.filetype == 'areyouj'")
        other:quit()
        home:run("terminate", id)
      end,
    },
    {
      "in a real terminal, a person chooses the driver of a new session, types to Claude, and detaches with Ctrl-\\ d",
      function()
        local terminal = Terminal.open(
          home,
          { project = "engine", config = { new = { permission_mode = "default" }, open = "vsplit" } }
        )
        terminal:command("AreYouJ")
        terminal:shows("Orchestration")
        terminal:type("C")
        terminal:shows("Claude's own screen")
        terminal:type("2")
        terminal:press("Enter")
        terminal:shows("working directory")
        terminal:type("1")
        terminal:press("Enter")
        terminal:shows("› Terminal")
        terminal:shows(READY)
        terminal:type("typed by a person")
        terminal:shows("typed by a person")
        terminal:press("Enter")
        terminal:shows("Echo: typed by a person")
        local id = home:json("ls")[1].id
        home:wait(id, "idle")
        terminal:press("C-\\")
        terminal:type("d")
        terminal:hides("› Terminal")
        terminal:shows("Orchestration")
        home:wait(id, "idle")
        -- Without the plugin's keys, Neovim takes the first Ctrl-\\ itself.
        terminal:command("AreYouJ open " .. id)
        terminal:shows("Echo: typed by a person")
        terminal:press("C-\\", "C-\\")
        terminal:type("d")
        terminal:hides("› Terminal")
        home:wait(id, "idle")
      end,
    },
  },
}
