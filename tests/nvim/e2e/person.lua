-- As a person has it: a real terminal, keys one after the other, and what is on the screen.
local Home = require("lib.home")
local Terminal = require("lib.terminal")
local wait = require("lib.wait")

local home

return {
  before = function() home = Home.open({ projects = { "engine", "tools" } }) end,
  tests = {
    {
      "from nothing to an answer, a prompt in between, and away again",
      function()
        local terminal = Terminal.open(home, { project = "engine" })
        terminal:type(":AreYouJ")
        terminal:press("Enter")
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
        terminal:shows(":AreYouJ permissions answers")
        -- In insert mode in another window nothing that is typed answers.
        terminal:type(":new")
        terminal:press("Enter")
        terminal:type("iall a dab, d")
        terminal:shows("all a dab, d")
        terminal:press("Escape")
        terminal:type(":AreYouJ permissions")
        terminal:press("Enter")
        terminal:shows("a allow")
        terminal:type("a")
        terminal:hides("a allow")
        wait.until_true("the command", function() return vim.uv.fs_stat(home.projects.engine .. "/typed") end)
        terminal:shows("Allowed in Neovim")
        terminal:shows("Done")
        terminal:type(":qa!")
        terminal:press("Enter")
        terminal:ends()
        wait.same("sessions that live", #home:json("ls"), 1)
        -- And back: everything is there.
        terminal = Terminal.open(home, { project = "engine" })
        terminal:type(":AreYouJ switch")
        terminal:press("Enter")
        terminal:shows("run: touch typed")
        terminal:type("1")
        terminal:press("Enter")
        terminal:shows("Allowed in Neovim")
        terminal:type(":AreYouJ send")
        terminal:press("Enter")
        terminal:shows("Message to engine")
        terminal:type("second message")
        terminal:press("Escape", "Enter")
        terminal:shows("Echo: second message")
      end,
    },
    {
      "the queue is moved with Alt and a letter, and the daemon may be killed meanwhile",
      function()
        local id = home:idle("tools", "--name", "busy")
        home:run("send", id, "hold: door")
        home:run("send", id, "alpha")
        home:run("send", id, "beta")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:type(":AreYouJ queue " .. id:sub(1, 4):lower())
        terminal:press("Enter")
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
      "sessions are completed, switched and terminated by typing",
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
        terminal:shows("Terminate?")
        terminal:type("y")
        terminal:shows("Terminated.")
        home:wait(id, "terminated")
      end,
    },
    {
      "the mouse goes back to the dashboard, sorts, filters and opens",
      function()
        local id = home:idle("tools", "--name", "clicked")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:type(":AreYouJ open " .. id)
        terminal:press("Enter")
        terminal:click("Orchestration ›")
        terminal:shows("[Total")
        terminal:click("Session  ")
        terminal:shows("Session ↑")
        terminal:click("Waiting 0")
        terminal:shows("No session fits.")
        terminal:click("Total ")
        terminal:shows("clicked")
        terminal:click("clicked", 2)
        terminal:shows("› tools › Automation  clicked")
      end,
    },
    {
      "earlier messages come back with the arrows",
      function()
        local id = home:idle("tools")
        home:say(id, "from elsewhere")
        local terminal = Terminal.open(home, { project = "tools" })
        terminal:type(":AreYouJ open " .. id)
        terminal:press("Enter")
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
