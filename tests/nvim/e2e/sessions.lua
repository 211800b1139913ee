-- Sessions from Neovim: create, send, queue, permission requests, choose, terminate.
local Editor = require("lib.editor")
local Home = require("lib.home")
local buffers = require("lib.buffers")
local wait = require("lib.wait")

local automation = buffers.automation
local DASHBOARD = buffers.DASHBOARD

local home, editor

---Creates a session in the editor and returns its id, once its automation is open.
local function create(project)
  editor:command("AreYouJ new " .. home.projects[project])
  wait.until_true("the automation", function() return editor:lua("return vim.b.areyouj_session") end)
  return editor:lua("return vim.b.areyouj_session")
end

return {
  before = function()
    home = Home.open({ projects = { "engine", "tools", "docs" } })
    editor = Editor.open(home, { project = "engine" })
  end,
  tests = {
    {
      "a session is created, gets a typed message, and shows the answer",
      function()
        local id = create("engine")
        home:wait(id, "idle")
        editor:type("ihello there<C-s>")
        editor:shows(automation(id), "Echo: hello there")
        editor:shows(automation(id), "❯ hello there")
        editor:shows(automation(id), "Done")
        wait.same("mode after sending", editor:mode().mode, "n")
        wait.same("draft", editor:named(buffers.message(id)), "")
      end,
    },
    {
      "the queue is edited: add, edit, move, remove, pause",
      function()
        editor:command("tabnew")
        local id = create("tools")
        home:wait(id, "idle")
        home:run("send", id, "hold: gate")
        home:wait(id, "active")
        for _, words in ipairs({ "first", "second", "third" }) do
          editor:lua("local id, words = ...; require('areyouj').send(words, id)", id, words)
          wait.until_true(words, function() return vim.tbl_contains(home:waiting(id), words) end)
        end
        editor:shows(automation(id), "3 waiting")
        editor:type("gq")
        editor:becomes("the queue", "vim.bo.filetype == 'areyouj-queue'")
        editor:becomes("its lines", "vim.api.nvim_buf_line_count(0) == 4")
        editor:type("/second<CR><M-k>")
        wait.until_true(
          "the move",
          function() return vim.deep_equal(home:waiting(id), { "second", "first", "third" }) end
        )
        editor:becomes(
          "the cursor on the moved message",
          "vim.fn.getline('.'):find('second') ~= nil and vim.fn.line('.') == 2"
        )
        editor:type("dd")
        wait.until_true("the removal", function() return vim.deep_equal(home:waiting(id), { "first", "third" }) end)
        editor:becomes("two messages", "vim.api.nvim_buf_line_count(0) == 3")
        editor:type("/third<CR><CR>")
        editor:becomes("the edit", "vim.api.nvim_buf_get_name(0):find('queued') ~= nil")
        editor:type("othe end<Esc>:wq<CR>")
        wait.until_true(
          "the change",
          function() return vim.deep_equal(home:waiting(id), { "first", "third\nthe end" }) end
        )
        editor:becomes("the queue again", "vim.bo.filetype == 'areyouj-queue'")
        editor:type("P")
        wait.until_true("the pause", function() return home:json("show", id).queuePaused end)
        editor:becomes("the pause in the queue", "vim.fn.getline(1):find('Paused') ~= nil")
        editor:type("P")
        wait.until_true("the resumption", function() return not home:json("show", id).queuePaused end)
        editor:type("q")
        home:release("gate")
        home:wait(id, "idle")
        editor:shows(automation(id), "Echo: third")
      end,
    },
    {
      "a waiting message is sent into the running turn as the same message",
      function()
        local id = home:idle("docs")
        editor:open(id)
        home:run("send", id, "hold: steered")
        editor:shows(automation(id), "Holding")
        home:run("send", id, "into the turn")
        local function ids(messages)
          local found = vim.tbl_map(function(one) return one.id end, messages)
          table.sort(found)
          return found
        end
        local before = home:json("queue", id)
        wait.same(
          "messages",
          vim.tbl_map(function(one) return one.text end, before),
          { "hold: steered", "into the turn" }
        )
        editor:command("AreYouJ queue " .. id)
        editor:becomes("the message", "vim.fn.getline(2):find('into the turn', 1, true) ~= nil")
        editor:type("/into<CR>s")
        wait.until_true("the message in the turn", function() return #home:waiting(id) == 0 end)
        wait.same("messages", ids(home:json("queue", id, "--all")), ids(before))
        editor:type("q")
        home:release("steered")
        home:wait(id, "idle")
      end,
    },
    {
      "a permission request shows while a person types, and is answered without losing a letter",
      function()
        local id = home:idle("docs")
        editor:command("tabnew")
        editor:type("ione ")
        home:run("send", id, "run: touch made")
        editor:asks("touch made")
        wait.same("mode", editor:mode().mode, "i")
        editor:type("two a d ")
        wait.same("the text that was typed", editor:text(), "one two a d ")
        wait.same("nothing was answered", #home:json("permissions", id), 1)
        editor:asks(id)
        -- From insert mode in another window: a command enters the float, a key answers, and the focus returns.
        editor:type("<Cmd>AreYouJ permissions<CR>")
        editor:becomes("the float entered", "vim.bo.filetype == 'areyouj-permission'")
        editor:type("a")
        home:gets_file("docs", "made")
        editor:becomes("the float closed and the focus back", "vim.bo.filetype == ''")
        wait.same("the text", editor:text(), "one two a d ")
        wait.same("float", editor:float(), nil)
        editor:command("bdelete!")
      end,
    },
    {
      "a permission request that another client answers closes its float",
      function()
        local id = home:idle("docs")
        home:run("send", id, "run: touch elsewhere")
        editor:asks("touch elsewhere")
        home:deny(id)
        editor:float_closes()
        home:wait(id, "idle")
      end,
    },
    {
      "a permission request is denied with a message, and a question is answered",
      function()
        local id = home:idle("docs")
        home:run("send", id, "run: touch never")
        editor:asks("touch never")
        editor:command("AreYouJ permissions")
        editor:type("Duse another way<CR>")
        home:wait(id, "idle")
        editor:command("AreYouJ open " .. id)
        editor:shows(automation(id), "Denied in Neovim")
        editor:shows(automation(id), "use another way")
        home:run("send", id, "ask: Which colour? | Red | Blue")
        editor:asks("Which colour?")
        editor:type("p")
        editor:becomes("the float entered", "vim.bo.filetype == 'areyouj-permission'")
        editor:type("2")
        editor:asks("(x) Blue")
        editor:type("a")
        editor:shows(automation(id), "Blue")
        home:wait(id, "idle")
        wait.same("nothing is open", #home:json("permissions", id), 0)
      end,
    },
    {
      "the next waiting session is opened, and another session is chosen",
      function()
        local id = home:idle("tools", "--name", "waits")
        home:run("send", id, "run: touch more")
        editor:asks("touch more")
        editor:command("tabnew")
        editor:lua("vim.cmd.normal({ vim.keycode('<Plug>(AreYouJNextWaiting)') })")
        editor:is_at(id)
        wait.has("statusline", editor:lua("return require('areyouj').statusline()"), "◆ 1")
        editor:lua([[vim.ui.select = function(items, options, choose)
          _G.chosen_from = { kind = options.kind, lines = vim.tbl_map(options.format_item, items) }
          choose(items[#items])
        end]])
        editor:command("AreYouJ switch")
        local offered = editor:lua("return _G.chosen_from")
        wait.same("kind", offered.kind, "areyouj_session")
        wait.has("the waiting session first", offered.lines[1], "waits")
        editor:becomes("another automation", "vim.b.areyouj_session ~= ...", id)
        home:deny(id)
        home:wait(id, "idle")
      end,
    },
    {
      "a selection is sent with its file and lines",
      function()
        local id = home:idle("engine", "--name", "reader")
        vim.fn.writefile({ "one", "two", "three", "four" }, home.projects.engine .. "/code.lua")
        editor:command("edit " .. home.projects.engine .. "/code.lua")
        editor:command(("2,3AreYouJ send %s explain"):format(id))
        wait.until_true("the message", function()
          local queue = home:json("queue", id, "--all")
          return queue[1]
            and queue[1].text:find("@code.lua#L2-3\n```lua\ntwo\nthree\n```", 1, true)
            and vim.startswith(queue[1].text, "explain")
        end)
        home:wait(id, "idle")
      end,
    },
    {
      "a session is terminated from the dashboard, after confirmation",
      function()
        local id = home:idle("tools", "--name", "doomed")
        editor:command("AreYouJ")
        editor:shows(DASHBOARD, "doomed")
        editor:type("/doomed<CR>X")
        editor:becomes("the confirmation", "vim.api.nvim_win_get_config(0).relative ~= ''")
        editor:type("n")
        wait.same("still there", home:json("show", id).status, "idle")
        editor:type("Xy")
        home:wait(id, "terminated")
        wait.until_true(
          "its end in the list",
          function() return not editor:named(DASHBOARD):find("doomed", 1, true) end
        )
        editor:type("t")
        editor:shows(DASHBOARD, "doomed")
        editor:type("t")
      end,
    },
    {
      "a session that never asks starts only after a confirmation",
      function()
        editor:command("tabnew")
        local before = #home:json("ls")
        local function start()
          editor:lua(
            [[require("areyouj").new({ directory = ..., permission_mode = "bypassPermissions" })]],
            home.projects.docs
          )
          editor:becomes("the question", "vim.fn.getline(1):find('Claude runs every command') ~= nil")
        end
        start()
        editor:type("<CR>")
        editor:becomes("no question", "vim.fn.getline(1):find('Claude runs') == nil")
        wait.same("sessions", #home:json("ls"), before)
        start()
        editor:type("y")
        wait.until_true("the automation", function() return editor:lua("return vim.b.areyouj_session") end)
        local id = editor:lua("return vim.b.areyouj_session")
        home:wait(id, "idle")
        home:run("terminate", id)
      end,
    },
  },
}
