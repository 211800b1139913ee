-- A request is allowed only after its end was displayed, and nothing in it hides.
local Editor = require("lib.editor")
local Home = require("lib.home")
local wait = require("lib.wait")

local home, editor

---Asks for a command in a new session, and enters the float.
---@param project string
---@param command string
local function ask(project, command)
  local id = home:idle(project)
  home:run("send", id, "call: Bash " .. vim.json.encode({ command = command }))
  editor:asks(id)
  editor:enter_float()
  return id
end

---Presses a key until the footer offers to allow. Returns how often.
local function read_to_the_end(id)
  local pages = 0
  while not editor:float():find("a allow", 1, true) do
    wait.has("footer", editor:float(), "a next page")
    editor:type("a")
    pages = pages + 1
    assert(pages < 50, "the end is never displayed:\n" .. editor:float())
    wait.same("nothing is answered", #home:json("permissions", id), 1)
  end
  return pages
end

---Whether the last character of the request is on the screen.
local function end_is_on_screen()
  return editor:lua([[
    local last = vim.fn.line("$")
    return vim.fn.screenpos(0, last, math.max(1, #vim.fn.getline(last))).row > 0
  ]])
end

return {
  before = function()
    home = Home.open({ projects = { "lines", "wide", "spaces", "control" } })
    editor = Editor.open(home, { project = "lines" })
    -- The plugin starts with its first command.
    editor:command("AreYouJ")
    editor:connects()
  end,
  tests = {
    {
      "a command of many lines is allowed once its last line was displayed",
      function()
        local lines = {}
        for number = 1, 120 do
          lines[number] = "echo line " .. number
        end
        table.insert(lines, "touch made")
        local id = ask("lines", table.concat(lines, "\n"))
        wait.has("size", editor:float(), "Command, 121 lines, ")
        local pages = read_to_the_end(id)
        assert(pages >= 2, pages)
        wait.same("end", end_is_on_screen(), true)
        wait.same("not run", home:has_file("lines", "made"), false)
        editor:type("a")
        home:gets_file("lines", "made")
        home:wait(id, "idle")
      end,
    },
    {
      "a line that is longer than the float is read to its end, page by page",
      function()
        local id = ask("wide", "echo " .. ("word "):rep(1500) .. "; touch made")
        wait.same("beginning", end_is_on_screen(), false)
        local pages = read_to_the_end(id)
        assert(pages >= 2, pages)
        wait.same("end", end_is_on_screen(), true)
        editor:type("a")
        home:gets_file("wide", "made")
        home:wait(id, "idle")
      end,
    },
    {
      "what is behind thousands of spaces is in sight at once",
      function()
        local id = ask("spaces", "echo test" .. (" "):rep(3000) .. "; touch made")
        wait.has("float", editor:float(), "echo test⟨3,000 spaces⟩; touch made")
        wait.has("size", editor:float(), "Command, 1 line, 3,021 characters")
        wait.same("pages", read_to_the_end(id), 0)
        editor:type("a")
        home:gets_file("spaces", "made")
        home:wait(id, "idle")
      end,
    },
    {
      "a request that would control AreYouJ says so, and offers no rule",
      function()
        local id = ask("control", "areyouj --version > made")
        wait.has("title", editor:float(), "Would control AreYouJ")
        assert(not editor:float():find("always", 1, true), editor:float())
        editor:type("A")
        assert(not editor:float():find("from now on", 1, true), editor:float())
        editor:type("d")
        home:wait(id, "idle")
        wait.same("not run", home:has_file("control", "made"), false)
      end,
    },
  },
}
