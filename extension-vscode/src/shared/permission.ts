/** The words for a permission request, by its kind: on its card and in messages. */

export const DENY = { tool: "Deny", question: "Don't answer", plan: "Keep planning", trust: "Deny" };
