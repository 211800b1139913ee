---Paths as text. Neovim's functions for file names expand variables, wildcards and backticks: with them, the name of a
---directory can run a command. The functions here expand nothing but `~` and variables that a person types.
local M = {}

---Upper bound on the names offered for one completion; another typed letter narrows them.
local MAX_NAMES = 200

---@param path string
---@return string
local function absolute(path)
  if not vim.startswith(path, "/") and not vim.startswith(path, "~") then path = vim.fn.getcwd() .. "/" .. path end
  return vim.fs.normalize(path, { expand_env = false })
end

---The absolute path of a directory that a person typed. `~` is the home directory. Variables such as `$HOME` are replaced
---unless a directory has that very name.
---@param typed string
---@return string
function M.typed(typed)
  local literal = absolute(typed)
  if not typed:find("$", 1, true) or vim.uv.fs_stat(literal) then return literal end
  return absolute((typed:gsub("%$([%w_]+)", vim.env)))
end

---@param directory string
---@param name string
---@param kind string
---@return boolean
local function is_directory(directory, name, kind)
  if kind ~= "link" then return kind == "directory" end
  local stat = vim.uv.fs_stat(directory .. "/" .. name)
  return stat ~= nil and stat.type == "directory"
end

---The paths that begin with a text, sorted; directories end with a slash. Hidden names need their dot, and names with
---control characters are left out.
---@param typed string As a person typed it; the paths begin with it.
---@param only_directories boolean
---@param from? string The directory that relative paths start from; the working directory if left out.
---@return string[]
local function complete(typed, only_directories, from)
  local folder = typed:match("^.*/") or ""
  local prefix = typed:sub(#folder + 1)
  local directory = from and absolute(from .. "/" .. folder) or M.typed(folder == "" and "." or folder)
  local listing, found = vim.uv.fs_scandir(directory), {}
  while listing do
    local name, kind = vim.uv.fs_scandir_next(listing)
    if not name then break end
    local hidden = vim.startswith(name, ".") and not vim.startswith(prefix, ".")
    if vim.startswith(name, prefix) and not hidden and not name:find("%c") then
      local into = is_directory(directory, name, kind)
      if into or not only_directories then table.insert(found, folder .. name .. (into and "/" or "")) end
    end
  end
  table.sort(found)
  return vim.list_slice(found, 1, MAX_NAMES)
end

---The directories whose paths begin with a text.
---@param typed string
---@return string[]
function M.directories(typed) return complete(typed, true) end

---The files and directories below a directory whose paths, relative to it, begin with a text.
---@param typed string
---@param directory string
---@return string[]
function M.files(typed, directory) return complete(typed, false, directory) end

---What completes `M.directories` in |input()|.
M.INPUT_COMPLETION = "customlist,v:lua.require'areyouj.paths'.directories"

return M
