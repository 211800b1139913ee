-- The tool call that a permission request is about, and the plan in that call if the request does not contain it.
ALTER TABLE permissions ADD COLUMN tool_use_id TEXT;
ALTER TABLE permissions ADD COLUMN plan TEXT;
