-- Unsent drafts: only an explicit send sends one.
local Editor = require("lib.editor")
local Home = require("lib.home")
local buffers = require("lib.buffers")
local wait = require("lib.wait")

local home, id

---Opens an editor whose composer holds an unsent draft, with the cursor in it or in a file.
local function draft(words, focus)
  local editor = Editor.open(home, { project = "engine" })
  editor:lua("require('areyouj').start()")
  editor:command("AreYouJ send " .. id)
  editor:becomes("the composer", "vim.bo.filetype == 'areyouj-message'")
  editor:type(words .. "<Esc>")
  if focus == "file" then
    editor:type("q")
    editor:command("edit " .. home.projects.engine .. "/file.txt")
    editor:type("ggdGisaved<Esc>")
  end
  return editor
end

local function is_draft(editor, words)
  wait.same("draft", editor:named(buffers.message(id)), words)
  wait.same("modified", editor:lua("return vim.bo[vim.fn.bufnr(...)].modified", buffers.message(id)), true)
end

---Every message that the session ever got. The daemon answers in order, so a send before this would be in it.
local function sent(editor)
  editor:lua("require('areyouj').request('areyouj/daemon/status', {}, function() _G.answered = true end)")
  editor:becomes("an answer of the daemon", "_G.answered")
  return vim.tbl_map(function(message) return message.text end, home:json("queue", id, "--all"))
end

---Keys and Lua code that write buffers without being typed as the write of this one.
local WRITES_MANY = {
  { keys = ":wa<CR>" },
  { keys = ":wall!<CR>" },
  { keys = ":silent! wa<CR>" },
  { keys = ":wqa<CR>" },
  { keys = ":xa<CR>" },
  { keys = ":wqall!<CR>" },
  { keys = ":bufdo w<CR>" },
  { keys = ":bufdo update<CR>" },
  { code = "vim.cmd.wall()" },
  { code = "pcall(vim.cmd, 'silent! wall')" },
  { code = "pcall(vim.cmd.write)" },
  { code = "vim.keymap.set('n', '<F2>', '<Cmd>wa<CR>')", keys = "<F2>" },
  { code = "vim.o.autowriteall = true", keys = ":next<CR>" },
  { code = "vim.o.autowrite = true", keys = ":make<CR>" },
  {
    code = "vim.api.nvim_create_autocmd('FocusLost', { command = 'silent! wa' })\nvim.api.nvim_exec_autocmds('FocusLost', {})",
  },
}

return {
  before = function()
    home = Home.open({ projects = { "engine" } })
    id = home:idle("engine")
  end,
  tests = {
    {
      "a command that writes all buffers sends no draft and does not quit over it",
      function()
        for _, focus in ipairs({ "composer", "file" }) do
          for number, how in ipairs(WRITES_MANY) do
            local words = ("unsent %s %d"):format(focus, number)
            local editor = draft(words, focus)
            if how.code then editor:lua(how.code) end
            if how.keys then editor:type(how.keys) end
            wait.same(vim.inspect(how), sent(editor), {})
            is_draft(editor, words)
            editor:close()
          end
        end
      end,
    },
    {
      "a refused write says how to send, and the files are written all the same",
      function()
        local editor = draft("still here", "file")
        editor:type(":wa<CR>")
        wait.has("messages", editor:messages(), "<C-s>")
        wait.same("the file", vim.fn.readfile(home.projects.engine .. "/file.txt"), { "saved" })
        is_draft(editor, "still here")
        editor:close()
      end,
    },
    {
      "an edit of a waiting message is saved by its own write, not by a write of all",
      function()
        home:run("send", id, "hold: gate")
        home:wait(id, "active")
        home:run("send", id, "first")
        local editor = Editor.open(home, { project = "engine" })
        editor:command("AreYouJ queue " .. id)
        editor:becomes("the message", "vim.fn.getline(2):find('first') ~= nil")
        editor:type("/first<CR><CR>")
        editor:becomes("the edit", "vim.api.nvim_buf_get_name(0):find('queued') ~= nil")
        editor:type("A half<Esc>:wa<CR>")
        sent(editor)
        wait.same("after :wa", home:waiting(id), { "first" })
        editor:type("A done<Esc>ZZ")
        wait.until_true("the change", function() return vim.deep_equal(home:waiting(id), { "first half done" }) end)
        editor:becomes("the queue again", "vim.bo.filetype == 'areyouj-queue'")
        editor:close()
        home:run("queue", "clear", id)
        home:release("gate")
        home:wait(id, "idle")
      end,
    },
    {
      "a write that a person types in the composer sends",
      function()
        for number, keys in ipairs({
          ":w<CR>",
          ":write!<CR>",
          ":silent up<CR>",
          ":wq<CR>",
          ":x<CR>",
          "ZZ",
          "<C-s>",
          "<CR>",
        }) do
          local words = ("sent %d"):format(number)
          local editor = draft(words, "composer")
          editor:type(keys)
          wait.until_true(words, function() return vim.tbl_contains(sent(editor), words) end)
          editor:becomes("an empty composer", "not vim.bo[vim.fn.bufnr(...)].modified", buffers.message(id))
          editor:close()
        end
        home:wait(id, "idle")
      end,
    },
  },
}
