---Highlight groups, linked by default, so that a colour scheme or a person may define them.
local M = {}

---@type table<string, string>
M.groups = {
  AreYouJTitle = "Title",
  AreYouJHeader = "Comment",
  AreYouJDim = "Comment",
  AreYouJStarting = "DiagnosticInfo",
  AreYouJActive = "DiagnosticOk",
  AreYouJWaiting = "DiagnosticWarn",
  AreYouJIdle = "Normal",
  AreYouJError = "DiagnosticError",
  AreYouJTerminated = "Comment",
  AreYouJId = "Identifier",
  AreYouJPath = "Directory",
  AreYouJKey = "Special",
  AreYouJUser = "Title",
  AreYouJClaude = "Function",
  AreYouJTool = "Type",
  AreYouJThinking = "Comment",
  AreYouJCode = "String",
  AreYouJBold = "Bold",
  AreYouJBorder = "FloatBorder",
  AreYouJPrompt = "DiagnosticWarn",
  AreYouJAdded = "Added",
  AreYouJRemoved = "Removed",
}

function M.define()
  for name, target in pairs(M.groups) do
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
end

---Defines them, and again after a change of the colour scheme.
function M.setup()
  M.define()
  vim.api.nvim_create_autocmd("ColorScheme", {
    group = vim.api.nvim_create_augroup("areyouj.highlight", {}),
    callback = M.define,
  })
end

return M
