---Renders one entry of a transcript: its lines, highlights and fold.
local permission_body = require("areyouj.views.permission.body")
local markdown = require("areyouj.markdown")
local styled_lines = require("areyouj.views.styled_lines")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

local M = {}

---@class areyouj.Block One entry with the entries that belong to it.
---@field entry areyouj.TranscriptEntry
---@field depth integer Nesting of subagents; 0 for the session itself.
---@field result? areyouj.EntryBody.toolResult The result of the tool call.
---@field ending? areyouj.EntryBody.permissionEnd The end of the permission request.
---@field last? areyouj.Block The last block of its subagent.
---@field open? boolean Whether the permission request waits for an answer.
---@field parent? areyouj.Block The call of the subagent that it belongs to.
---@field next? areyouj.Block
---@field previous? areyouj.Block
---@field height? integer Its lines in the buffer.
---@field fold? boolean Whether it folds to its first line.

---@class areyouj.BlockContext
---@field directory string
---@field icons boolean
---@field working boolean Whether the session is active: then a call without a result is running.
---@field permission fun(id: string): areyouj.Permission? An open permission request.

---@class areyouj.BlockOptions
---@field fold? boolean
---@field open? boolean
---@field user? boolean

---@class areyouj.RenderedBlock
---@field lines string[]
---@field marks areyouj.Mark[]
---@field fold boolean Whether it folds to its first line.
---@field open boolean Whether the fold is open at first.
---@field user boolean Whether it is a message of a person, which is highlighted as a whole.

---Upper bound on the lines of one entry in the transcript; `<CR>` shows all of them.
M.MAX_LINES = 400
---Upper bound on the bytes of one entry in the transcript.
M.MAX_BYTES = 40000
---Folds of changes of at most this many lines are open at first.
local SMALL_CHANGE = 40
---Upper bound on the indentation of subagents, because of the width of the window.
local MAX_DEPTH = 4
---Upper bound on the summary of a call in its first line, in characters.
local MAX_SUMMARY = 140

local OUTCOMES = {
  allowed = "Allowed",
  allowedAlways = "Always allowed",
  denied = "Denied",
  answered = "Answered",
  withdrawn = "Withdrawn",
}

local ICONS = {
  [true] = {
    user = "❯",
    thinking = "∴",
    done = "●",
    running = "◐",
    failed = "✗",
    info = "·",
    warning = "▲",
    error = "✗",
    request = "◆",
    good = "✓",
  },
  [false] = {
    user = ">",
    thinking = "~",
    done = "*",
    running = "-",
    failed = "x",
    info = ".",
    warning = "!",
    error = "x",
    request = "?",
    good = "+",
  },
}

---Foreign text as lines, up to the upper bounds.
---@param whole string?
---@return string[] lines
---@return boolean cut
function M.excerpt(whole)
  whole = whole or ""
  local cut = #whole > M.MAX_BYTES
  local lines = text.lines(cut and whole:sub(1, M.MAX_BYTES) or whole)
  if #lines > M.MAX_LINES then
    lines, cut = vim.list_slice(lines, 1, M.MAX_LINES), true
  end
  return lines, cut
end

---@param built areyouj.StyledLines
---@param whole string?
---@param indent string
local function add_cut_note(built, whole, indent)
  built:add(indent, { ("… %s in total. <CR> shows all."):format(text.size(#(whole or ""))), "AreYouJDim" })
end

---@param built areyouj.StyledLines
---@param whole string?
---@param indent string
---@param group? string
local function add_text(built, whole, indent, group)
  local lines, cut = M.excerpt(whole)
  built:all(lines, indent, group)
  if cut then add_cut_note(built, whole, indent) end
end

---@type table<string, fun(block: areyouj.Block, context: areyouj.BlockContext, built: areyouj.StyledLines, indent: string): areyouj.BlockOptions?>
local render = {}

function render.user(block, context, built)
  local icon = ICONS[context.icons].user
  built:add("")
  local lines, cut = M.excerpt(block.entry.body.text)
  for number, line in ipairs(lines) do
    if number == 1 then
      built:add({ icon .. " ", "AreYouJKey" }, line)
    else
      built:add("  ", line)
    end
  end
  if cut then add_cut_note(built, block.entry.body.text, "  ") end
  return { user = true }
end

function render.text(block, _, built, indent)
  built:add("")
  local lines, cut = M.excerpt(block.entry.body.text)
  built:with(lines, markdown.marks(lines, {}), indent)
  if cut then add_cut_note(built, block.entry.body.text, indent) end
end

function render.thinking(block, context, built, indent)
  built:add(indent, { ICONS[context.icons].thinking .. " Thinking", "AreYouJThinking" })
  add_text(built, block.entry.body.text, indent .. "  ", "AreYouJThinking")
  return { fold = true }
end

---@param result areyouj.EntryBody.toolResult
---@param built areyouj.StyledLines
---@param indent string
local function add_result(result, built, indent)
  if not result.text:find("%S") then
    built:add(indent, { "No output", "AreYouJDim" })
  else
    add_text(built, result.text, indent, result.isError and "AreYouJError" or "AreYouJOutput")
  end
  if result.truncated then built:add(indent, { "The rest of the output was truncated.", "AreYouJDim" }) end
end

function render.toolCall(block, context, built, indent)
  local body, icons, result = block.entry.body, ICONS[context.icons], block.result
  local change = tools.change(body.tool, body.input)
  local failed = result ~= nil and result.isError
  local icon, group = icons.done, "AreYouJTool"
  if failed then
    icon, group = icons.failed, "AreYouJError"
  elseif not result and context.working then
    icon, group = icons.running, "AreYouJActive"
  end
  local summary = tools.summary(body.input, context.directory)
  local pieces = {
    indent,
    { icon .. " ", group },
    { text.plain(body.tool, 60), "AreYouJTool" },
    "  ",
    text.plain(summary, MAX_SUMMARY),
  }
  local open = false
  if change then
    local _, added, removed = tools.diff(change)
    table.insert(pieces, { ("  +%d -%d"):format(added, removed), "AreYouJDim" })
    open = added + removed <= SMALL_CHANGE
  end
  if failed then table.insert(pieces, { "  Failed", "AreYouJError" }) end
  built:add(unpack(pieces))
  local inner = indent .. "  "
  local command = tools.text_of(body.input, "command")
  if change then
    permission_body.change(
      change,
      function(line) return (text.clean(line):gsub("\n", " ")) end,
      built,
      inner,
      M.MAX_LINES
    )
  elseif command then
    local lines = text.lines(command)
    if #lines > 1 or text.plain(summary, MAX_SUMMARY) ~= lines[1] then
      add_text(built, command, inner, "AreYouJCommand")
    end
  else
    for _, member in ipairs(tools.members(body.input)) do
      local lines, cut = M.excerpt(member[2])
      built:add(inner, { text.plain(member[1], 60) .. ": ", "AreYouJDim" }, #lines == 1 and lines[1] or "")
      if #lines > 1 then built:all(lines, inner .. "  ") end
      if cut then add_cut_note(built, member[2], inner .. "  ") end
    end
  end
  if result and not (change and not failed) then add_result(result, built, inner) end
  return { fold = true, open = open }
end

function render.toolResult(block, context, built, indent)
  local body, icons = block.entry.body, ICONS[context.icons]
  local failed = body.isError
  built:add(
    indent,
    { (failed and icons.failed or icons.done) .. " ", failed and "AreYouJError" or "AreYouJTool" },
    { "Result", "AreYouJTool" },
    { "  of an earlier call", "AreYouJDim" }
  )
  add_result(body, built, indent .. "  ")
  return { fold = true }
end

---@param ending areyouj.EntryBody.permissionEnd
---@param title string
---@param context areyouj.BlockContext
---@param built areyouj.StyledLines
---@param indent string
local function add_ending(ending, title, context, built, indent)
  local bad = ending.outcome == "denied" or ending.outcome == "withdrawn"
  local icons = ICONS[context.icons]
  local words = OUTCOMES[ending.outcome] or text.plain(ending.outcome, 40)
  if ending.by then words = words .. " in " .. text.plain(ending.by, 60) end
  local more = title ~= "" and ": " .. title or ""
  if ending.message then more = more .. " — " .. text.plain(ending.message, 300) end
  built:add(
    indent,
    { (bad and icons.failed or icons.good) .. " " .. words, bad and "AreYouJRefused" or "AreYouJAllowed" },
    { more, "AreYouJDim" }
  )
end

function render.permission(block, context, built, indent)
  local body = block.entry.body
  local title = text.plain(body.title, 300)
  if block.ending then
    add_ending(block.ending, title, context, built, indent)
    return
  end
  local open = context.permission(body.permissionId)
  block.open = open ~= nil
  built:add(indent, { ICONS[context.icons].request .. " " .. title, open and "AreYouJPrompt" or "AreYouJDim" })
  if not open then return end
  if open.kind == "question" then
    for _, section in ipairs(open.display) do
      if section.style == "question" then
        local row = permission_body.line(section)
        table.insert(row, 1, { indent .. "  " })
        built:row(row)
      end
    end
  else
    local whole = permission_body.page(open)
    built:with(whole.lines, whole.marks, indent .. "  ")
  end
  built:add(indent .. "  ", { "p", "AreYouJKey" }, { " answer", "AreYouJDim" })
end

function render.permissionEnd(block, context, built, indent)
  add_ending(block.entry.body --[[@as areyouj.EntryBody.permissionEnd]], "", context, built, indent)
end

function render.turnEnd(block, context, built)
  local body, icons = block.entry.body, ICONS[context.icons]
  local words = { body.ok and "Done" or "Ended with an error", text.elapsed(body.durationMs) }
  if body.costUsd > 0 then table.insert(words, text.cost(body.costUsd)) end
  local separator = context.icons and " · " or ", "
  built:add("")
  built:add({
    (body.ok and icons.good or icons.failed) .. " " .. table.concat(words, separator),
    body.ok and "AreYouJDim" or "AreYouJError",
  })
  if body.error then add_text(built, body.error, "  ", "AreYouJError") end
end

function render.notice(block, context, built, indent)
  local body = block.entry.body
  local groups = { info = "AreYouJDim", warning = "AreYouJWaiting", error = "AreYouJError" }
  local icon = ICONS[context.icons][body.level] or ICONS[context.icons].info
  local lines = M.excerpt(body.text)
  built:add(indent, { icon .. " " .. (lines[1] or ""), groups[body.level] or "AreYouJDim" })
  for row = 2, #lines do
    built:add(indent .. "  ", { lines[row], "AreYouJDim" })
  end
end

---Whether an entry of this kind is displayed.
---@param entry areyouj.TranscriptEntry
---@return boolean
function M.known(entry) return render[entry.body.kind] ~= nil end

---Renders a block.
---@param block areyouj.Block
---@param context areyouj.BlockContext
---@return areyouj.RenderedBlock
function M.render(block, context)
  local built = styled_lines.new()
  local options = render[block.entry.body.kind](block, context, built, ("  "):rep(math.min(block.depth, MAX_DEPTH)))
    or {}
  return {
    lines = built.lines,
    marks = built.marks,
    fold = options.fold == true and #built.lines > 1,
    open = options.open == true,
    user = options.user == true,
  }
end

---The whole text of a block.
---@param block areyouj.Block
---@return string[]
function M.whole(block)
  local body = block.entry.body
  if body.kind ~= "toolCall" then return text.lines(body.text or body.title or "") end
  local lines = { text.plain(body.tool, 200), "" }
  for _, member in ipairs(tools.members(body.input)) do
    table.insert(lines, text.plain(member[1], 200) .. ":")
    vim.list_extend(lines, vim.tbl_map(function(line) return "  " .. line end, text.lines(member[2])))
  end
  if block.result then
    vim.list_extend(lines, { "", block.result.isError and "Error:" or "Result:" })
    vim.list_extend(lines, vim.tbl_map(function(line) return "  " .. line end, text.lines(block.result.text)))
  end
  return lines
end

return M
