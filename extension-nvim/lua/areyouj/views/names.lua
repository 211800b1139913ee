---Names of the plugin's buffers. They bring a buffer back by `:edit`, a session of the editor or a mark.
return {
  DASHBOARD = "areyouj://orchestration",
  AUTOMATION = "areyouj://automation/",
  SCREEN = "areyouj://terminal/",
  MESSAGE = "areyouj://message/",
  QUEUED = "areyouj://queued/",
}
