local tools = require("areyouj.tools")
local same = require("lib.wait").same

---A diff as one text.
local function diff(before, after)
  local lines, added, removed = tools.diff({ path = "a", edits = { { before = before, after = after } }, shown = {} })
  return table.concat(vim.tbl_map(function(line) return line.sign .. line.text end, lines), "|"), added, removed
end

return {
  tests = {
    {
      "the summary of a call is its main argument, with paths relative to the directory",
      function()
        same("command", tools.summary({ command = "ls\n-l", description = "x" }, "/p"), "ls -l")
        same("inside", tools.summary({ file_path = "/p/src/a.rs" }, "/p"), "src/a.rs")
        same("outside", tools.summary({ file_path = "/q/a.rs" }, "/p"), "/q/a.rs")
        same("unknown", tools.summary({ thing = { 1 } }, "/p"), "[1]")
        same("nothing", tools.summary(nil, "/p"), "")
      end,
    },
    {
      "a diff shows a change line by line",
      function()
        local lines, added, removed = diff("a\nb\nc\n", "a\nx\nc\n")
        same("lines", lines, " a|-b|+x| c")
        same("counts", { added, removed }, { 1, 1 })
        same("new", (diff("", "a\nb")), "+a|+b")
        same("gone", (diff("a\nb", "")), "-a|-b")
        same("inserted", (diff("a\nc", "a\nb\nc")), " a|+b| c")
        same("at the end", (diff("a", "a\nb")), " a|+b")
        same("at the start", (diff("b", "a\nb")), "+a| b")
        same("equal", (diff("a", "a")), " a")
      end,
    },
    {
      "the lines of a diff are exactly the lines of both texts",
      function()
        math.randomseed(7)
        local function some()
          local lines = {}
          for _ = 1, math.random(0, 8) do
            table.insert(lines, ("abc"):sub(math.random(3)):sub(1, 1))
          end
          return table.concat(lines, "\n")
        end
        for _ = 1, 300 do
          local before, after = some(), some()
          local old, new = {}, {}
          for _, line in ipairs((tools.diff({ path = "", edits = { { before = before, after = after } }, shown = {} }))) do
            if line.sign ~= "+" then table.insert(old, line.text) end
            if line.sign ~= "-" then table.insert(new, line.text) end
          end
          same("before", table.concat(old, "\n"), before)
          same("after", table.concat(new, "\n"), after)
        end
      end,
    },
    {
      "a change lists the members of the input that it shows",
      function()
        local change =
          assert(tools.change("Edit", { file_path = "/a", old_string = "x", new_string = "y", replace_all = true }))
        same("shown", change.shown, { file_path = true, old_string = true, new_string = true })
        same("other tools", tools.change("Bash", { file_path = "/a" }), nil)
        same("not fitting", tools.change("Edit", { file_path = "/a", new_string = 7 }), nil)
        local several = assert(
          tools.change("MultiEdit", { file_path = "/a", edits = { { old_string = "a", new_string = "b", extra = 1 } } })
        )
        same("several", several.shown.edits, nil)
      end,
    },
    {
      "questions keep their order, also with invalid elements",
      function()
        local questions = tools.questions({
          questions = { { question = "A?", options = { { label = "x" } } }, 7, { multiSelect = true } },
        })
        same("count", #questions, 3)
        same("first", questions[1].options[1].label, "x")
        same("third", questions[3].multi, true)
      end,
    },
  },
}
