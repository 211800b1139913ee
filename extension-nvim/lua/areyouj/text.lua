---Formats text: makes foreign text safe to display, and formats times, sizes and names.
local M = {}

local hidden = require("areyouj.hidden")

---The first byte of a code point of two or more bytes of UTF-8.
---@param point integer
---@return integer
local function first_byte(point)
  if point < 0x800 then return 192 + math.floor(point / 64) end
  if point < 0x10000 then return 224 + math.floor(point / 4096) end
  return 240 + math.floor(point / 262144)
end

---A pattern for the first bytes of the control characters of two bytes and of all hidden characters.
---@return string
local function first_bytes()
  local bytes = { string.char(first_byte(0x80)) }
  for _, range in ipairs(hidden) do
    for byte = first_byte(range[1]), first_byte(range[2]) do
      table.insert(bytes, string.char(byte))
    end
  end
  return "[" .. table.concat(bytes) .. "]"
end

local FIRST_BYTE = first_bytes()

---A character that begins with one of these.
local SUSPECT = FIRST_BYTE .. "[\128-\191]+"

---How a character hides something: a kind of hidden ones, or "control"; nil if it does not.
---@param point integer
---@return "control"|"reorders"|"invisible"|"blank"|nil
local function kind_of(point)
  if point >= 0x7f and point <= 0x9f then return "control" end
  for _, range in ipairs(hidden) do
    if point <= range[2] then return point >= range[1] and range[3] or nil end
  end
end

---The code point of a UTF-8 sequence.
---@param character string
---@return integer
local function code_point(character)
  local first, second, third, fourth = character:byte(1, 4)
  if #character == 2 then return (first % 32) * 64 + second % 64 end
  if #character == 3 then return (first % 16) * 4096 + (second % 64) * 64 + third % 64 end
  return (first % 8) * 262144 + (second % 64) * 4096 + (third % 64) * 64 + (fourth or 0) % 64
end

---Replaces characters that can hide something.
---@param text string
---@param replacement fun(point: integer, kind: string): string? nil keeps the character.
---@return string
local function replaced(text, replacement)
  if not text:find(FIRST_BYTE) then return text end
  return (
    text:gsub(SUSPECT, function(character)
      local point = code_point(character)
      local kind = kind_of(point)
      return kind and replacement(point, kind)
    end)
  )
end

---The longest string that an escape sequence (a window title, a link) can carry, in bytes. A longer one counts as
---unfinished, as in the daemon.
local MAX_SEQUENCE_STRING = 4096

---Removes the finished escape sequences. Of an unfinished one only the escape character is replaced, so that it hides
---nothing of the text behind it.
---@param text string
---@return string
local function without_sequences(text)
  text = text:gsub("\27%[[0-?]*[ -/]*[@-~]", "")
  text = text:gsub("\27[%]PX^_]([^\7\27]*)(\27?[\7\\])", function(carried, finish)
    local finished = finish == "\7" or finish == "\27\\"
    return finished and #carried <= MAX_SEQUENCE_STRING and "" or nil
  end)
  return (text:gsub("\27", M.character(0x241b)))
end

---Removes control characters, escape sequences and directional marks. Keeps line breaks and tabs.
---@param text any
---@return string
function M.clean(text)
  if type(text) ~= "string" then return "" end
  if text:find("\27", 1, true) then text = without_sequences(text) end
  text = text:gsub("\r\n", "\n"):gsub("[%z\1-\8\11-\31\127]", " ")
  return replaced(text, function(_, kind) return (kind == "control" or kind == "reorders") and " " or nil end)
end

---Text that a person decides about: removes nothing, and replaces invisible characters by visible ones.
---@param text any
---@return string
function M.exact(text)
  if type(text) ~= "string" then return "" end
  text = text:gsub("[%z\1-\8\11-\31]", function(control) return M.character(0x2400 + control:byte()) end)
  text = text:gsub("\127", M.character(0x2421))
  return replaced(text, function(point) return ("<U+%04X>"):format(point) end)
end

---The same on one line.
---@param text any
---@return string
function M.exact_line(text) return (M.exact(text):gsub("\n", M.character(0x240a)):gsub("\t", M.character(0x2409))) end

---A character whose UTF-8 form has three bytes.
---@param point integer From 0x800 to 0xffff.
---@return string
function M.character(point)
  return string.char(224 + math.floor(point / 4096), 128 + math.floor(point / 64) % 64, 128 + point % 64)
end

---Foreign text on one line of at most `max` characters.
---@param text any
---@param max integer
---@return string
function M.plain(text, max)
  if type(text) ~= "string" then return "" end
  -- Only a prefix, because searching a megabyte for one line is slow.
  local cut = #text > max * 4
  local visible = replaced(M.clean(text:sub(1, max * 4)), function() return " " end)
  local line = vim.trim((visible:gsub("%s+", " ")))
  if not cut and vim.fn.strchars(line) <= max then return line end
  return vim.fn.strcharpart(line, 0, max - 1) .. "…"
end

---Foreign text as lines of a buffer.
---@param text any
---@param max? integer Upper bound on the lines.
---@return string[]
function M.lines(text, max)
  local lines = vim.split(M.clean(text), "\n", { plain = true })
  while #lines > 1 and lines[#lines] == "" do
    lines[#lines] = nil
  end
  if max and #lines > max then
    local left = #lines - max
    lines = vim.list_slice(lines, 1, max)
    table.insert(lines, ("… %d more lines"):format(left))
  end
  return lines
end

---Escapes text for a status line, winbar or tab line, where `%` starts an item.
---@param text string
---@return string
function M.statusline(text) return (text:gsub("%%", "%%%%")) end

local MAX_NAME = 60

---The display name of a session: its name, or else the name of its directory.
---@param session areyouj.Session
---@return string
function M.name(session)
  local name = session.name or vim.fs.basename(session.directory)
  return M.plain(name ~= "" and name or session.directory, MAX_NAME)
end

---A path with the home directory as `~`.
---@param path string
---@return string
function M.path(path)
  local home = vim.uv.os_homedir() or ""
  if path == home then return "~" end
  if home ~= "" and vim.startswith(path, home .. "/") then return "~" .. path:sub(#home + 1) end
  return path
end

---Milliseconds since the epoch.
---@return integer
function M.now()
  local seconds, microseconds = vim.uv.gettimeofday()
  return seconds * 1000 + math.floor(microseconds / 1000) --[[@as integer]]
end

local SECOND, MINUTE, HOUR, DAY = 1000, 60000, 3600000, 86400000

---A duration in its one or two largest units: `42s`, `5m`, `3h 12m`, `2d 4h`.
---@param milliseconds number
---@return string
function M.duration(milliseconds)
  local whole = math.max(0, milliseconds)
  if whole < MINUTE then return math.floor(whole / SECOND) .. "s" end
  if whole < HOUR then return math.floor(whole / MINUTE) .. "m" end
  local large, small, names = HOUR, MINUTE, { "h", "m" }
  if whole >= DAY then
    large, small, names = DAY, HOUR, { "d", "h" }
  end
  local rest = math.floor(whole % large / small)
  return math.floor(whole / large) .. names[1] .. (rest > 0 and (" " .. rest .. names[2]) or "")
end

---A running duration: with seconds up to an hour.
---@param milliseconds number
---@return string
function M.since(milliseconds)
  if milliseconds < MINUTE or milliseconds >= HOUR then return M.duration(milliseconds) end
  return ("%dm %ds"):format(math.floor(milliseconds / MINUTE), math.floor(milliseconds % MINUTE / SECOND))
end

---The duration of a turn: with tenths of a second below ten seconds.
---@param milliseconds number
---@return string
function M.elapsed(milliseconds)
  if milliseconds < 10 * SECOND then return ("%.1fs"):format(math.max(0, milliseconds) / SECOND) end
  return M.since(milliseconds)
end

---A past moment in its largest unit: `just now`, `5m ago`, `2d ago`.
---@param at integer Milliseconds since the epoch.
---@param now? integer
---@return string
function M.ago(at, now)
  local passed = (now or M.now()) - at
  if passed < 5 * SECOND then return "just now" end
  return M.duration(passed):match("^%S+") .. " ago"
end

---US dollars. Less than a tenth of a cent counts as nothing.
---@param usd number
---@return string
function M.cost(usd)
  if usd < 0.001 then return "$0" end
  return (usd < 0.1 and "$%.3f" or "$%.2f"):format(usd)
end

---Tokens: `950`, `12k`, `1.2M`.
---@param count integer
---@return string
function M.tokens(count)
  if count < 1000 then return tostring(count) end
  if count < 999500 then return math.floor(count / 1000 + 0.5) .. "k" end
  return (("%.1fM"):format(count / 1000000):gsub("%.0M", "M"))
end

---How full the context window is, in percent; nil if Claude has not reported it.
---@param session areyouj.Session
---@return integer?
function M.context(session)
  local used, max = session.contextUsed, session.contextMax
  if not used or not max or max <= 0 then return nil end
  return math.min(100, math.max(0, math.floor(used / max * 100 + 0.5)))
end

---A number with its noun: `1 session`, `3 sessions`.
---@param number integer
---@param noun string
---@return string
function M.count(number, noun) return ("%d %s%s"):format(number, noun, number == 1 and "" or "s") end

---A size in bytes: `900 bytes`, `12 KB`, `1.2 MB`.
---@param bytes integer
---@return string
function M.size(bytes)
  if bytes < 1000 then return bytes .. " bytes" end
  if bytes < 1000000 then return math.floor(bytes / 1000 + 0.5) .. " KB" end
  return ("%.1f MB"):format(bytes / 1000000)
end

---Truncates a line to a width in screen columns.
---@param line string
---@param width integer
---@return string
function M.fit(line, width)
  if #line <= width or vim.fn.strdisplaywidth(line) <= width then return line end
  if width <= 1 then return width == 1 and "…" or "" end
  local cut = vim.fn.strcharpart(line, 0, width - 1)
  while vim.fn.strdisplaywidth(cut) > width - 1 do
    cut = vim.fn.strcharpart(cut, 0, vim.fn.strchars(cut) - 1)
  end
  return cut .. "…"
end

---Truncates or pads a line to a width in screen columns.
---@param line string
---@param width integer
---@param right? boolean Aligns to the right.
---@return string
function M.pad(line, width, right)
  local fitted = M.fit(line, width)
  local space = (" "):rep(width - vim.fn.strdisplaywidth(fitted))
  return right and space .. fitted or fitted .. space
end

---A random UUID, version 4.
---@return string
function M.uuid()
  local bytes = { vim.uv.random(16):byte(1, 16) } ---@type integer[]
  bytes[7] = bytes[7] % 16 + 64
  bytes[9] = bytes[9] % 64 + 128
  return (
    ("%02x"):rep(16):format(unpack(bytes)):gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
  )
end

---A fence longer than any run of backticks in the text, so that the text cannot close its own block.
---@param text string
---@return string
function M.fence(text)
  local longest = 2
  for run in text:gmatch("`+") do
    longest = math.max(longest, #run)
  end
  return ("`"):rep(longest + 1)
end

---An excerpt of a file as text for Claude.
---@param excerpt { path: string?, first: integer, last: integer, language: string, text: string }
---@return string
function M.excerpt(excerpt)
  local place = ""
  if excerpt.path then
    local range = excerpt.first == excerpt.last and ("#L%d"):format(excerpt.first)
      or ("#L%d-%d"):format(excerpt.first, excerpt.last)
    place = "@" .. excerpt.path .. range .. "\n"
  end
  local fence = M.fence(excerpt.text)
  return place .. fence .. excerpt.language .. "\n" .. excerpt.text:gsub("\n$", "") .. "\n" .. fence .. "\n"
end

return M
