---Highlight groups. They are default links, so that a colour scheme or a user can redefine them.
local M = {}

---@type table<string, string>
M.groups = {
  AreYouJTitle = "Title",
  AreYouJHeader = "Statement",
  AreYouJDim = "Comment",
  AreYouJCrumb = "Directory",
  AreYouJStarting = "DiagnosticInfo",
  AreYouJActive = "DiagnosticInfo",
  AreYouJWaiting = "DiagnosticWarn",
  AreYouJIdle = "DiagnosticOk",
  AreYouJError = "DiagnosticError",
  AreYouJTerminated = "Comment",
  AreYouJId = "Identifier",
  AreYouJPath = "Directory",
  AreYouJKey = "Special",
  AreYouJUser = "CursorLine",
  AreYouJTool = "Function",
  AreYouJCommand = "String",
  AreYouJOutput = "Comment",
  AreYouJThinking = "Comment",
  AreYouJCode = "String",
  AreYouJFence = "Comment",
  AreYouJHeading = "Title",
  AreYouJQuote = "Comment",
  AreYouJBullet = "Special",
  AreYouJLink = "Underlined",
  AreYouJBold = "@markup.strong",
  AreYouJBorder = "FloatBorder",
  AreYouJPrompt = "DiagnosticWarn",
  AreYouJAllowed = "DiagnosticOk",
  AreYouJRefused = "DiagnosticWarn",
  AreYouJAdded = "Added",
  AreYouJRemoved = "Removed",
  AreYouJMark = "DiagnosticWarn",
  AreYouJDanger = "ErrorMsg",
}

function M.define()
  for name, target in pairs(M.groups) do
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
end

---Defines the groups now and after each change of the colour scheme.
function M.setup()
  M.define()
  vim.api.nvim_create_autocmd("ColorScheme", {
    group = vim.api.nvim_create_augroup("areyouj.highlight", {}),
    callback = M.define,
  })
end

return M
