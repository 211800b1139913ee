---Text of others, made safe to show, and words for what sessions are.
local M = {}

---Marks that change the direction or the look of the text around them, and other invisible characters, by code point.
local INVISIBLE = {
  { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
  { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
}

---The UTF-8 characters of code points above ASCII whose first byte may begin an invisible one.
local SUSPECT = "[\194\216\226\239][\128-\191]+"

---@param character string One suspect sequence, possibly of more bytes than its character has.
---@return string
local function visible(character)
  local length = character:byte() < 0xe0 and 2 or 3
  local head, rest = character:sub(1, length), character:sub(length + 1)
  local ok, point = pcall(vim.fn.char2nr, head)
  if not ok then return character end
  for _, range in ipairs(INVISIBLE) do
    if point >= range[1] and point <= range[2] then return " " .. rest end
  end
  return character
end

---Takes out control characters, escape sequences and marks of direction; line breaks and tabs stay.
---@param text any
---@return string
function M.clean(text)
  if type(text) ~= "string" then return "" end
  text = text:gsub("\27%[[0-?]*[ -/]*[@-~]", ""):gsub("\27%][^\7\27]*[\7\27]?\\?", "")
  text = text:gsub("\r\n", "\n"):gsub("[%z\1-\8\11-\31\127]", " ")
  if text:find("[\194\216\226\239]") then text = text:gsub(SUSPECT, visible) end
  return text
end

---Text of others on one line, at most so many characters.
---@param text any
---@param max integer
---@return string
function M.plain(text, max)
  if type(text) ~= "string" then return "" end
  -- A prefix first, so that a megabyte is not searched for the sake of a line.
  local cut = #text > max * 4
  local line = vim.trim((M.clean(text:sub(1, max * 4)):gsub("%s+", " ")))
  if not cut and vim.fn.strchars(line) <= max then return line end
  return vim.fn.strcharpart(line, 0, max - 1) .. "…"
end

---Text of others as lines of a buffer.
---@param text any
---@param max? integer At most so many lines.
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

---Text for a status line, winbar or tab line, where `%` begins an item.
---@param text string
---@return string
function M.statusline(text) return (text:gsub("%%", "%%%%")) end

local MAX_NAME = 60

---What a session is called: its name, or else its directory's.
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
  return seconds * 1000 + math.floor(microseconds / 1000)
end

---How long ago something was, in words.
---@param at integer Milliseconds since the epoch.
---@param now? integer
---@return string
function M.ago(at, now)
  local seconds = math.max(0, math.floor(((now or M.now()) - at) / 1000))
  if seconds < 5 then return "just now" end
  if seconds < 60 then return seconds .. "s ago" end
  if seconds < 3600 then return math.floor(seconds / 60) .. "m ago" end
  if seconds < 86400 then return math.floor(seconds / 3600) .. "h ago" end
  return math.floor(seconds / 86400) .. "d ago"
end

---A duration in words.
---@param milliseconds integer
---@return string
function M.duration(milliseconds)
  if milliseconds < 1000 then return milliseconds .. " ms" end
  if milliseconds < 60000 then return ("%.1f s"):format(milliseconds / 1000) end
  return ("%d m %d s"):format(math.floor(milliseconds / 60000), math.floor(milliseconds / 1000) % 60)
end

---What a person sees of a status: a word, a symbol, the same in ASCII, and a highlight group.
---@type table<areyouj.Status, { word: string, icon: string, ascii: string, group: string }>
M.status = {
  starting = { word = "starting", icon = "◌", ascii = "~", group = "AreYouJStarting" },
  active = { word = "active", icon = "●", ascii = "*", group = "AreYouJActive" },
  waiting = { word = "waiting for you", icon = "◆", ascii = "?", group = "AreYouJWaiting" },
  idle = { word = "idle", icon = "○", ascii = "-", group = "AreYouJIdle" },
  error = { word = "error", icon = "✗", ascii = "x", group = "AreYouJError" },
  terminated = { word = "terminated", icon = "·", ascii = ".", group = "AreYouJTerminated" },
}

---@param status string
---@return { word: string, icon: string, ascii: string, group: string }
function M.status_of(status)
  return M.status[status] or { word = M.plain(status, 20), icon = "○", ascii = "-", group = "AreYouJIdle" }
end

---A random UUID, version 4.
---@return string
function M.uuid()
  local bytes = { vim.uv.random(16):byte(1, 16) }
  bytes[7] = bytes[7] % 16 + 64
  bytes[9] = bytes[9] % 64 + 128
  return (("%02x"):rep(16):format(unpack(bytes)):gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-"))
end

---A fence longer than any run of backticks inside, so that the text cannot end its own block.
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
