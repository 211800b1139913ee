-- A Neovim without the plugin, with its own language client: it creates a session, answers a permission request and sends a
-- selection. Prints one line of JSON at the end. Arguments: the program, the project.
local program, project = arg[1], arg[2]
local seen = { progress = {}, prompts = {} }

-- Chooses the first option.
vim.ui.select = function(items, options, choose) -- luacheck: ignore 122
  table.insert(
    seen.prompts,
    { prompt = options.prompt, choices = vim.tbl_map(function(item) return item.title end, items) }
  )
  choose(items[1])
end
vim.api.nvim_create_autocmd("LspProgress", {
  callback = function(event) table.insert(seen.progress, event.data.params.value.kind) end,
})

local function until_true(what, holds)
  assert(vim.wait(60000, holds, 20), what .. " did not happen: " .. vim.inspect(seen))
end

vim.cmd.edit(project .. "/code.lua")
local client_id = assert(vim.lsp.start({ name = "areyouj", cmd = { program, "lsp" }, root_dir = project }))
local client = assert(vim.lsp.get_client_by_id(client_id))
until_true("the initialization", function() return client.initialized end)

local function call(method, params)
  local answer = assert(client:request_sync(method, params, 60000, vim.api.nvim_get_current_buf()))
  assert(not answer.err, vim.inspect(answer.err))
  return answer.result
end

local created = call("workspace/executeCommand", {
  command = "areyouj.lsp.newSession",
  arguments = { { message = "run: touch made" } },
})
seen.session = created.session.id
until_true("the allowed command", function() return vim.uv.fs_stat(project .. "/made") ~= nil end)
until_true("the end of the start", function() return vim.tbl_contains(seen.progress, "end") end)

-- The text is not saved: the session must receive the contents of the buffer.
vim.api.nvim_buf_set_lines(0, 0, -1, false, { "local one = 1", "return one" })
local range = { start = { line = 1, character = 0 }, ["end"] = { line = 2, character = 0 } }
local actions = call("textDocument/codeAction", {
  textDocument = { uri = vim.uri_from_bufnr(0) },
  range = range,
  context = { diagnostics = {} },
})
seen.actions = vim.tbl_map(function(action) return action.title end, actions)
local message =
  call("workspace/executeCommand", { command = actions[1].command.command, arguments = actions[1].command.arguments })
seen.message = message.id
io.write(vim.json.encode(seen), "\n")
