---What a prompt asks, whole: nothing hidden in it, nothing left out.
local markdown = require("areyouj.markdown")
local page = require("areyouj.views.styled_lines")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

local M = {}

local SIGNS = { ["+"] = "AreYouJAdded", ["-"] = "AreYouJRemoved" }

---Text of others as lines, exact.
---@param whole string
---@return string[]
local function exact(whole)
  return vim.tbl_map(
    function(line) return (text.exact(line):gsub("\n", "")) end,
    vim.split(whole, "\n", { plain = true })
  )
end

---A change of a file as lines.
---@param change areyouj.FileChange
---@param shown fun(line: string): string How text of others is made safe.
---@param built areyouj.Page
---@param indent string
---@param max? integer At most so many lines.
function M.change(change, shown, built, indent, max)
  local lines = tools.diff(change)
  for number, line in ipairs(lines) do
    if max and number > max then
      built:add(indent, { ("… %d more lines"):format(#lines - max), "AreYouJDim" })
      return
    end
    built:add(indent, { line.sign .. " " .. shown(line.text), SIGNS[line.sign] })
  end
end

---@param members { [1]: string, [2]: string }[]
---@param built areyouj.Page
local function fields(members, built)
  for _, member in ipairs(members) do
    local lines = exact(member[2])
    if #lines == 1 then
      built:add({ text.exact_line(member[1]) .. ": ", "AreYouJDim" }, lines[1])
    else
      built:add({ text.exact_line(member[1]) .. ":", "AreYouJDim" }):all(lines, "  ")
    end
  end
end

---What a tool would do, or the plan. Questions are not shown: they are chosen from.
---@param prompt areyouj.Permission
---@param directory string The session's; a path in it is shown as seen from there.
---@return areyouj.Page
function M.page(prompt, directory)
  local built = page.new()
  local plan = prompt.kind == "plan" and tools.text_of(prompt.input, "plan") or nil
  local function others(shown)
    return vim.tbl_filter(function(member) return not shown[member[1]] end, tools.members(prompt.input))
  end
  if plan then
    local lines = exact(plan)
    built:with(lines, markdown.marks(lines, {}))
    fields(others({ plan = true }), built)
    return built
  end
  local change = tools.change(prompt.tool, prompt.input)
  if change then
    built:add(
      { text.exact_line(prompt.tool) .. "  ", "AreYouJTool" },
      { text.exact_line(tools.relative(change.path, directory)), "AreYouJPath" }
    )
    M.change(change, text.exact_line, built, "")
    fields(others(change.shown), built)
    return built
  end
  built:add({ text.exact_line(prompt.tool), "AreYouJTool" })
  local command = tools.text_of(prompt.input, "command")
  if command then built:all(exact(command), "  ", "AreYouJCommand") end
  fields(others({ command = command and true or nil }), built)
  return built
end

return M
