local Form = require("areyouj.views.permission.form")
local body = require("areyouj.views.permission.body")
local wait = require("lib.wait")
local same = wait.same

local function request(more)
  return vim.tbl_extend("force", {
    id = "A-1",
    sessionId = "A",
    kind = "tool",
    tool = "Bash",
    title = "",
    input = {},
    suggestions = {},
    createdAt = 1,
    state = "open",
  }, more)
end

local function page(form) return table.concat(form:page("/p").lines, "\n") end

---The row of an option.
local function row(form, question, option)
  form:page("/p")
  for _, one in pairs(form.rows) do
    if one.question == question and one.option == option then return one end
  end
end

return {
  tests = {
    {
      "a command is shown whole, with all other members of the input, and nothing in it is invisible",
      function()
        local input = { command = "ls\n  rm\u{202e} -rf /\27[8m", timeout = 5, description = "List" }
        local text = table.concat(body.page(request({ input = input }), "/p").lines, "\n")
        same("page", text, "Bash\n  ls\n    rm<U+202E> -rf /␛[8m\ndescription: List\ntimeout: 5")
        same("long", #body.page(request({ input = { command = ("x\n"):rep(1000) } }), "/p").lines, 1002)
      end,
    },
    {
      "a change is shown as a diff, with the members that the diff does not show",
      function()
        local input = { file_path = "/p/a.rs", old_string = "one\ntwo", new_string = "one\nthree", replace_all = true }
        local built = body.page(request({ tool = "Edit", input = input }), "/p")
        same("page", table.concat(built.lines, "\n"), "Edit  a.rs\n  one\n- two\n+ three\nreplace_all: true")
        local groups = {}
        for _, mark in ipairs(built.marks) do
          groups[mark.group] = (groups[mark.group] or 0) + 1
        end
        same("colours", { groups.AreYouJAdded, groups.AreYouJRemoved }, { 1, 1 })
      end,
    },
    {
      "a plan is shown as Markdown and approved",
      function()
        local form = Form.new(request({ kind = "plan", tool = "ExitPlanMode", input = { plan = "# Plan\n- first" } }))
        same("page", page(form), "# Plan\n- first")
        same("answer", form:answer(), { decision = "allow" })
        same("labels", form:labels().no, "keep planning")
      end,
    },
    {
      "allow always sends the chosen rules, counted from 0",
      function()
        local rule =
          { type = "addRules", behavior = "allow", destination = "session", rules = { { toolName = "Bash" } } }
        local form = Form.new(request({ suggestions = { { type = "setMode", mode = "acceptEdits" }, rule } }))
        same("offered", form:offers_always(), true)
        same("once", form:answer(), { decision = "allow" })
        form.always = true
        wait.has("rules", page(form), "[ ] Accept all file edits")
        wait.has("rules", page(form), "[x] Allow every Bash, for this session")
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
        local form = Form.new(request({
          kind = "question",
          input = {
            questions = {
              { question = "Colour?", options = { { label = "Red" }, { label = "Blue" } } },
              { question = "Which?", multiSelect = true, options = { { label = "A" }, { label = "B" } } },
            },
          },
          suggestions = { {} },
        }))
        same("never always", form:offers_always(), false)
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
