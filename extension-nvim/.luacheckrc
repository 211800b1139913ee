std = "luajit"
max_line_length = false
read_globals = { "vim" }
globals = { "vim.g", "vim.b", "vim.bo", "vim.wo", "vim.o", "vim.opt", "vim.env", "vim.ui" }
-- Unused arguments document the signature of a callback.
unused_args = false
