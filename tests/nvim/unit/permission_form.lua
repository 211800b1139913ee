local Form = require("areyouj.views.permission.form")
local body = require("areyouj.views.permission.body")
local samples = require("lib.samples")
local wait = require("lib.wait")
local same = wait.same
local section = samples.section

local programs = assert(vim.env.AREYOUJ_BIN_DIR, "AREYOUJ_BIN_DIR is not set")

---A request with these sections after the tool.
local function request(more, ...)
  local tool = section("Tool", "tool", more.tool or "Bash")
  return samples.permission(vim.tbl_extend("force", { display = { tool, ... } }, more))
end

local function page(form) return table.concat(form:page().lines, "\n") end

---The header of the command.
local function body_header(permission) return ("Command, %s:"):format(body.size(permission.display[2])) end

---The row of an option.
local function row(form, question, option)
  form:page()
  for _, one in pairs(form.rows) do
    if one.question == question and one.option == option then return one end
  end
end

return {
  tests = {
    {
      "a request is shown with its sizes and with marks in their own colours",
      function()
        local command = section("Command", "command", {
          { kind = "plain", text = "npm test" },
          { kind = "blanks", text = (" "):rep(3000), shown = "⟨3,000 spaces⟩" },
          { kind = "plain", text = "; rm\n\tx" },
          { kind = "reorders", text = "\u{202e}", shown = "⟨U+202E⟩" },
        }, "/command")
        local built = body.page(request({}, command, section("description", "text", "List")))
        same(
          "page",
          table.concat(built.lines, "\n"),
          "Bash\nCommand, 2 lines, 3,016 characters:\n$ npm test⟨3,000 spaces⟩; rm\n  \tx⟨U+202E⟩\ndescription: List"
        )
        local marked = {}
        for _, mark in ipairs(built.marks) do
          marked[mark.group] = built.lines[mark.row + 1]:sub(mark.col + 1, mark.end_col)
        end
        same("count", marked.AreYouJMark, "⟨3,000 spaces⟩")
        same("danger", marked.AreYouJDanger, "⟨U+202E⟩")
      end,
    },
    {
      "thousands of hostile commands are shown to the last character",
      function()
        local done = vim.system({ programs .. "/hostile-display" }):wait()
        same("table", done.code, 0)
        local table_of = vim.json.decode(done.stdout)
        assert(#table_of >= 2000, #table_of)
        local buffer = vim.api.nvim_create_buf(false, true)
        for _, case in ipairs(table_of) do
          local expected = { "Bash", body_header(case.permission) }
          for number, line in ipairs(case.lines) do
            table.insert(expected, (number == 1 and "$ " or "  ") .. line)
          end
          vim.api.nvim_buf_set_lines(buffer, 0, -1, false, Form.new(case.permission):page().lines)
          local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
          same(case.permission.id, lines, expected)
          local exact = ""
          for _, segment in ipairs(case.permission.display[2].segments) do
            exact = exact .. segment.text
          end
          same("exact text", exact, case.text)
        end
        vim.api.nvim_buf_delete(buffer, { force = true })
      end,
    },
    {
      "a change is shown as a diff with both sizes, and new content as added lines",
      function()
        local old = section("Old text", "removed", "one\ntwo\n")
        local new = section("New text", "added", "one\nthree")
        local built = body.page(request({ tool = "Edit" }, section("File", "path", "/p/a.rs"), old, new))
        same(
          "page",
          table.concat(built.lines, "\n"),
          "Edit\nFile: /p/a.rs\nOld text, 2 lines, 8 characters; New text, 2 lines, 9 characters:\n  one\n- two\n+ three"
        )
        local groups = {}
        for _, mark in ipairs(built.marks) do
          groups[mark.group] = (groups[mark.group] or 0) + 1
        end
        same("colours", { groups.AreYouJAdded, groups.AreYouJRemoved }, { 2, 2 })
        local content = section("Content", "added", "a\n")
        local written = body.page(request({ tool = "Write" }, content)).lines
        same("content", written, { "Write", "Content, 1 line, 2 characters:", "+ a" })
      end,
    },
    {
      "each character of a plan is shown, and Markdown is colour alone",
      function()
        local plan = "# Plan\n- **first** [x](http://y)\n[ref]: http://hidden\n<!-- rm -->"
        local form = Form.new(request({ kind = "plan", tool = "ExitPlanMode" }, section("Plan", "plan", plan)))
        same("page", page(form), "ExitPlanMode\nPlan, 4 lines, 65 characters:\n" .. plan)
        same("answer", form:answer(), { decision = "allow" })
        same("labels", form:labels().no, "keep planning")
      end,
    },
    {
      "a request that would control AreYouJ says so and is never allowed always",
      function()
        local form = Form.new(request({ controlsAreyouj = true }))
        same("page", page(form), "Would control AreYouJ\nBash")
        same("always", form:offers_always(), false)
      end,
    },
    {
      "allow always sends the chosen rules, counted from 0",
      function()
        local always = {
          { text = "the permission mode acceptEdits", stored = "for this session only", byDefault = false },
          { text = "Bash(ls)", stored = "stored in the local settings", byDefault = true },
        }
        local form = Form.new(request({ always = always }))
        same("offered", form:offers_always(), true)
        same("once", form:answer(), { decision = "allow" })
        form.always = true
        wait.has("rules", page(form), "[ ] the permission mode acceptEdits, for this session only")
        wait.has("rules", page(form), "[x] Bash(ls), stored in the local settings")
        same("default", form:answer(), { decision = "allowAlways", suggestions = { 1 } })
        form:toggle({ suggestion = 1 })
        same("both", form:answer(), { decision = "allowAlways", suggestions = { 0, 1 } })
        form:toggle({ suggestion = 1 })
        form:toggle({ suggestion = 2 })
        same("none", form:answer(), nil)
      end,
    },
    {
      "questions have an answer once each of them has one",
      function()
        local form = Form.new(
          request(
            {
              kind = "question",
              input = {
                questions = {
                  { question = "Colour?", options = { { label = "Red" }, { label = "Blue" } } },
                  { question = "Which?", multiSelect = true, options = { { label = "A" }, { label = "B" } } },
                },
              },
            },
            section("Question 1", "question", "Colour?", "/questions/0/question"),
            section(
              "Choice 1.1",
              "choice",
              { { kind = "invisible", text = "R\u{200b}ed", shown = "R⟨U+200B⟩ed" } },
              "/questions/0/options/0/label"
            )
          )
        )
        same("never always", form:offers_always(), false)
        wait.has("marks", page(form), "( ) R⟨U+200B⟩ed")
        same("nothing chosen", form:answer(), nil)
        form:toggle(row(form, 1, 1))
        form:toggle(row(form, 1, 2))
        same("one missing", form:answer(), nil)
        form:toggle(row(form, 2, 1))
        form:toggle(row(form, 2, 2))
        same("answer", form:answer(), { decision = "choose", choices = { { "Blue" }, { "A", "B" } } })
        form:set_own(1, " green ")
        form:set_own(2, "C")
        form:toggle(row(form, 2, 1))
        same("own words", form:answer(), { decision = "choose", choices = { { "green" }, { "B", "C" } } })
        wait.has("page", page(form), "(x) green")
        form:toggle(row(form, 1, 1))
        same("taken back", form:answer().choices[1], { "Red" })
      end,
    },
  },
}
