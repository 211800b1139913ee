-- Rules for the plugin's source that luacheck cannot express. Prints each violation; exit 1 if there is one.
local here = vim.fs.dirname(vim.fn.fnamemodify(arg[0], ":p"))
local root = vim.fs.normalize(here .. "/../../extension-nvim")

local violations = {}

---@param place string
---@param words string
local function violation(place, words) table.insert(violations, place .. ": " .. words) end

---Functions of Vim that expand wildcards, variables and backticks, or pass text to a shell: the name of a directory could
---run a command. `areyouj.paths` and `window.edit` are the replacements.
local EXPANDING = {
  "expand",
  "expandcmd",
  "fnameescape",
  "fnamemodify",
  "getcompletion",
  "glob",
  "globpath",
  "shellescape",
  "system",
  "systemlist",
}

---What a line of Lua must not contain, by pattern, and why.
---@type table<string, string>
local FORBIDDEN = {
  ["completion = [\"'][df]i[lr]e?[\"']"] = "expands what is typed; use areyouj.paths.INPUT_COMPLETION",
  ["nvim_command%f[^%w_]"] = "builds a command from text; use vim.cmd",
  ["nvim_exec2?%f[^%w_]"] = "builds a command from text; use vim.cmd",
  ["vim%.cmd%([^\"'{)]"] = "builds a command from text; give vim.cmd a literal or a table",
  ["vim%.cmd%(.*%.%."] = "builds a command from text; give vim.cmd a literal or a table",
  ["vim%.fn%["] = "calls a function that this check cannot see",
}
for _, name in ipairs(EXPANDING) do
  FORBIDDEN["vim%.fn%." .. name .. "%f[^%w_]"] = "expands names or runs them in a shell; use areyouj.paths"
end

---Commands that take a number or a table here; the others expand their argument as a file name.
local UNEXPANDED = { buffer = true, foldopen = true, foldclose = true }

---@param code string One line.
---@return string? why It is forbidden.
local function forbidden(code)
  for pattern, why in pairs(FORBIDDEN) do
    if code:find(pattern) then return why end
  end
  for name in code:gmatch("vim%.cmd%.(%w+)%([^\"')]") do
    if not UNEXPANDED[name] then return "expands the argument of :" .. name .. "; use window.edit" end
  end
end

---@param path string
---@return string[]
local function read(path)
  local lines = {}
  for line in io.lines(root .. "/" .. path) do
    table.insert(lines, line)
  end
  return lines
end

---Every Lua file of the plugin that a person writes, by its path below the plugin.
---@return string[]
local function sources()
  local found = {}
  for name, kind in vim.fs.dir(root, { depth = 10 }) do
    local written = kind == "file" and name:match("%.lua$") and not name:find("_meta/", 1, true)
    if written and not vim.startswith(name, "types/") then table.insert(found, name) end
  end
  table.sort(found)
  return found
end

for _, path in ipairs(sources()) do
  for number, line in ipairs(read(path)) do
    local code = line:gsub("^%s*%-%-.*", "")
    local why = forbidden(code)
    if why then violation(("%s:%d"):format(path, number), why) end
  end
end

---A require inside a function hides a circle, and nothing may use the public API from inside.
---@param path string
local function check_requires(path)
  -- The facade and plugin/ load nothing before they are used.
  if path == "lua/areyouj/init.lua" or vim.startswith(path, "plugin/") then return end
  for number, line in ipairs(read(path)) do
    local name = line:gsub("^%s*%-%-.*", ""):match("require%([\"'](areyouj[%w_.]*)[\"']%)")
    local place = ("%s:%d"):format(path, number)
    if name == "areyouj" then violation(place, "requires the public API; require the module behind it") end
    if name and not line:find("^local [%w_]+ = require%(") then violation(place, "requires inside a function") end
  end
end

for _, path in ipairs(sources()) do
  check_requires(path)
end

for _, words in ipairs(violations) do
  io.stdout:write(words, "\n")
end
os.exit(#violations == 0 and 0 or 1)
