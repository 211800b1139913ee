local wait = require("lib.wait")

local root = vim.fs.normalize(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/../../../extension-nvim")
local function read(path) return table.concat(vim.fn.readfile(root .. "/" .. path), "\n") end

return {
  tests = {
    {
      "the help documents every command, option, map, highlight group, event and function",
      function()
        local help = read("doc/areyouj.txt")
        for name in pairs(require("areyouj.command").subcommands) do
          wait.has("command", help, "*:AreYouJ-" .. name .. "*")
        end
        for name in pairs(require("areyouj.config").defaults) do
          wait.has("option", help, "*areyouj-" .. name:gsub("_", "-") .. "*")
        end
        for name in pairs(require("areyouj.highlight").groups) do
          wait.has("group", help, "\n" .. name .. " ")
        end
        for name in read("lua/areyouj/alerts.lua"):gmatch('events%.user%("(%w+)"') do
          wait.has("event", help, "*AreYouJ" .. name .. "*")
        end
        for name, value in pairs(require("areyouj")) do
          if type(value) == "function" then wait.has("function", help, "*areyouj." .. name .. "()*") end
        end
        vim.g.loaded_areyouj = nil
        vim.cmd.runtime("plugin/areyouj.lua")
        for _, map in ipairs(vim.api.nvim_get_keymap("n")) do
          if map.lhs:find("AreYouJ", 1, true) then wait.has("map", help, "*" .. map.lhs .. "*") end
        end
      end,
    },
    {
      "the README documents every option",
      function()
        local readme = read("README.md")
        for name in pairs(require("areyouj.config").defaults) do
          wait.has("README", readme, "`" .. name)
        end
      end,
    },
    {
      "every tag that the help links to exists",
      function()
        local directory = vim.fn.tempname()
        vim.fn.mkdir(directory)
        vim.fn.writefile(vim.fn.readfile(root .. "/doc/areyouj.txt"), directory .. "/areyouj.txt")
        vim.cmd.helptags(directory)
        local tags = {}
        for _, path in ipairs({ directory .. "/tags", vim.env.VIMRUNTIME .. "/doc/tags" }) do
          for line in io.lines(path) do
            tags[line:match("^[^\t]+")] = true
          end
        end
        for tag in read("doc/areyouj.txt"):gmatch("|([^|%s]+)|") do
          assert(tags[tag], "no tag " .. tag)
        end
        for _, line in ipairs(vim.fn.readfile(root .. "/doc/areyouj.txt")) do
          assert(vim.fn.strdisplaywidth(line) <= 79, "too long: " .. line)
        end
        vim.fn.delete(directory, "rf")
      end,
    },
  },
}
