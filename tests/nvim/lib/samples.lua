-- Samples of protocol types.
local M = {}

---An idle session, with changes.
---@param id string
---@param more? table
function M.session(id, more)
  return vim.tbl_extend("force", {
    id = id,
    directory = "/" .. id,
    status = "idle",
    createdAt = 1,
    statusSince = 1,
    queued = 0,
    unread = 0,
    costUsd = 0,
  }, more or {})
end

---A section of a display, of plain text unless segments are given.
---@param label string
---@param style string
---@param text string|table[]
---@param pointer? string
function M.section(label, style, text, pointer)
  local segments = type(text) == "table" and text or { { kind = "plain", text = text } }
  local exact = table.concat(vim.tbl_map(function(segment) return segment.text end, segments))
  local breaks = select(2, exact:gsub("\n", ""))
  local lines = breaks + ((exact ~= "" and exact:sub(-1) ~= "\n") and 1 or 0)
  return {
    label = label,
    style = style,
    pointer = pointer,
    size = { lines = lines, characters = vim.fn.strchars(exact) },
    segments = segments,
  }
end

---An open permission request, with changes.
---@param more? table
function M.permission(more)
  return vim.tbl_extend("force", {
    id = "A-1",
    sessionId = "A",
    kind = "tool",
    tool = "Bash",
    title = "",
    input = {},
    display = { M.section("Tool", "tool", "Bash") },
    digest = "0f",
    controlsAreyouj = false,
    suggestions = {},
    always = {},
    createdAt = 1,
    state = "open",
    granted = {},
  }, more or {})
end

return M
