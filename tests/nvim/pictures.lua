-- Makes the pictures of the README from real sessions in a real terminal, on a virtual screen.
local here = vim.fs.dirname(vim.fn.fnamemodify(arg[0], ":p"))
package.path = here .. "/?.lua;" .. package.path

local Home = require("lib.home")
local Terminal = require("lib.terminal")
local cleanup = require("lib.cleanup")
local wait = require("lib.wait")

local out = vim.fs.normalize(vim.fn.fnamemodify(arg[1] or (here .. "/../../extension-nvim/docs"), ":p"))
local COLUMNS, LINES = 118, 32
local DISPLAY = ":" .. (90 + vim.fn.getpid() % 9)

local function start(command)
  local process = vim.system(command, { env = { DISPLAY = DISPLAY } })
  cleanup.later(function()
    process:kill("sigterm")
    process:wait(5000)
  end)
  return process
end

---Takes a picture once the screen is stable.
local function take(terminal, name)
  local before
  wait.until_true("a stable screen", function()
    local screen = terminal:screen():gsub("[⠀-⣿]", "")
    local stable = screen == before
    before = screen
    vim.wait(300, function() return false end)
    return stable
  end)
  local file = ("%s/%s.png"):format(out, name)
  local done = vim
    .system({
      "import",
      "-display",
      DISPLAY,
      "-window",
      "root",
      "-trim",
      "-strip",
      "+dither",
      "-colors",
      "48",
      "PNG8:" .. file,
    })
    :wait()
  assert(done.code == 0, done.stderr)
  io.stdout:write(file, "\n")
end

vim.fn.mkdir(out, "p")
start({ "Xvfb", DISPLAY, "-screen", "0", "1200x800x24", "-nolisten", "tcp" })
wait.until_true("the screen", function() return vim.uv.fs_stat("/tmp/.X11-unix/X" .. DISPLAY:sub(2)) end)

local home = Home.open({ projects = { "parser", "website", "release", "docs" } })
local parser = home:idle("parser", "--name", "parser")
vim.fn.writefile({ "fn main() {", '    println!("hello");', "}" }, home.projects.parser .. "/main.rs")
home:on("Which tests fail, and why?", "think: the tests that fail")
home:say(parser, "Which tests fail, and why?")
home:on("Count the lines of main.rs.", "run: wc -l main.rs && cat main.rs")
home:say(parser, "Count the lines of main.rs.")
home:on("Format it.", "run: touch formatted")
home:run("send", parser, "Format it.")
home:wait(parser, "waiting")
home:run("allow", home:json("permissions", parser)[1].id)
home:wait(parser, "idle")
home:say(parser, "What is left to do?\n\n1. **Handle** `Token::End`\n2. Test it")
local website = home:idle("website", "--name", "website")
home:on("Deploy the preview and wait until it is up", "hold: deploy")
home:run("send", website, "Deploy the preview and wait until it is up")
home:run("send", website, "Then check every link on the page")
home:run("send", website, "And write the release notes")
home:idle("docs")
local release = home:idle("release", "--name", "release 2.0")

local terminal = Terminal.open(home, {
  project = "parser",
  columns = COLUMNS,
  lines = LINES,
  arguments = { "--cmd", "set background=dark laststatus=2 showtabline=0 noshowcmd noruler" },
})
terminal:tmux("set", "-g", "status", "off")
terminal:tmux("set", "-g", "default-terminal", "xterm-256color")
terminal:tmux("set", "-ga", "terminal-overrides", ",xterm*:Tc")
start({
  "xterm",
  "-fa",
  "DejaVu Sans Mono",
  "-fs",
  "10",
  "-geometry",
  COLUMNS .. "x" .. LINES,
  "-bg",
  "#14161b",
  "-fg",
  "#e0e2ea",
  "-b",
  "6",
  "+sb",
  "-e",
  "tmux",
  "-u",
  "-S",
  terminal.socket,
  "attach",
})

terminal:type(":AreYouJ")
terminal:press("Enter")
terminal:shows("website")
home:on("Publish 2.0", "run: git tag v2.0 && git push --tags && ./publish --all")
home:run("send", release, "Publish 2.0")
terminal:shows("publish")
take(terminal, "dashboard")

terminal:type(":AreYouJ permissions")
terminal:press("Enter")
terminal:shows("a allow")
terminal:type("A")
terminal:shows("from now on")
take(terminal, "permission")
terminal:type("d")
terminal:hides("from now on")

terminal:type("/parser")
terminal:press("Enter", "Enter")
terminal:shows("Automation")
terminal:shows("Done")
terminal:type("zRG")
take(terminal, "automation")
terminal:type("g?")
terminal:shows("Write a message")
take(terminal, "help")
terminal:type("q")
terminal:hides("Write a message")

local tests = home:idle("parser", "--driver", "terminal", "--permission-mode", "default", "--name", "tests")
home:on("Why does the lexer test fail?", "slow: 0 The lexer never ends: it has no branch for `Token::End`.")
home:say(tests, "Why does the lexer test fail?")
terminal:type(":AreYouJ open " .. tests)
terminal:press("Enter")
terminal:shows("? for shortcuts")
home:on("Fix it and run the tests.", "run: cargo test lexer")
terminal:type("Fix it and run the tests.")
terminal:shows("Fix it and run")
terminal:press("Enter")
terminal:shows("Do you want to proceed?")
terminal:shows("Answer with :AreYouJ permissions")
take(terminal, "terminal")
home:run("deny", home:json("permissions", tests)[1].id)
home:wait(tests, "idle")
home:release("deploy")
home:wait(website, "idle")
cleanup.all()
os.exit(0)
