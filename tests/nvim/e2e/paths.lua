-- Names of directories and files are text: Neovim never expands or executes them.
local Editor = require("lib.editor")
local Home = require("lib.home")
local wait = require("lib.wait")

local home, editor

---A shell would create the file `executed` in its working directory from each of these names.
local BACKTICKS, SUBSTITUTION = "a `touch executed` b", "$(touch executed)"
local VARIABLE = "$HOME"

---Fails if a name was executed, in the working directory of the editor or in a project.
local function nothing_was_executed()
  local directories = vim.list_extend({ home.directory }, vim.tbl_values(home.projects))
  for _, directory in ipairs(directories) do
    wait.same("executed in " .. directory, os.remove(directory .. "/executed") == true, false)
  end
end

---Opens the composer of a session and returns the files that it offers for the text before the cursor.
local function offered(id, typed)
  editor:command("AreYouJ send " .. id)
  editor:becomes("the composer", "vim.bo.filetype == 'areyouj-message'")
  editor:type("<Esc>ggdGi" .. typed .. "<C-x><C-o>")
  editor:becomes("the menu", "vim.fn.pumvisible() == 1")
  local items =
    editor:lua("return vim.tbl_map(function(item) return item.word end, vim.fn.complete_info({ 'items' }).items)")
  editor:type("<C-e><Esc>ggdGq")
  return items
end

return {
  before = function()
    home = Home.open({ projects = { "plain", BACKTICKS, SUBSTITUTION, VARIABLE } })
    editor = Editor.open(home, { project = "plain" })
    editor:lua("vim.o.completeopt = 'menuone'")
  end,
  tests = {
    {
      "the composer completes files of a session whose directory has the name of a command",
      function()
        for _, name in ipairs({ BACKTICKS, SUBSTITUTION, VARIABLE }) do
          local directory = home.projects[name]
          vim.fn.mkdir(directory .. "/src")
          vim.fn.writefile({}, directory .. "/src/main.rs")
          vim.fn.writefile({}, directory .. "/read `me`.md")
          vim.fn.writefile({}, directory .. "/.hidden")
          local id = home:idle(name)
          wait.same(name, offered(id, "see @"), { "read `me`.md", "src/" })
          wait.same(name, offered(id, "see @src/"), { "src/main.rs" })
          wait.same(name, offered(id, "see @.h"), { ".hidden" })
          nothing_was_executed()
        end
      end,
    },
    {
      "a directory whose name is a command is completed and gets a session",
      function()
        for _, name in ipairs({ BACKTICKS, SUBSTITUTION, VARIABLE }) do
          local directory = home.projects[name]
          local found =
            editor:lua("return vim.fn.getcompletion('AreYouJ new ' .. ..., 'cmdline')", directory:sub(1, -2))
          nothing_was_executed()
          if not name:find(" ", 1, true) then wait.same("completion", found, { directory .. "/" }) end
          editor:command("AreYouJ new " .. directory)
          editor:becomes(
            "its session",
            "(require('areyouj').sessions()[1] or {}).directory == ... and vim.b.areyouj_session ~= nil",
            directory
          )
          nothing_was_executed()
        end
      end,
    },
    {
      "a path that is typed at the question for a directory is completed and not executed",
      function()
        editor:lua([[
          vim.ui.select = function(items, _, choose) choose(items[#items]) end
          vim.ui.input = function(options, answer)
            _G.completion = options.completion
            answer(nil)
          end
        ]])
        editor:command("AreYouJ new")
        editor:becomes("the question", "_G.completion ~= nil")
        local name = home.projects[BACKTICKS]
        local found = editor:lua("return vim.fn.getcompletion(..., _G.completion)", name:sub(1, -2))
        nothing_was_executed()
        wait.same("completion", found, { name .. "/" })
        editor:lua("vim.fn.feedkeys(':call input(\"\", \"' .. ... .. '\", _G.completion)\\r\\t\\27', 'nt')", name)
        editor:type("<Esc>")
        nothing_was_executed()
      end,
    },
    {
      "home directories and variables in a typed path still work",
      function()
        editor:lua("vim.env.PLACE = ...", vim.fs.dirname(home.projects.plain))
        editor:command("AreYouJ new $PLACE/plain")
        editor:becomes("its session", "(require('areyouj').sessions()[1] or {}).directory == ...", home.projects.plain)
      end,
    },
  },
}
