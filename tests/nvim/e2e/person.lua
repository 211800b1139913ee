-- Neovim as a person uses it: keys in a real terminal, and the text on the screen.
local Home = require("lib.home")
local Terminal = require("lib.terminal")
local wait = require("lib.wait")

local home

return {
  before = function() home = Home.open({ projects = { "engine", "tools" } }) end,
  tests = {
    {
      "a first session: create it, send a message, answer a permission request, quit, and return",
      function()
        local terminal = Terminal.open(home, { project = "engine" })
        terminal:command("AreYouJ")
        terminal:shows("No sessions.")
        terminal:type("c")
        terminal:shows("working directory")
        terminal:type("1")
        terminal:press("Enter")
        terminal:shows("Orchestration › engine › Automation")
        terminal:shows("idle")
        terminal:type("i")
        terminal:shows("Message to engine")
        terminal:type("run: touch typed")
        terminal:press("C-s")
        terminal:shows("touch typed")
        terminal:shows("Answer with :AreYouJ permissions")
        -- Text typed in another window answers nothing.
        terminal:command("new")
        terminal:type("iall a dab, d")
        terminal:shows("all a dab, d")
        terminal:press("Escape")
        terminal:command("AreYouJ permissions")
        terminal:shows("a allow")
        terminal:type("a")
        terminal:hides("a allow")
        home:gets_file("engine", "typed")
        terminal:shows("Allowed in Neovim")
        terminal:shows("Done")
        terminal:command("qa!")
        terminal:ends()
        wait.same("live sessions", #home:json("ls"), 1)
        -- After the return, everything is there.
        terminal = Terminal.open(home, { project = "engine" })
        terminal:command("AreYouJ switch")
        terminal:shows("run: touch typed")
        terminal:type("1")
        terminal:press("Enter")
        terminal:shows("Allowed in Neovim")
        terminal:command("AreYouJ send")
        terminal:shows("Message to engine")
        terminal:type("second message")
        terminal:press("Escape", "Enter")
        terminal:shows("Echo: second message")
      end,
    },
    {
      "what AreYouJ refuses to a command inside a session is an alert, a mark and an entry of the audit trail",
      function()
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:command("AreYouJ")
        terminal:shows("Orchestration")
        local id = home:idle("tools", "--permission-mode", "bypassPermissions")
        home:say(id, ("run: %s daemon stop || true"):format(home.program))
        terminal:shows("AreYouJ refused it")
        terminal:press("Enter")
        terminal:command("AreYouJ audit " .. id)
        terminal:shows("daemon/stop")
        terminal:shows("inside_session")
        terminal:command("qa!")
        terminal:ends()
        assert(home:json("show", id).refusals.unread, "no transcript was opened")
        home:run("terminate", id)
      end,
    },
    {
      "messages are moved with Alt and a letter, also when the daemon is killed",
      function()
        local id = home:idle("tools", "--name", "busy")
        home:run("send", id, "hold: door")
        home:run("send", id, "alpha")
        home:run("send", id, "beta")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:command("AreYouJ queue " .. id:sub(1, 4):lower())
        terminal:shows("Queue of busy")
        terminal:shows("beta")
        terminal:type("/beta")
        terminal:press("Enter", "M-k")
        wait.until_true("the move", function() return vim.deep_equal(home:waiting(id), { "beta", "alpha" }) end)
        vim.uv.kill(home:daemon(), "sigkill")
        terminal:type("dd")
        wait.until_true("the removal", function() return vim.deep_equal(home:waiting(id), { "alpha" }) end)
        terminal:hides("1 beta")
        home:release("door")
        home:wait(id, "idle")
      end,
    },
    {
      "sessions are completed, opened and terminated by typing",
      function()
        local id = home:idle("tools", "--name", "typed away")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:type(":AreYouJ op")
        terminal:press("Tab")
        terminal:shows(":AreYouJ open")
        terminal:type(" " .. id:sub(1, 6))
        wait.until_true("the completed id", function()
          terminal:press("Tab")
          return vim.wait(500, function() return terminal:screen():find(":AreYouJ open " .. id, 1, true) ~= nil end, 50)
        end)
        terminal:press("Enter")
        terminal:shows("typed away")
        terminal:type("X")
        terminal:shows("Terminate this session?")
        terminal:type("y")
        terminal:shows("Terminated.")
        home:wait(id, "terminated")
      end,
    },
    {
      "the mouse opens the dashboard, sorts, filters, and opens a session",
      function()
        local id = home:idle("tools", "--name", "clicked")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:command("AreYouJ open " .. id)
        terminal:click("Orchestration ›")
        terminal:shows("[Total")
        terminal:click("Session  ")
        terminal:shows("Session ↑")
        terminal:click("Waiting 0")
        terminal:shows("No session matches.")
        terminal:click("Total ")
        terminal:shows("clicked")
        terminal:click("clicked", 2)
        terminal:shows("› tools › Automation  clicked")
      end,
    },
    {
      "the arrow keys show earlier messages",
      function()
        local id = home:idle("tools")
        home:say(id, "from elsewhere")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:command("AreYouJ open " .. id)
        terminal:shows("Echo: from elsewhere")
        terminal:type("ifrom here")
        terminal:press("C-s")
        terminal:shows("Echo: from here")
        terminal:type("iunfinished")
        terminal:press("Up")
        terminal:shows("│from here")
        terminal:press("Up")
        terminal:shows("│from elsewhere")
        terminal:press("Down", "Down")
        terminal:shows("│unfinished")
      end,
    },
  },
}
