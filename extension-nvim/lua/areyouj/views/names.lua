---Names of the plugin's buffers. `:edit`, an editor session or a mark can open a buffer by its name.
return {
  DASHBOARD = "areyouj://orchestration",
  AUTOMATION = "areyouj://automation/",
  SCREEN = "areyouj://terminal/",
  MESSAGE = "areyouj://message/",
  QUEUED = "areyouj://queued/",
}
