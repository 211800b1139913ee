-- Every text of the plugin that a person may read, in one file, so that a change of words is reviewed in one diff.
local here = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2))
local root = vim.fs.normalize(here .. "/../../../extension-nvim")
local snapshot = here .. "/strings.txt"

local query = vim.treesitter.query.parse("lua", "(string content: (string_content) @text)")

---@param text string
---@return boolean
local function is_prose(text)
  if vim.startswith(text, "lua/") or text:find("areyouj.views", 1, true) then return false end
  return text:find("%a%a+[.,:;]? +%S") ~= nil or text:find("^%u%l+[.:…]?%s?$") ~= nil
end

---The texts in a file, in order.
---@param source string
---@return string[]
local function texts(source)
  local found = {}
  local tree = vim.treesitter.get_string_parser(source, "lua"):parse()[1]
  for _, node in query:iter_captures(tree:root(), source) do
    local text = vim.treesitter.get_node_text(node, source)
    if is_prose(text) then table.insert(found, text) end
  end
  return found
end

---@return string[]
local function all()
  local lines, paths = {}, {}
  for name, kind in vim.fs.dir(root, { depth = 10 }) do
    local code = kind == "file" and name:match("%.lua$") and not vim.startswith(name, "types/")
    -- Generated types and names of groups are not prose.
    if code and not name:find("_meta/", 1, true) and not name:find("highlight", 1, true) then
      table.insert(paths, name)
    end
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local found = texts(table.concat(vim.fn.readfile(root .. "/" .. path), "\n"))
    if #found > 0 then
      vim.list_extend(lines, { "", "# " .. path })
      vim.list_extend(lines, found)
    end
  end
  return vim.list_slice(lines, 2)
end

return {
  tests = {
    {
      "every text is as it was reviewed; AREYOUJ_ACCEPT=1 accepts the present ones",
      function()
        local now = all()
        if vim.env.AREYOUJ_ACCEPT then vim.fn.writefile(now, snapshot) end
        local before = table.concat(vim.fn.readfile(snapshot), "\n")
        local diff = vim.diff(before .. "\n", table.concat(now, "\n") .. "\n")
        assert(diff == "", "texts differ from tests/nvim/unit/strings.txt:\n" .. diff)
      end,
    },
  },
}
