-- Terminal sessions: Claude's own screen in a buffer, with the same queue, prompts and list as any session.
local Editor = require("lib.editor")
local Home = require("lib.home")
local Terminal = require("lib.terminal")
local wait = require("lib.wait")

local home, editor

---What Claude's screen shows when it is ready for a prompt.
local READY = "? for shortcuts"
local ASKS = "Do you want to proceed?"
local DASHBOARD = "areyouj://orchestration"
local root = vim.fs.normalize(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/../../../extension-nvim")

local function screen(id) return "areyouj://terminal/" .. id end
local function automation(id) return "areyouj://automation/" .. id end

---Creates a terminal session and waits until it is idle.
local function session(project, ...)
  return home:idle(project, "--driver", "terminal", "--permission-mode", "default", ...)
end

---Opens the screen of a session; keys go to Claude then.
local function open(where, id)
  where:command("AreYouJ open " .. id)
  where:shows(screen(id), READY)
  where:becomes("Claude's screen", "vim.b.areyouj_session == ... and vim.bo.filetype == 'areyouj-terminal'", id)
  where:becomes("typing to Claude", "vim.fn.mode() == 't'")
end

---Types a prompt to Claude and submits it once it is there.
local function submit(where, id, words)
  where:type(words)
  where:shows(screen(id), words)
  where:type("<CR>")
end

---Presses a key until something holds: Claude takes no key for an answer while it may have been meant for something else.
local function press_until(where, key, what, holds)
  wait.until_true(what, function()
    if holds() then return true end
    where:type(key)
    return vim.wait(200, holds, 20)
  end)
end

local function stop_typing(where)
  where:type([[<C-\><C-n>]])
  where:becomes("normal mode", "vim.fn.mode() == 'n'")
end

---The process that shows the screen.
local function viewer(where, id)
  return where:lua("return vim.fn.jobpid(vim.bo[vim.fn.bufnr('^' .. ... .. '$')].channel)", screen(id))
end

local function is_gone(pid)
  return function() return not vim.uv.fs_stat("/proc/" .. pid) end
end

---Waits until two editors show the same screen. Blanks at the ends of lines are not seen.
local function same(one, other, id)
  local function seen(where) return vim.trim((where:named(screen(id)):gsub("%s+\n", "\n"))) end
  local first, second
  local ok = vim.wait(wait.PATIENCE_MS, function()
    first, second = seen(one), seen(other)
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
      "a session is created at a terminal, gets a prompt that is typed, and its answer is on the screen and in the transcript",
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
        local help = table.concat(vim.fn.readfile(root .. "/doc/areyouj.txt"), "\n"):lower()
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
        -- The other page, and back; each has one buffer.
        editor:type("o")
        editor:shows(automation(id), "Echo: hello there")
        editor:shows(automation(id), "o screen")
        editor:type("o")
        editor:becomes("the screen again", "vim.bo.filetype == 'areyouj-terminal'")
        editor:shows(screen(id), "Echo: hello there")
        stop_typing(editor)
        editor:command("AreYouJ! open")
        editor:becomes("the transcript", "vim.bo.filetype == 'areyouj'")
        local buffers = editor:lua([[
          return #vim.tbl_filter(function(buffer)
            return vim.api.nvim_buf_get_name(buffer):find("areyouj://terminal", 1, true) ~= nil
              or vim.bo[buffer].buftype == "terminal"
          end, vim.api.nvim_list_bufs())
        ]])
        assert(buffers <= 1, buffers .. " buffers of one screen")
      end,
    },
    {
      "a prompt is answered from the command line, in the float or on the screen, and is closed everywhere",
      function()
        local id = session("tools", "--name", "asker")
        editor:command("tabnew")
        open(editor, id)

        home:run("send", id, "run: touch from-the-command-line")
        editor:asks("touch from-the-command-line")
        editor:shows(screen(id), ASKS)
        wait.same("mode", editor:mode().mode, "t")
        home:run("allow", home:json("permissions", id)[1].id)
        wait.until_true("the end of the float", function() return editor:float() == nil end)
        home:wait(id, "idle")
        assert(vim.uv.fs_stat(home.projects.tools .. "/from-the-command-line"))

        home:run("send", id, "run: touch from-the-float")
        editor:asks("touch from-the-float")
        editor:shows(screen(id), ASKS)
        stop_typing(editor)
        editor:command("AreYouJ permissions")
        editor:becomes("the float entered", "vim.bo.filetype == 'areyouj-permission'")
        editor:type("a")
        home:wait(id, "idle")
        assert(vim.uv.fs_stat(home.projects.tools .. "/from-the-float"))
        editor:becomes("the keyboard back", "vim.b.areyouj_session == ...", id)
        editor:type("i")
        editor:becomes("typing to Claude", "vim.fn.mode() == 't'")

        home:run("send", id, "run: touch from-the-screen; sleep 1")
        editor:asks("touch from-the-screen")
        editor:shows(screen(id), ASKS)
        press_until(editor, "<CR>", "an answer", function() return home:json("show", id).status ~= "waiting" end)
        wait.until_true("the end of the float", function() return editor:float() == nil end)
        home:wait(id, "idle")
        assert(vim.uv.fs_stat(home.projects.tools .. "/from-the-screen"))
        wait.same("nothing is open", #home:json("permissions", id), 0)
        -- The float may be entered while somebody types to Claude.
        editor:lua("vim.keymap.set('t', '<F2>', '<Cmd>AreYouJ permissions<CR>')")
        home:run("send", id, "run: touch never")
        editor:asks("touch never")
        editor:type("<F2>")
        editor:becomes("the float entered", "vim.bo.filetype == 'areyouj-permission' and vim.fn.mode() == 'n'")
        editor:type("d")
        home:wait(id, "idle")
        editor:becomes("the keyboard back", "vim.b.areyouj_session == ...", id)
        wait.same("never", vim.uv.fs_stat(home.projects.tools .. "/never"), nil)
        editor:command("tabclose")
        home:run("terminate", id)
      end,
    },
    {
      "messages that wait are delivered to Claude's screen, one after the other",
      function()
        local id = session("docs")
        editor:command("tabnew")
        open(editor, id)
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
        -- While somebody types, what waits does.
        editor:type("i")
        editor:becomes("typing to Claude", "vim.fn.mode() == 't'")
        editor:type("half a thought")
        editor:shows(screen(id), "half a thought")
        home:run("send", id, "after the thought")
        editor:becomes(
          "a queue that waits",
          "(require('areyouj.app').model:session(...).statusReason or ''):find('text in the terminal', 1, true) ~= nil",
          id
        )
        editor:type("<CR>")
        editor:shows(screen(id), "Echo: after the thought")
        home:wait(id, "idle")
        editor:command("tabclose")
        home:run("terminate", id)
      end,
    },
    {
      "whoever closes the window leaves, and whoever comes back finds the same screen",
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
        wait.until_true("the end of the view", is_gone(pid))
        home:wait(id, "idle")
        editor:command("tabnew")
        open(editor, id)
        same(editor, stays, id)
        -- A second opening goes to where it is, also from another tab page.
        stop_typing(editor)
        local window = editor:lua("return vim.api.nvim_get_current_win()")
        editor:command("tabnew")
        editor:command("AreYouJ open " .. id)
        editor:becomes("the same window", "vim.api.nvim_get_current_win() == ...", window)
        -- Another file in its place leaves it too, and CTRL-^ comes back.
        stop_typing(editor)
        pid = viewer(editor, id)
        editor:command("edit " .. home.projects.tools .. "/other.txt")
        wait.until_true("the end of the view", is_gone(pid))
        editor:becomes("no buffer of it", "vim.fn.bufloaded(...) == 0", screen(id))
        editor:type("<C-^>")
        editor:becomes("Claude's screen", "vim.b.areyouj_session == ... and vim.bo.buftype == 'terminal'", id)
        same(editor, stays, id)
        -- As with every terminal: by force.
        pid = viewer(editor, id)
        editor:command("bwipeout!")
        wait.until_true("the end of the view", is_gone(pid))
        home:wait(id, "idle")
        stays:quit()
        editor:command("tabonly")
        home:run("terminate", id)
      end,
    },
    {
      "the screen is as wide as its window, and follows it",
      function()
        local id = session("tools")
        editor:command("tabnew")
        open(editor, id)
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
        editor:command("tabclose")
        home:run("terminate", id)
      end,
    },
    {
      "kill -9 of the daemon disturbs nobody who looks: the screen goes on, and what waits is delivered",
      function()
        local id = session("engine", "--name", "survivor")
        editor:command("tabnew")
        open(editor, id)
        home:run("send", id, "hold: door")
        wait.until_true("the turn", function() return vim.tbl_contains(home:prompts(), "hold: door") end)
        home:run("send", id, "next one")
        local pid = viewer(editor, id)
        vim.uv.kill(home:daemon(), "sigkill")
        home:release("door")
        editor:shows(screen(id), "door was released.")
        editor:shows(screen(id), "Echo: next one")
        vim.uv.kill(home:daemon(), "sigkill")
        submit(editor, id, "slow: 3 nobody there")
        editor:shows(screen(id), "word3 nobody there")
        wait.same("the same view", viewer(editor, id), pid)
        home:wait(id, "idle")
        editor:becomes("the connection", "require('areyouj').connection().state == 'connected'")
        stop_typing(editor)
        editor:command("tabclose")
        home:run("terminate", id)
      end,
    },
    {
      "an editor is left without a question, and the session goes on",
      function()
        local id = session("docs")
        local other = Editor.open(home, { project = "docs" })
        open(other, id)
        submit(other, id, "hold: leaving")
        other:becomes("a turn", "require('areyouj').counts().active > 0")
        local pid = viewer(other, id)
        other:quit()
        wait.until_true("the end of the view", is_gone(pid))
        wait.same("status", home:json("show", id).status, "active")
        home:release("leaving")
        home:wait(id, "idle")
        home:run("terminate", id)
      end,
    },
    {
      "a conversation moves to a stream and back, and the pages move with it",
      function()
        local id = session("tools", "--name", "mover")
        editor:command("tabnew")
        open(editor, id)
        submit(editor, id, "said at the terminal")
        editor:shows(screen(id), "Echo: said at the terminal")
        home:wait(id, "idle")
        stop_typing(editor)
        local window = editor:lua("return vim.api.nvim_get_current_win()")
        editor:type("M")
        editor:becomes("the question", "vim.api.nvim_win_get_config(0).relative ~= ''")
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
        home:say(id, "said in the stream")
        editor:shows(automation(id), "Echo: said in the stream")
        wait.has("both", editor:named(automation(id)), "said at the terminal")
        -- A turn that runs is waited for, or broken off.
        home:run("send", id, "hold: moving")
        home:wait(id, "active")
        editor:becomes("the turn", "require('areyouj.app').model:session(...).status == 'active'", id)
        editor:lua("_G.echoed = {}; vim.api.nvim_echo = function(pieces) table.insert(_G.echoed, pieces[1][1]) end")
        editor:command("AreYouJ move terminal")
        editor:becomes(
          "the word of it",
          "table.concat(_G.echoed, '\\n'):find('mover moves to a terminal when the turn has ended', 1, true) ~= nil"
        )
        wait.same("driver", home:json("show", id).driver, "stream")
        editor:command("AreYouJ! move")
        editor:becomes("the screen in its place", "vim.bo.filetype == 'areyouj-terminal'")
        wait.same("the same window", editor:lua("return vim.api.nvim_get_current_win()"), window)
        editor:shows(screen(id), "said in the stream")
        home:run("switch-driver", id, "stream")
        editor:becomes("the transcript again", "vim.bo.filetype == 'areyouj'")
        editor:command("tabclose")
        home:run("terminate", id)
      end,
    },
    {
      "a conversation that is open elsewhere is not moved, and what to do is said",
      function()
        local id = session("docs")
        home:say(id, "hello")
        home:run("switch-driver", id, "stream")
        local conversation = home:json("show", id).claudeSessionId
        local claude = home.environment.AREYOUJ_CLAUDE
        local by_hand = Editor.open(home, { project = "docs" })
        by_hand:lua("vim.fn.jobstart({ ... }, { term = true })", claude, "--resume", conversation)
        wait.until_true("the conversation", function() return by_hand:text():find("Echo: hello", 1, true) end)
        editor:lua("_G.told = {}; vim.notify = function(words) table.insert(_G.told, words) end")
        editor:command("AreYouJ move " .. id .. " terminal")
        editor:becomes("the refusal", "#_G.told == 1")
        wait.has("what happened", editor:lua("return _G.told[1]"), "has the conversation of " .. id .. " open")
        wait.has("what to do", editor:lua("return _G.told[1]"), "End that Claude first")
        wait.same("driver", home:json("show", id).driver, "stream")
        by_hand:close()
        wait.has(
          "completion",
          table.concat(editor:lua("return vim.fn.getcompletion('AreYouJ move ', 'cmdline')"), " "),
          "stream terminal"
        )
        home:run("terminate", id)
      end,
    },
    {
      "what Claude's own screen asks is on the dashboard and told, and leads to the screen",
      function()
        local elsewhere = home.directory .. "/elsewhere"
        vim.fn.mkdir(elsewhere)
        editor:lua("_G.told = {}; vim.notify = function(words) table.insert(_G.told, words) end")
        editor:command("tabnew")
        editor:command("AreYouJ")
        local id = home:run("new", elsewhere, "--driver", "terminal", "--name", "stranger", "-m", "hello")
        editor:becomes("the news", "#_G.told == 1")
        wait.has("told", editor:lua("return _G.told[1]"), "stranger: Claude asks in its terminal whether to trust")
        editor:shows(DASHBOARD, "whether to trust this directory  <CR>")
        editor:lua("vim.fn.cursor(1, 1); vim.fn.search('whether to trust')")
        editor:type("<CR>")
        editor:becomes("its screen", "vim.b.areyouj_session == ...", id)
        editor:shows(screen(id), "Yes, I trust this folder")
        editor:becomes("typing to Claude", "vim.fn.mode() == 't'")
        editor:type("<Down>")
        editor:shows(screen(id), "❯ Yes, I trust this folder")
        editor:type("<CR>")
        editor:shows(screen(id), "Echo: hello")
        home:wait(id, "idle")
        -- What a person who looks at it asks for is no news.
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
        wait.same("told", #editor:lua("return _G.told"), 1)
        stop_typing(editor)
        editor:command("tabonly")
        home:run("terminate", id)
      end,
    },
    {
      "a person who ends Claude from inside ends the session, and reads so",
      function()
        local id = session("tools")
        editor:command("tabnew")
        open(editor, id)
        editor:type("<C-d>")
        editor:shows(screen(id), "Ctrl-D again")
        editor:type("<C-d>")
        home:wait(id, "terminated")
        editor:shows(screen(id), id .. " was terminated.")
        editor:becomes("reading", "vim.fn.mode() == 'n'")
        editor:becomes("how it stands", "vim.wo.winbar:find('terminated', 1, true) ~= nil")
        wait.same("no restart", editor:lua("return vim.wo.winbar:find('starts it again', 1, true)"), nil)
        editor:command("tabclose")
        -- Opened again there is nothing but its transcript.
        editor:command("tabnew")
        editor:command("AreYouJ open " .. id)
        editor:shows(automation(id), "Terminated. The transcript stays")
        editor:command("tabclose")
        -- What waits is not thrown away: the session can be started again, where it was shown.
        id = session("tools")
        home:run("queue", "pause", id)
        home:run("send", id, "not lost")
        editor:command("tabnew")
        open(editor, id)
        editor:type("<C-d>")
        editor:shows(screen(id), "Ctrl-D again")
        editor:type("<C-d>")
        home:wait(id, "error")
        editor:becomes("how it stands", "vim.wo.winbar:find('starts it again', 1, true) ~= nil")
        editor:shows(screen(id), "Claude was ended in its terminal.")
        editor:becomes("reading", "vim.fn.mode() == 'n'")
        editor:type("R")
        home:wait(id, "idle")
        editor:becomes("the screen anew", "vim.bo.buftype == 'terminal' and vim.b.areyouj_session == ...", id)
        editor:shows(screen(id), READY)
        wait.same("hint", editor:lua("return vim.wo.winbar:find('starts it again', 1, true)"), nil)
        home:run("queue", "resume", id)
        editor:shows(screen(id), "Echo: not lost")
        home:wait(id, "idle")
        editor:command("tabclose")
        home:run("terminate", id)
      end,
    },
    {
      "a session of the editor brings the screen back",
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
        -- It may have moved meanwhile.
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
      "in a real terminal: the form of a new session is chosen, Claude is typed to and left with Ctrl-\\ d",
      function()
        local terminal = Terminal.open(
          home,
          { project = "engine", config = { new = { permission_mode = "default" }, open = "vsplit" } }
        )
        terminal:type(":AreYouJ")
        terminal:press("Enter")
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
        -- The same without keys of the plugin: Neovim takes the first Ctrl-\ for itself.
        terminal:type(":AreYouJ open " .. id)
        terminal:press("Enter")
        terminal:shows("Echo: typed by a person")
        terminal:press("C-\\", "C-\\")
        terminal:type("d")
        terminal:hides("› Terminal")
        home:wait(id, "idle")
      end,
    },
  },
}
