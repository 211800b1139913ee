---The whole content of a permission request: the sections that the daemon made of it, in which nothing is hidden or left
---out. This file only colours them.
local markdown = require("areyouj.markdown")
local styled_lines = require("areyouj.views.styled_lines")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

local M = {}

local SIGNS = { ["+"] = "AreYouJAdded", ["-"] = "AreYouJRemoved" }

---Marks that stand for much of nothing; all others warn of what hides or poses as something else.
local COUNTS = { blanks = true, emptyLines = true }

---The most characters of a text that is displayed behind its label.
local MAX_INLINE = 80

---@alias areyouj.ShownPiece { [1]: string, [2]: string? } A text and its highlight group.

---Adds the change of a file to a transcript.
---@param change areyouj.FileChange
---@param safe fun(line: string): string Makes foreign text safe to display.
---@param built areyouj.StyledLines
---@param indent string
---@param max? integer Upper bound on the lines.
function M.change(change, safe, built, indent, max)
  local lines = tools.diff(change)
  for number, line in ipairs(lines) do
    if max and number > max then
      built:add(indent, { ("… %d more lines"):format(#lines - max), "AreYouJDim" })
      return
    end
    built:add(indent, { line.sign .. " " .. safe(line.text), SIGNS[line.sign] })
  end
end

---The displayed lines of a section, each as pieces. A line break at the end begins no line.
---@param section areyouj.DisplaySection
---@param group? string The highlight group of plain text.
---@return areyouj.ShownPiece[][]
function M.rows(section, group)
  local rows = { {} }
  for index, segment in ipairs(section.segments) do
    local shown = segment.shown or segment.text
    if index == #section.segments then shown = shown:gsub("\n$", "") end
    local own = group
    if segment.kind ~= "plain" then own = COUNTS[segment.kind] and "AreYouJMark" or "AreYouJDanger" end
    for number, piece in ipairs(vim.split(shown, "\n", { plain = true })) do
      if number > 1 then table.insert(rows, {}) end
      if piece ~= "" then table.insert(rows[#rows], { piece, own }) end
    end
  end
  return rows
end

---A section on one line.
---@param section areyouj.DisplaySection
---@param group? string
---@return areyouj.ShownPiece[]
function M.line(section, group)
  local line = {}
  for number, row in ipairs(M.rows(section, group)) do
    if number > 1 then table.insert(line, { text.character(0x240a), "AreYouJDanger" }) end
    vim.list_extend(line, row)
  end
  return line
end

---@param row areyouj.ShownPiece[]
---@return string
local function joined(row)
  return table.concat(vim.tbl_map(function(piece) return piece[1] end, row))
end

---@param count integer
---@param one string
---@return string
local function counted(count, one)
  local digits = tostring(count):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return ("%s %s%s"):format(digits, one, count == 1 and "" or "s")
end

---The size of a section in words.
---@param section areyouj.DisplaySection
---@return string
function M.size(section)
  return counted(section.size.lines, "line") .. ", " .. counted(section.size.characters, "character")
end

---The section that replaces the text of another section in the same file.
---@param built areyouj.StyledLines
---@param old areyouj.DisplaySection
---@param new areyouj.DisplaySection
local function add_change(built, old, new)
  local known, sides = {}, {}
  for side, section in ipairs({ old, new }) do
    sides[side] = {}
    for _, row in ipairs(M.rows(section)) do
      local line = joined(row)
      -- Equal lines have equal pieces, because a text cannot imitate a mark.
      known[line] = row
      table.insert(sides[side], line)
    end
  end
  built:add({ ("%s, %s; %s, %s:"):format(old.label, M.size(old), new.label, M.size(new)), "AreYouJDim" })
  local edit = { before = table.concat(sides[1], "\n"), after = table.concat(sides[2], "\n") }
  for _, line in ipairs((tools.diff({ path = "", edits = { edit }, shown = {} }))) do
    local group = SIGNS[line.sign]
    local row = vim.tbl_map(function(piece) return { piece[1], piece[2] or group } end, known[line.text] or {})
    table.insert(row, 1, { line.sign .. " ", group })
    built:row(row)
  end
end

---@param built areyouj.StyledLines
---@param section areyouj.DisplaySection
local function add_block(built, section)
  built:add({ ("%s, %s:"):format(section.label, M.size(section)), "AreYouJDim" })
  if section.style == "plan" then
    local rows = M.rows(section)
    local lines = vim.tbl_map(joined, rows)
    local coloured = markdown.marks(lines, {})
    local first = #built.lines
    -- The colours of Markdown first: the marks of what hides are above them.
    for _, mark in ipairs(coloured) do
      table.insert(built.marks, vim.tbl_extend("force", mark, { row = first + mark.row }))
    end
    for _, row in ipairs(rows) do
      built:row(row)
    end
    return
  end
  local groups = { command = "AreYouJCommand", added = "AreYouJAdded", removed = "AreYouJRemoved" }
  local signs = { command = "$ ", added = "+ ", removed = "- " }
  local group, sign = groups[section.style], signs[section.style] or "  "
  for number, row in ipairs(M.rows(section, group)) do
    -- Only the first line of a command follows a prompt.
    local before = section.style == "command" and number > 1 and "  " or sign
    table.insert(row, 1, { before, section.style == "command" and "AreYouJDim" or group })
    built:row(row)
  end
end

local BLOCKS = { command = true, added = true, removed = true, plan = true }

---Adds sections.
---@param built areyouj.StyledLines
---@param sections areyouj.DisplaySection[]
function M.add(built, sections)
  local number = 1
  while sections[number] do
    local section, next_one = sections[number], sections[number + 1]
    if section.style == "tool" then
      built:row(M.line(section, "AreYouJTool"))
    elseif section.style == "removed" and next_one and next_one.style == "added" then
      add_change(built, section, next_one)
      number = number + 1
    elseif BLOCKS[section.style] or section.size.lines > 1 or section.size.characters > MAX_INLINE then
      add_block(built, section)
    else
      local row = M.line(section)
      table.insert(row, 1, { section.label .. ": ", "AreYouJDim" })
      built:row(row)
    end
    number = number + 1
  end
end

---A whole request.
---@param request areyouj.Permission
---@return areyouj.StyledLines
function M.page(request)
  local built = styled_lines.new()
  if request.controlsAreyouj then built:add({ "Would control AreYouJ", "AreYouJError" }) end
  M.add(built, request.display)
  return built
end

return M
