---The input of a tool call: its main argument, the change that it makes to a file, and its questions.
local text = require("areyouj.text")

local M = {}

---The main argument of a call: the first of these that it has.
local MAIN_ARGUMENTS = {
  "command",
  "file_path",
  "notebook_path",
  "pattern",
  "url",
  "query",
  "description",
  "prompt",
  "path",
  "skill",
  "subject",
}
---Upper bound on one line, in characters; the call itself has the rest.
local MAX_LINE = 300
---Texts above this size, in bytes, are not compared line by line: it takes too long in an editor.
local MAX_COMPARED = 200000

---A member of a table, if it is a string.
---@param value any
---@param name string
---@return string?
function M.text_of(value, name)
  local member = type(value) == "table" and value[name] or nil
  return type(member) == "string" and member or nil
end

---A member of a table, if it is a list.
---@param value any
---@param name string
---@return any[]
function M.list_of(value, name)
  local member = type(value) == "table" and value[name] or nil
  return type(member) == "table" and vim.islist(member) and member or {}
end

---Any value as readable text.
---@param value any
---@return string
function M.readable(value)
  if type(value) == "string" then return value end
  local ok, json = pcall(vim.json.encode, value)
  return ok and json or tostring(value)
end

---A path relative to a directory; unchanged if it is outside.
---@param path string
---@param directory string
---@return string
function M.relative(path, directory)
  local inside = directory:sub(-1) == "/" and directory or directory .. "/"
  return vim.startswith(path, inside) and #path > #inside and path:sub(#inside + 1) or path
end

---The file of a call, if it names one.
---@param input any
---@return string?
function M.path(input) return M.text_of(input, "file_path") or M.text_of(input, "notebook_path") end

---All members of an input, sorted by name.
---@param input any
---@return { [1]: string, [2]: string }[]
function M.members(input)
  if type(input) ~= "table" then return input == nil and {} or { { "input", M.readable(input) } } end
  local names = vim.tbl_keys(input)
  table.sort(names, function(one, other) return tostring(one) < tostring(other) end)
  return vim.tbl_map(function(name) return { tostring(name), M.readable(input[name]) } end, names)
end

---One line that summarizes a call.
---@param input any
---@param directory string
---@return string
function M.summary(input, directory)
  local path = M.text_of(input, "command") == nil and M.path(input) or nil
  if path then return text.exact_line(M.relative(path, directory)) end
  for _, name in ipairs(MAIN_ARGUMENTS) do
    local argument = M.text_of(input, name)
    if argument and argument ~= "" then return text.plain(argument, MAX_LINE) end
  end
  local first = M.members(input)[1]
  return first and text.plain(first[2], MAX_LINE) or ""
end

---@class areyouj.FileChange
---@field path string
---@field edits { before: string, after: string }[]
---@field shown table<string, true> The members of the input that the change shows.

---@param value any
---@return { before: string, after: string }
local function edit(value)
  return { before = M.text_of(value, "old_string") or "", after = M.text_of(value, "new_string") or "" }
end

---The change that a call of an editing tool makes to its file; nil for other tools and for an unexpected input.
---@param tool string
---@param input any
---@return areyouj.FileChange?
function M.change(tool, input)
  local path = M.path(input)
  if not path then return nil end
  local shown = { [M.text_of(input, "file_path") and "file_path" or "notebook_path"] = true }
  if tool == "Edit" and M.text_of(input, "new_string") then
    shown.old_string, shown.new_string = true, true
    return { path = path, edits = { edit(input) }, shown = shown }
  elseif tool == "MultiEdit" and #M.list_of(input, "edits") > 0 then
    shown.edits = true
    for _, value in ipairs(M.list_of(input, "edits")) do
      -- The change does not show further members, so they are shown beside it.
      if vim.tbl_count(value) > 2 or not M.text_of(value, "new_string") then shown.edits = nil end
    end
    return { path = path, edits = vim.tbl_map(edit, M.list_of(input, "edits")), shown = shown }
  elseif tool == "Write" and M.text_of(input, "content") then
    shown.content = true
    return { path = path, edits = { { before = "", after = M.text_of(input, "content") or "" } }, shown = shown }
  elseif tool == "NotebookEdit" and M.text_of(input, "new_source") then
    shown.new_source = true
    return { path = path, edits = { { before = "", after = M.text_of(input, "new_source") or "" } }, shown = shown }
  end
  return nil
end

---@param body string
---@return string[]
local function split(body)
  if body == "" then return {} end
  return vim.split((body:gsub("\n$", "")), "\n", { plain = true })
end

---The lines of a change, each with a sign: `-`, `+` or a space.
---@param change areyouj.FileChange
---@return { sign: "-"|"+"|" ", text: string }[] lines
---@return integer added
---@return integer removed
function M.diff(change)
  local lines, added, removed = {}, 0, 0
  local function put(sign, list, first, last)
    for row = first, last do
      table.insert(lines, { sign = sign, text = list[row] })
    end
    if sign == "+" then added = added + math.max(0, last - first + 1) end
    if sign == "-" then removed = removed + math.max(0, last - first + 1) end
  end
  for number, one in ipairs(change.edits) do
    if number > 1 then table.insert(lines, { sign = " ", text = "…" }) end
    local before, after = split(one.before), split(one.after)
    if #before == 0 or #after == 0 or #one.before + #one.after > MAX_COMPARED then
      put("-", before, 1, #before)
      put("+", after, 1, #after)
    else
      local hunks = vim.diff(one.before:gsub("\n?$", "\n"), one.after:gsub("\n?$", "\n"), { result_type = "indices" })
      local row = 1
      for _, hunk in
        ipairs(hunks --[[@as integer[][] ]])
      do
        local from, count, to, inserted = hunk[1], hunk[2], hunk[3], hunk[4]
        local first = count == 0 and from + 1 or from
        put(" ", before, row, first - 1)
        put("-", before, first, first + count - 1)
        local start = inserted == 0 and to + 1 or to
        put("+", after, start, start + inserted - 1)
        row = first + count
      end
      put(" ", before, row, #before)
    end
  end
  return lines, added, removed
end

---@class areyouj.Question
---@field question string
---@field header string
---@field options { label: string, description: string }[]
---@field multi boolean Allows several options.

---The questions in the input of a permission request. Each element is one question, because answers refer to their order.
---@param input any
---@return areyouj.Question[]
function M.questions(input)
  return vim.tbl_map(function(value)
    return {
      question = M.text_of(value, "question") or "",
      header = M.text_of(value, "header") or "",
      multi = type(value) == "table" and value.multiSelect == true,
      options = vim.tbl_map(
        function(option)
          return { label = M.text_of(option, "label") or "", description = M.text_of(option, "description") or "" }
        end,
        M.list_of(value, "options")
      ),
    }
  end, M.list_of(input, "questions"))
end

return M
