/**
 * Characters in which something can hide: controls, marks of writing direction, tags, variation selectors and everything
 * else that has no visible form. Line breaks and tabs are not among them.
 */
export const HIDDEN =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- the expression matches exactly these
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** Those that do harm in any text: controls, marks of writing direction, separators and tags. */
export const HARMFUL =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- the expression matches exactly these
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
