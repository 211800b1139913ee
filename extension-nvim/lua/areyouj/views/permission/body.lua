---The whole content of a permission request: nothing in it is hidden or left out.
local markdown = require("areyouj.markdown")
local styled_lines = require("areyouj.views.styled_lines")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

local M = {}

local SIGNS = { ["+"] = "AreYouJAdded", ["-"] = "AreYouJRemoved" }

---Foreign text as exact lines.
---@param whole string
---@return string[]
local function exact(whole)
  return vim.tbl_map(
    function(line) return (text.exact(line):gsub("\n", "")) end,
    vim.split(whole, "\n", { plain = true })
  )
end

---Adds the change of a file.
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

---@param members { [1]: string, [2]: string }[]
---@param built areyouj.StyledLines
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

---What a tool would do, or the plan. The form shows questions.
---@param request areyouj.Permission
---@param directory string The directory of the session. Paths in it are shown relative to it.
---@return areyouj.StyledLines
function M.page(request, directory)
  local built = styled_lines.new()
  local plan = request.kind == "plan" and tools.text_of(request.input, "plan") or nil
  local function others(shown)
    return vim.tbl_filter(function(member) return not shown[member[1]] end, tools.members(request.input))
  end
  if plan then
    local lines = exact(plan)
    built:with(lines, markdown.marks(lines, {}))
    fields(others({ plan = true }), built)
    return built
  end
  local change = tools.change(request.tool, request.input)
  if change then
    built:add(
      { text.exact_line(request.tool) .. "  ", "AreYouJTool" },
      { text.exact_line(tools.relative(change.path, directory)), "AreYouJPath" }
    )
    M.change(change, text.exact_line, built, "")
    fields(others(change.shown), built)
    return built
  end
  built:add({ text.exact_line(request.tool), "AreYouJTool" })
  local command = tools.text_of(request.input, "command")
  if command then built:all(exact(command), "  ", "AreYouJCommand") end
  fields(others({ command = command and true or nil }), built)
  return built
end

return M
