-- The pages: their content, keys, windows and tab pages.
local Editor = require("lib.editor")
local Home = require("lib.home")
local buffers = require("lib.buffers")
local wait = require("lib.wait")

local automation = buffers.automation
local DASHBOARD = buffers.DASHBOARD

local home, editor

---Presses keys in the current window and waits until a Lua expression is true.
local function press(keys, what, code, ...)
  editor:type(keys)
  editor:becomes(what, code, ...)
end

return {
  before = function()
    home = Home.open({ projects = { "alpha", "beta", "a\u{202e}b %#Error#" } })
    editor = Editor.open(home, { project = "alpha" })
  end,
  tests = {
    {
      "the dashboard counts, filters, sorts, and remembers the order",
      function()
        local one = home:idle("alpha", "--name", "zebra")
        local two = home:idle("beta", "--name", "apple")
        home:run("send", two, "hold: gate")
        editor:command("AreYouJ")
        editor:shows(DASHBOARD, "[Total 2]")
        editor:shows(DASHBOARD, "Active 1")
        editor:shows(DASHBOARD, "hold: gate")
        local function order() return editor:named(DASHBOARD):find("zebra") < editor:named(DASHBOARD):find("apple") end
        wait.same("newest first", order(), false)
        press("S", "the other order", "vim.fn.getline(3):find('Status') ~= nil")
        wait.until_true("oldest first", order)
        press("2", "the active ones", "table.concat(vim.fn.getline(1, '$'), ' '):find('zebra') == nil")
        wait.has("tile", editor:named(DASHBOARD), "[Active 1]")
        press("F", "all", "table.concat(vim.fn.getline(1, '$'), ' '):find('zebra') ~= nil")
        press("fzeb<CR>", "the filter", "table.concat(vim.fn.getline(1, '$'), ' '):find('apple') == nil")
        press("F", "all", "table.concat(vim.fn.getline(1, '$'), ' '):find('apple') ~= nil")
        press("/zebra<CR>yi", "the id", "vim.fn.getreg('\"') == ...", one)
        press("K", "the details", "table.concat(vim.fn.getline(1, '$'), ' '):find('Directory') ~= nil")
        editor:type("q")
        home:release("gate")
        home:wait(two, "idle")
        local other = Editor.open(home, { project = "alpha" })
        other:command("AreYouJ")
        other:shows(DASHBOARD, "Started ↑")
        other:quit()
      end,
    },
    {
      "scrolling up loads older entries and keeps the scroll position",
      function()
        local id = home:idle("alpha", "--name", "long", "--permission-mode", "bypassPermissions")
        for number = 1, 70 do
          home:run("send", id, "message " .. number)
        end
        home:run("send", id, "run: seq 3")
        wait.until_true("all turns", function() return #home:waiting(id) == 0 end)
        home:wait(id, "idle")
        editor:open(id)
        editor:shows(automation(id), "❯ run: seq 3")
        wait.same("the first message", editor:named(automation(id)):find("❯ message 1 *\n"), nil)
        wait.has("the first line", editor:lua("return vim.fn.getline(1)"), "Scroll here to load older entries")
        editor:type("gg")
        editor:shows(automation(id), "❯ message 1\n")
        assert(editor:lua("return vim.fn.line('w0')") > 1, "the scroll position changed")
        -- The call and its result fold to one line.
        editor:type("G")
        editor:lua("vim.fn.search('● Bash', 'bw')")
        wait.same("lines of the fold", editor:lua("return vim.fn.foldclosedend('.') - vim.fn.foldclosed('.')"), 3)
        press("zo", "the open fold", "vim.fn.foldclosed('.') == -1")
        editor:type("<C-w>n<C-w>q")
        editor:is_at(id)
        wait.same("the fold after a visit elsewhere", editor:lua("return vim.fn.foldclosed('.')"), -1)
        press("<CR>", "all of it", "vim.api.nvim_win_get_config(0).relative ~= ''")
        wait.has("details", editor:text(), "seq 3")
        editor:type("q")
        editor:becomes("the page again", "vim.bo.filetype == 'areyouj'")
        press("[[", "the message above", "vim.fn.getline('.'):find('❯ run: seq 3', 1, true) ~= nil")
        press(":edit<CR>", "the page anew", "vim.api.nvim_buf_line_count(0) > 50")
        editor:shows(automation(id), "❯ run: seq 3")
      end,
    },
    {
      "an interrupted message is recovered",
      function()
        local id = home:idle("beta")
        home:run("send", id, "hold: never")
        home:wait(id, "active")
        editor:open(id)
        editor:shows(automation(id), "Holding")
        vim.uv.kill(home:json("show", id).pid, "sigkill")
        editor:becomes("the end of the turn", "require('areyouj.app').model:decisions(...)[1] ~= nil", id)
        editor:shows(automation(id), "A message was interrupted: hold: never")
        editor:lua([[vim.ui.select = function(items, options, choose)
          _G.offered = vim.tbl_map(options.format_item, items)
          choose(items[3])
        end]])
        editor:type("u")
        editor:becomes("the decision", "#require('areyouj.app').model:decisions(...) == 0", id)
        wait.same("choices", #editor:lua("return _G.offered"), 3)
        wait.has("first", editor:lua("return _G.offered[1]"), "Continue")
        home:wait(id, "idle")
      end,
    },
    {
      "names with directional marks or items of the status line are shown as text",
      function()
        local id = home:idle("a\u{202e}b %#Error#")
        editor:open(id)
        editor:becomes("the winbar", "vim.wo.winbar:find('Error', 1, true) ~= nil")
        local bar = editor:lua("return vim.api.nvim_eval_statusline(vim.wo.winbar, { use_winbar = true }).str")
        wait.has("winbar", bar, "%#Error#")
        assert(not bar:find("\u{202e}", 1, true), bar)
        editor:command("AreYouJ")
        editor:shows(DASHBOARD, id)
        wait.has("path", editor:named(DASHBOARD), "202E>b %#Error#")
        home:run("terminate", id)
      end,
    },
    {
      "the float follows to other tab pages, spares the command-line window, and leaves a confirmation its keys",
      function()
        local id = home:idle("beta", "--name", "asker")
        home:run("send", id, "run: touch asked")
        editor:asks("touch asked")
        editor:command("tabnew")
        editor:asks("touch asked")
        editor:type("q:")
        editor:becomes("the command-line window", "vim.fn.getcmdwintype() == ':'")
        home:deny(id)
        home:wait(id, "idle")
        home:run("send", id, "run: touch again")
        home:wait(id, "waiting")
        editor:type(":q<CR>")
        editor:becomes("the end of the command-line window", "vim.fn.getcmdwintype() == ''")
        editor:asks("touch again")
        -- A confirmation beside the float gets its own keys.
        editor:command("AreYouJ")
        editor:type("/asker<CR>n")
        editor:shows(DASHBOARD, "asker")
        editor:lua("vim.fn.search('asker.*touch again$', 'w'); vim.fn.search('◆ waiting', 'w')")
        editor:type("Xn")
        wait.same("still open", #home:json("permissions", id), 1)
        editor:type("Xy")
        home:wait(id, "terminated")
        editor:float_closes()
      end,
    },
    {
      "allow always applies Claude's own rule",
      function()
        local id = home:idle("beta")
        home:run("send", id, "run: cargo --version")
        editor:asks("cargo --version")
        editor:command("AreYouJ permissions")
        press(
          "A",
          "the rules",
          "table.concat(vim.fn.getline(1, '$'), ' '):find('[x] Bash(cargo --version', 1, true) ~= nil"
        )
        editor:type("a")
        editor:command("AreYouJ open " .. id)
        editor:shows(automation(id), "Always allowed in Neovim")
        home:wait(id, "idle")
        home:say(id, "run: cargo --version")
        wait.same("permission requests", #home:json("permissions", id), 0)
      end,
    },
    {
      "autocommands report events",
      function()
        editor:lua([[
          _G.events = {}
          vim.api.nvim_create_autocmd("User", {
            pattern = "AreYouJ*",
            callback = function(event) _G.events[event.match] = event.data end,
          })
        ]])
        local id = home:idle("alpha", "--name", "loud")
        home:run("send", id, "run: touch loud")
        editor:asks("touch loud")
        editor:becomes("the event", "_G.events.AreYouJWaiting ~= nil")
        wait.same("session", editor:lua("return _G.events.AreYouJWaiting.session.id"), id)
        wait.same("permission request", editor:lua("return _G.events.AreYouJPermission.permission.sessionId"), id)
        wait.same("counts", editor:lua("return require('areyouj').counts().waiting"), 1)
        home:deny(id)
        home:run("terminate", id)
        home:run("rm", id)
        editor:becomes("the removal", "_G.events.AreYouJRemoved and _G.events.AreYouJRemoved.id == ...", id)
      end,
    },
    {
      "two editors and the command line agree about names, queues and termination",
      function()
        local id = home:idle("alpha", "--name", "shared")
        local other = Editor.open(home, { project = "beta" })
        other:command("AreYouJ")
        other:shows(DASHBOARD, "shared")
        editor:command("AreYouJ rename " .. id .. " common")
        other:shows(DASHBOARD, "common")
        home:run("send", id, "hold: both")
        other:command("AreYouJ open " .. id)
        other:lua("require('areyouj').send('from there', ...)", id)
        editor:command("AreYouJ open " .. id)
        editor:shows(automation(id), "1 from there")
        home:run("queue", "clear", id)
        for _, each in ipairs({ editor, other }) do
          each:becomes("an empty queue", "#require('areyouj.app').model:queue(...).messages == 1", id)
          wait.until_true(
            "an empty queue on the page",
            function() return not each:named(automation(id)):find("from there", 1, true) end
          )
        end
        home:release("both")
        editor:command("AreYouJ! terminate " .. id)
        other:shows(automation(id), "Terminated.")
        other:quit()
      end,
    },
    {
      "the help documents every key of every page, and a typo in a command is reported",
      function()
        local help = buffers.help()
        local id = home:idle("alpha")
        local function documented(page)
          local keys =
            editor:lua("return vim.tbl_map(function(map) return map.lhs end, vim.api.nvim_buf_get_keymap(0, 'n'))")
          for _, key in ipairs(keys) do
            if not key:match("^%d$") and not key:find("Mouse") and not key:find("Left") then
              wait.has(page, help, key:lower())
            end
          end
        end
        editor:command("AreYouJ")
        documented("dashboard")
        editor:command("AreYouJ open " .. id)
        editor:becomes("the automation", "vim.b.areyouj_session == ... and vim.bo.filetype == 'areyouj'", id)
        documented("automation")
        editor:type("gq")
        editor:becomes("the queue", "vim.bo.filetype == 'areyouj-queue'")
        documented("queue")
        editor:type("a<Esc>")
        editor:becomes("the message", "vim.bo.filetype == 'areyouj-message'")
        documented("message")
        editor:type("q")
        editor:command("AreYouJ nonsense")
        wait.until_true(
          "the message",
          function() return editor:messages():find("nonsense is not a subcommand of :AreYouJ", 1, true) end
        )
        wait.same(
          "completion",
          editor:lua("return vim.fn.getcompletion('AreYouJ re', 'cmdline')"),
          { "reconnect", "rename", "restart", "restart-daemon" }
        )
        wait.has("ids", table.concat(editor:lua("return vim.fn.getcompletion('AreYouJ open ', 'cmdline')"), " "), id)
        wait.has(
          "directories",
          table.concat(editor:lua("return vim.fn.getcompletion('AreYouJ new ../', 'cmdline')"), " "),
          "beta"
        )
      end,
    },
    {
      "a selection is sent as characters or as lines",
      function()
        local id = home:idle("beta", "--name", "picker")
        vim.fn.writefile({ "one two three", "four five six" }, home.projects.beta .. "/words.txt")
        editor:command("tabedit " .. home.projects.beta .. "/words.txt")
        local function sent(part)
          wait.until_true(part, function()
            return vim
              .iter(home:json("queue", id, "--all"))
              :any(function(message) return message.text:find(part, 1, true) ~= nil end)
          end)
        end
        editor:type("0wvj0e:AreYouJ send " .. id .. " letters<CR>")
        sent("letters\n\n@words.txt#L1-2\n```text\ntwo three\nfour\n```")
        editor:type(":1,2AreYouJ send " .. id .. " lines<CR>")
        sent("lines\n\n@words.txt#L1-2\n```text\none two three\nfour five six\n```")
        home:wait(id, "idle")
        editor:command("bdelete!")
      end,
    },
    {
      "the dashboard opens in a float, and sessions in tab pages, if the configuration says so",
      function()
        local id = home:idle("alpha", "--name", "floating")
        local other = Editor.open(home, { project = "alpha", config = { view = "float", open = "tab", icons = false } })
        other:command("AreYouJ")
        other:shows(DASHBOARD, "floating")
        wait.same("a float", other:lua("return vim.api.nvim_win_get_config(0).relative"), "editor")
        wait.same("only ASCII", other:named(DASHBOARD):find("○", 1, true), nil)
        other:open(id)
        wait.same("tab pages", other:lua("return #vim.api.nvim_list_tabpages()"), 2)
        wait.same("no float", other:lua("return vim.api.nvim_win_get_config(0).relative"), "")
        wait.same("windows", other:lua("return #vim.api.nvim_list_wins()"), 2)
        other:type("-")
        other:becomes("the dashboard", "vim.api.nvim_win_get_config(0).relative == 'editor'")
        other:type("q")
        other:is_at(id)
        other:quit()
      end,
    },
    {
      "entries that arrive during insert mode are folded after it",
      function()
        local id = home:idle("beta", "--permission-mode", "bypassPermissions")
        editor:command("tabnew")
        editor:open(id)
        editor:type(":new<CR>ityping ")
        home:say(id, "run: seq 4")
        editor:shows(automation(id), "Result:")
        editor:type("on")
        wait.same("mode", editor:mode().mode, "i")
        wait.same("text", editor:text(), "typing on")
        editor:type("<Esc><C-w>w")
        editor:is_at(id)
        editor:lua("vim.fn.search('● Bash', 'bw')")
        wait.same("lines of the fold", editor:lua("return vim.fn.foldclosedend('.') - vim.fn.foldclosed('.')"), 4)
        -- An open fold stays open.
        editor:type("zo<C-w>wA, still")
        home:say(id, "run: seq 5")
        editor:shows(automation(id), "seq 5")
        editor:shows(automation(id), "4\n5")
        editor:type("<Esc><C-w>w")
        editor:is_at(id)
        local folds = editor:lua([[
          return vim.tbl_map(function(pattern) return vim.fn.foldclosed(vim.fn.search(pattern, "nw")) > 0 end, { "● Bash  seq 4", "● Bash  seq 5" })
        ]])
        wait.same("closed folds", folds, { false, true })
        editor:command("tabclose!")
      end,
    },
    {
      "without a float, a permission request is notified once, and a command opens it",
      function()
        local other = Editor.open(home, { project = "alpha", config = { float = false } })
        other:record_notifications()
        other:command("AreYouJ")
        other:connects()
        local id = home:idle("alpha", "--name", "quiet")
        home:run("send", id, "run: touch quiet")
        wait.has("notification", other:notifications(1)[1], "quiet asks for permission: touch quiet")
        wait.same("float", other:float(), nil)
        other:command("AreYouJ permissions")
        wait.has("float", other:float(), "touch quiet")
        other:type("q")
        wait.same("float", other:float(), nil)
        other:command("AreYouJ permissions")
        other:type("d")
        home:wait(id, "idle")
        other:notifications(1)
        other:quit()
      end,
    },
  },
}
