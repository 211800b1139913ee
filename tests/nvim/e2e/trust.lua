-- Trust in a directory: the float lists what would run there, and nothing runs before a person trusts it.
local Home = require("lib.home")
local Terminal = require("lib.terminal")
local wait = require("lib.wait")

local home

---The repository of a stranger, outside the directories that Claude's record calls trusted.
local function stranger(name)
  local directory = home.directory .. "/" .. name
  vim.fn.mkdir(directory .. "/.claude", "p")
  local hook = { type = "command", command = "touch " .. directory .. "/hook-ran" }
  local settings = { hooks = { SessionStart = { { hooks = { hook } } } }, env = { STRANGER = "one" } }
  vim.fn.writefile({ vim.json.encode(settings) }, directory .. "/.claude/settings.json")
  return directory
end

local function ran(directory) return vim.uv.fs_stat(directory .. "/hook-ran") ~= nil end

return {
  before = function() home = Home.open({ projects = { "engine" } }) end,
  tests = {
    {
      "a directory that nobody trusts is shown with what would run, and trusted in the float",
      function()
        local directory = stranger("later")
        local terminal = Terminal.open(home, { project = "engine" })
        terminal:command("AreYouJ new " .. directory)
        terminal:shows("Answer with :AreYouJ permissions")
        terminal:command("AreYouJ permissions")
        terminal:shows("Hook SessionStart in .claude/settings.json")
        terminal:shows("Variable STRANGER")
        terminal:shows("a trust the directory")
        wait.same("the hook ran", ran(directory), false)
        terminal:type("a")
        terminal:hides("a trust the directory")
        home:wait(home:json("ls")[1].id, "idle")
        wait.until_true("the hook runs", function() return ran(directory) end)
      end,
    },
    {
      "a denied directory ends the session",
      function()
        local directory = stranger("never")
        local id = home:run("new", directory)
        local terminal = Terminal.open(home, { project = "engine" })
        terminal:command("AreYouJ permissions")
        terminal:shows("Hook SessionStart")
        terminal:type("d")
        home:wait(id, "terminated")
        wait.same("the hook ran", ran(directory), false)
      end,
    },
  },
}
