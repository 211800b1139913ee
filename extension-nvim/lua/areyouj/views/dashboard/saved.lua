---Choices of a person that outlive Neovim, in a file of its state directory.
local M = {}

local function path() return vim.fn.stdpath("state") .. "/areyouj.json" end

---@return table
local function all()
  local file = io.open(path(), "r")
  if not file then return {} end
  local ok, saved = pcall(vim.json.decode, file:read("*a") or "")
  file:close()
  return ok and type(saved) == "table" and saved or {}
end

---@param name string
---@return table
function M.read(name)
  local saved = all()[name]
  return type(saved) == "table" and saved or {}
end

---Saves a choice. If the file is not writable, the choice is lost.
---@param name string
---@param choice table
function M.write(name, choice)
  local saved = all()
  saved[name] = choice
  vim.fn.mkdir(vim.fn.stdpath("state") --[[@as string]], "p")
  local file = io.open(path(), "w")
  if not file then return end
  file:write(vim.json.encode(saved))
  file:close()
end

return M
