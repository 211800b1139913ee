---What a person chose, kept from one Neovim to the next.
local M = {}

local function path() return vim.fn.stdpath("state") .. "/areyouj.json" end

---@return table
local function all()
  local file = io.open(path(), "r")
  if not file then return {} end
  local ok, kept = pcall(vim.json.decode, file:read("*a") or "")
  file:close()
  return ok and type(kept) == "table" and kept or {}
end

---@param name string
---@return table
function M.read(name)
  local kept = all()[name]
  return type(kept) == "table" and kept or {}
end

---Keeps a choice. A place that cannot be written forgets it.
---@param name string
---@param choice table
function M.write(name, choice)
  local kept = all()
  kept[name] = choice
  vim.fn.mkdir(vim.fn.stdpath("state") --[[@as string]], "p")
  local file = io.open(path(), "w")
  if not file then return end
  file:write(vim.json.encode(kept))
  file:close()
end

return M
