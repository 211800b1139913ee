import { ask } from "../notify/window";

/** Asks a person to confirm an action by the button that names it. */
export async function confirmed(question: string, detail: string, button: string): Promise<boolean> {
  return (await ask(question, detail, button)) === button;
}
