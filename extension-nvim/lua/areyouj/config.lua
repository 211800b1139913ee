---The configuration of the user: validated, with defaults.
local M = {}

---@class areyouj.Config
---@field path? string The `areyouj` program. Default: the one on PATH.
---@field autostart boolean Connect when Neovim starts instead of with the first command.
---@field attach boolean Attach the language client to file buffers, for code actions.
---@field view "tab"|"split"|"float" Where the dashboard opens.
---@field open "current"|"tab"|"split"|"vsplit" Where a session opens.
---@field float boolean Show permission requests in a float in the corner.
---@field notify areyouj.NotifyConfig Which alerts `vim.notify` shows.
---@field picker "auto"|"select"|"telescope"|"fzf-lua"|"snacks" The picker for sessions.
---@field keys boolean Map keys in the plugin's buffers.
---@field global_keys boolean Map `]a` and `[a` in all buffers instead of only in the plugin's.
---@field icons boolean Use symbols outside ASCII.
---@field new areyouj.NewConfig Defaults of new sessions.

---@class areyouj.NotifyConfig
---@field waiting boolean A session needs an answer or a decision.
---@field error boolean A session stopped with an error.
---@field refused boolean AreYouJ refused something to a process inside a session.
---@field connection boolean The connection failed.

---@class areyouj.NewConfig
---@field driver areyouj.Driver
---@field model? string
---@field permission_mode? string

---@type areyouj.Config
M.defaults = {
  path = nil,
  autostart = false,
  attach = true,
  view = "tab",
  open = "current",
  float = true,
  notify = { waiting = true, error = true, refused = true, connection = true },
  picker = "auto",
  keys = true,
  global_keys = false,
  icons = true,
  new = { driver = "stream", model = nil, permission_mode = nil },
}

---The valid values of an option: a type, or a list of words.
---@type table<string, string|string[]|table>
local SCHEMA = {
  path = "string",
  autostart = "boolean",
  attach = "boolean",
  view = { "tab", "split", "float" },
  open = { "current", "tab", "split", "vsplit" },
  float = "boolean",
  notify = { fields = { waiting = "boolean", error = "boolean", refused = "boolean", connection = "boolean" } },
  picker = { "auto", "select", "telescope", "fzf-lua", "snacks" },
  keys = "boolean",
  global_keys = "boolean",
  icons = "boolean",
  new = { fields = { driver = { "stream", "terminal" }, model = "string", permission_mode = "string" } },
}

---@param shape table<string, any>
---@return string
local function names(shape)
  local found = vim.tbl_keys(shape)
  table.sort(found)
  return table.concat(found, ", ")
end

---@param value any
---@param shape any
---@param name string
---@param problems string[]
local function check(value, shape, name, problems)
  if type(shape) == "string" then
    if type(value) ~= shape then
      table.insert(problems, ("%s must be a %s, not a %s"):format(name, shape, type(value)))
    end
  elseif shape.fields then
    if type(value) ~= "table" then
      table.insert(
        problems,
        ("%s must be a table, not a %s"):format(name == "" and "the configuration" or name, type(value))
      )
      return
    end
    for key, inner in pairs(value) do
      local expected = shape.fields[key]
      local path = name == "" and tostring(key) or (name .. "." .. tostring(key))
      if expected then
        check(inner, expected, path, problems)
      else
        table.insert(problems, ("%s is not an option; the options are %s"):format(path, names(shape.fields)))
      end
    end
  elseif not vim.tbl_contains(shape, value) then
    table.insert(problems, ("%s must be one of %s, not %s"):format(name, table.concat(shape, ", "), vim.inspect(value)))
  end
end

---The problems of a configuration, one sentence each.
---@param given any
---@return string[]
function M.problems(given)
  local problems = {}
  check(given, { fields = SCHEMA }, "", problems)
  table.sort(problems)
  return problems
end

---The configuration with defaults. Invalid options are replaced by their defaults.
---@param given any
---@return areyouj.Config
function M.merge(given)
  local function merge(defaults, fields, value)
    local merged = vim.deepcopy(defaults)
    for key, inner in pairs(type(value) == "table" and value or {}) do
      local shape, problems = fields[key], {}
      if shape and type(shape) == "table" and shape.fields then
        merged[key] = merge(defaults[key], shape.fields, inner)
      elseif shape then
        check(inner, shape, key, problems)
        if #problems == 0 then merged[key] = inner end
      end
    end
    return merged
  end
  return merge(M.defaults, SCHEMA, given)
end

---@type areyouj.Config?
local current = nil
---@type any The configuration before validation.
local given_config = nil

---Sets the configuration. Invalid options are reported and replaced by their defaults.
---@param given? any
---@return areyouj.Config
function M.set(given)
  given = given == nil and {} or given
  given_config = given
  local problems = M.problems(given)
  if #problems > 0 then
    local text = "AreYouJ: " .. table.concat(problems, "\nAreYouJ: ")
    vim.schedule(function() vim.notify(text, vim.log.levels.WARN, { title = "AreYouJ" }) end)
  end
  current = M.merge(given)
  return current
end

---The configuration before validation.
---@return any
function M.given()
  M.get()
  return given_config
end

---The configuration of `setup()`, or else of `vim.g.areyouj`.
---@return areyouj.Config
function M.get() return current or M.set(vim.g.areyouj) end

return M
