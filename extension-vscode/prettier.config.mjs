/** The format of everything here but Markdown and what is generated. */
export default {
  printWidth: 120,
  // In `html` templates white space is content: where `white-space: pre-wrap` holds, a line break more would be seen.
  embeddedLanguageFormatting: "off",
};
