std = "luajit"
max_line_length = false
read_globals = { "vim" }
globals = { "vim.g", "vim.b", "vim.bo", "vim.wo", "vim.o", "vim.opt", "vim.env", "vim.ui" }
-- Arguments that a callback gets and does not need say what it could use.
unused_args = false
