-- Faults: a killed daemon or sidecar, an editor that quits and returns, a missing program.
local Editor = require("lib.editor")
local Home = require("lib.home")
local buffers = require("lib.buffers")
local wait = require("lib.wait")

local automation = buffers.automation
local DASHBOARD = buffers.DASHBOARD

local home

local function winbar(editor)
  return editor:lua(
    "local ok, line = pcall(vim.api.nvim_eval_statusline, vim.wo.winbar, { use_winbar = true }); return ok and line.str or vim.wo.winbar"
  )
end

return {
  before = function() home = Home.open({ projects = { "engine", "tools" } }) end,
  tests = {
    {
      "kill -9 of the daemon loses nothing: the turn continues, the queue stays, the permission request is answered",
      function()
        local editor = Editor.open(home, { project = "engine" })
        local id = home:idle("engine")
        editor:open(id)
        home:run("send", id, "slow: 40 survived")
        editor:shows(automation(id), "word3")
        editor:lua("require('areyouj').send('run: touch after', ...)", id)
        wait.until_true("the message", function() return #home:waiting(id) == 1 end)
        editor:lua([[
          _G.states = {}
          vim.api.nvim_create_autocmd("User", {
            pattern = "AreYouJConnection",
            callback = function(event) table.insert(_G.states, event.data.state) end,
          })
        ]])
        vim.uv.kill(home:daemon(), "sigkill")
        editor:becomes("the reconnection", "vim.tbl_contains(_G.states, 'reconnecting')")
        editor:becomes("the new connection", "_G.states[#_G.states] == 'connected'")
        editor:shows(automation(id), "survived")
        editor:asks("touch after")
        vim.uv.kill(home:daemon(), "sigkill")
        editor:command("AreYouJ permissions")
        editor:type("a")
        home:gets_file("engine", "after")
        home:wait(id, "idle")
        editor:shows(automation(id), "Result:")
        local _, times = editor:named(automation(id)):gsub("❯ slow: 40", "")
        wait.same("the message in the transcript", times, 1)
        wait.until_true("the end of the turn in the winbar", function() return winbar(editor):find("idle", 1, true) end)
        editor:quit()
      end,
    },
    {
      "a restart of the daemon keeps the turn, and reports the new daemon",
      function()
        local editor = Editor.open(home, { project = "tools" })
        local id = home:idle("tools")
        editor:open(id)
        home:run("send", id, "hold: restarted")
        home:wait(id, "active")
        local before = home:daemon()
        editor:command("AreYouJ restart-daemon")
        wait.until_true(
          "the report",
          function() return editor:messages():find("AreYouJ: The daemon restarted (version ", 1, true) end
        )
        assert(home:daemon() ~= before, "the daemon did not restart")
        home:release("restarted")
        home:wait(id, "idle")
        editor:shows(automation(id), "restarted")
        editor:quit()
      end,
    },
    {
      "a session continues without an editor, and shows everything on return",
      function()
        local editor = Editor.open(home, { project = "tools" })
        local id = home:idle("tools")
        editor:command("edit " .. automation(id))
        home:run("send", id, "slow: 30 meanwhile")
        editor:shows(automation(id), "word3")
        local daemon = home:daemon()
        editor:quit()
        home:wait(id, "idle")
        wait.same("daemon", home:daemon(), daemon)
        home:run("send", id, "run: touch late")
        home:wait(id, "waiting")
        editor = Editor.open(home, { project = "tools" })
        editor:command("edit " .. automation(id))
        editor:shows(automation(id), "meanwhile")
        editor:asks("touch late")
        editor:command("AreYouJ permissions")
        editor:type("d")
        home:wait(id, "idle")
        editor:quit()
      end,
    },
    {
      "an editor session restores the pages",
      function()
        local file = home.directory .. "/session.vim"
        local editor = Editor.open(home, { project = "tools" })
        local id = home:idle("tools", "--name", "kept")
        home:say(id, "remember this")
        editor:command("AreYouJ open " .. id)
        editor:shows(automation(id), "Echo: remember this")
        editor:command("edit")
        editor:shows(automation(id), "Echo: remember this")
        editor:command("AreYouJ")
        editor:command("mksession " .. file)
        wait.same("messages", editor:messages(), "")
        editor:quit()
        editor = Editor.open(home, { project = "tools" })
        editor:command("source " .. file)
        editor:shows(automation(id), "Echo: remember this")
        editor:shows(DASHBOARD, "kept")
        editor:quit()
      end,
    },
    {
      "Neovim does not quit with an unsent draft",
      function()
        local editor = Editor.open(home, { project = "tools" })
        local id = home:idle("tools")
        editor:open(id)
        editor:type("inot sent<Esc>q")
        wait.same("qa", editor:lua("return (pcall(vim.cmd, 'qa'))"), false)
        editor:type("i")
        wait.has("the draft", editor:text(), "not sent")
        editor:type("<Esc>:w<CR>")
        editor:shows(automation(id), "Echo: not sent")
        home:wait(id, "idle")
        editor:quit()
      end,
    },
    {
      "a missing program is reported once, with a remedy, and so is an unknown session",
      function()
        local editor = Editor.open(home, { project = "tools", config = { path = "/nowhere/areyouj" } })
        editor:command("AreYouJ")
        editor:shows(DASHBOARD, "/nowhere/areyouj is not an executable file.")
        editor:shows(DASHBOARD, "Correct `path`")
        editor:quit()
        editor = Editor.open(home, { project = "tools" })
        editor:command("edit areyouj://automation/ZZZZZZZZ")
        editor:shows(automation("ZZZZZZZZ"), "ZZZZZZZZ")
        editor:quit()
      end,
    },
    {
      "a killed sidecar is restarted",
      function()
        local editor = Editor.open(home, { project = "tools" })
        editor:command("AreYouJ")
        editor:connects()
        local pid = editor:lua([[
          for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do
            if vim.api.nvim_get_proc(pid).name == "areyouj" then return pid end
          end]])
        vim.uv.kill(pid, "sigkill")
        editor:becomes("the loss", "require('areyouj').connection().state ~= 'connected'")
        editor:becomes("the new connection", "require('areyouj').connection().state == 'connected'")
        wait.has("messages", editor:messages() .. "none", "none")
        editor:quit()
      end,
    },
    {
      "an editor that disconnects and connects again gets everything, and its pending requests succeed",
      function()
        local editor = Editor.open(home, { project = "tools" })
        local id = home:idle("tools", "--name", "left alone")
        editor:open(id)
        editor:lua("require('areyouj').stop()")
        wait.same("state", editor:lua("return require('areyouj').connection().state"), "stopped")
        home:say(id, "sent meanwhile")
        editor:lua("require('areyouj').start()")
        editor:shows(automation(id), "Echo: sent meanwhile")
        editor:lua(
          [[
          require("areyouj").request("areyouj/session/get", { sessionId = ... }, function(problem, session)
            _G.answer = problem and problem.message or session.name
          end)
          require("areyouj.app").restart()
        ]],
          id
        )
        editor:becomes("the answer", "_G.answer ~= nil")
        wait.same("answer", editor:lua("return _G.answer"), "left alone")
        editor:quit()
      end,
    },
    {
      "checkhealth reports the program, the daemon and Claude",
      function()
        local editor = Editor.open(home, { project = "tools", config = { view = "nowhere" } })
        editor:command("AreYouJ health")
        local report = editor:text()
        wait.has("health", report, "claude:")
        wait.has("health", report, "daemon:")
        wait.has("health", report, "view must be one of tab, split, float")
        wait.has("health", report, home.program)
        editor:quit()
      end,
    },
    {
      "code actions of the sidecar work in file buffers",
      function()
        local editor = Editor.open(home, { project = "tools" })
        local id = home:idle("tools", "--name", "actor")
        vim.fn.writefile({ "local one = 1", "return one" }, home.projects.tools .. "/code.lua")
        editor:command("edit " .. home.projects.tools .. "/code.lua")
        editor:command("AreYouJ switch")
        editor:becomes("the client", "#vim.lsp.get_clients({ bufnr = vim.fn.bufnr('code.lua') }) == 1")
        editor:lua([[
          vim.cmd.buffer("code.lua")
          vim.ui.select = function(items, options, choose)
            _G.titles = vim.tbl_map(function(item) return item.action.title end, items)
            for _, item in ipairs(items) do
              if item.action.title:find("selection") then return choose(item) end
            end
          end
          vim.lsp.buf.code_action({ range = { start = { 1, 0 }, ["end"] = { 2, 0 } } })
        ]])
        editor:becomes("the actions", "_G.titles ~= nil")
        wait.has("actions", table.concat(editor:lua("return _G.titles"), "\n"), id)
        wait.until_true("the message", function()
          return vim
            .iter(home:json("queue", id, "--all"))
            :any(function(message) return message.text:find("local one = 1", 1, true) ~= nil end)
        end)
        editor:quit()
      end,
    },
  },
}
