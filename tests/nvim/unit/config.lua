local config = require("areyouj.config")
local same = require("lib.wait").same

return {
  tests = {
    {
      "valid options are merged with the defaults",
      function()
        local merged = config.merge({ view = "float", notify = { error = false } })
        same("given", merged.view, "float")
        same("inner", merged.notify, { waiting = true, error = false, refused = true, connection = true })
        same("default", merged.open, config.defaults.open)
        same("problems", config.problems({ view = "float" }), {})
      end,
    },
    {
      "invalid options are reported and replaced by their defaults",
      function()
        local new = { model = 7, driver = "pipe" }
        local given = { view = "window", icons = "yes", nonsense = 1, notify = true, new = new }
        same("problems", config.problems(given), {
          "icons must be a boolean, not a string",
          'new.driver must be one of stream, terminal, not "pipe"',
          "new.model must be a string, not a number",
          "nonsense is not an option; the options are attach, autostart, float, global_keys, icons, keys, new, notify, open, path, picker, view",
          "notify must be a table, not a boolean",
          'view must be one of tab, split, float, not "window"',
        })
        same("merged", config.merge(given), config.defaults)
        same("no table", config.problems(7), { "the configuration must be a table, not a number" })
      end,
    },
  },
}
