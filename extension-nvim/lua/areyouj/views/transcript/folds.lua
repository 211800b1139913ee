---Opens or closes the folds of new blocks, also of those that arrive while Neovim updates no folds.

---@class areyouj.NewFold
---@field block areyouj.Block
---@field open boolean

---@class areyouj.Folds
---@field private buffer integer
---@field private row_of fun(block: areyouj.Block): integer? The row of a block, while it exists.
---@field private waiting areyouj.NewFold[] Folds that arrived while Neovim updated none.
local Folds = {}
Folds.__index = Folds

---@param buffer integer
---@param row_of fun(block: areyouj.Block): integer?
---@return areyouj.Folds
local function new(buffer, row_of) return setmetatable({ buffer = buffer, row_of = row_of, waiting = {} }, Folds) end

---Opens or closes new folds. By default, Neovim gives a new fold the state of the fold before it.
---@param folds areyouj.NewFold[]
function Folds:add(folds)
  if #folds == 0 then return end
  -- In insert mode, Neovim updates no folds, in no window.
  if vim.fn.mode():match("^[iR]") then
    vim.list_extend(self.waiting, folds)
    return
  end
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    vim.api.nvim_win_call(window, function()
      for _, fold in ipairs(folds) do
        local row = self.row_of(fold.block)
        if row then pcall(vim.cmd[fold.open and "foldopen" or "foldclose"], { range = { row + 1 } }) end
      end
    end)
  end
end

---Opens or closes the waiting folds, after insert mode.
function Folds:catch_up()
  if #self.waiting == 0 then return end
  local folds = self.waiting
  self.waiting = {}
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    vim.wo[window][0].foldmethod = "expr"
  end
  self:add(folds)
end

return { new = new }
