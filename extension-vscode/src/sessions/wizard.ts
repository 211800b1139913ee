import * as vscode from "vscode";

/** One question of several. */
export type Step =
  | { kind: "text"; placeholder: string; prompt: string; check: (value: string) => string | null }
  | {
      kind: "choice";
      placeholder: string;
      choices: { value: string; label: string; description: string }[];
      /** The label that offers the typed text as a choice; null if only the choices are allowed. */
      free: ((value: string) => string) | null;
    };

/** Asks all questions one after the other, with a way back. Returns the answers, or null if the person cancelled. */
export async function askInSteps(title: string, steps: Step[]): Promise<string[] | null> {
  const answers: string[] = [];
  for (let index = 0; index < steps.length;) {
    const step = steps[index] as Step;
    const input = step.kind === "text" ? textInput(step, answers[index] ?? "") : choiceInput(step, answers[index]);
    input.title = title;
    input.step = index + 1;
    input.totalSteps = steps.length;
    // A person can look something up in another window before typing a message to Claude.
    input.ignoreFocusOut = true;
    const answer = await asked(input, index > 0, () => valueOf(step, input));
    if (answer === "left") return null;
    if (answer === "back") index--;
    else answers[index++] = answer.value;
  }
  return answers;
}

type Input = vscode.InputBox | vscode.QuickPick<Choice>;
type Choice = vscode.QuickPickItem & { value: string };

function textInput(step: Step & { kind: "text" }, value: string): vscode.InputBox {
  const input = vscode.window.createInputBox();
  input.placeholder = step.placeholder;
  input.prompt = step.prompt;
  input.value = value;
  input.onDidChangeValue((typed) => {
    input.validationMessage = step.check(typed) ?? undefined;
  });
  return input;
}

function choiceInput(step: Step & { kind: "choice" }, value: string | undefined): vscode.QuickPick<Choice> {
  const input = vscode.window.createQuickPick<Choice>();
  const items = step.choices.map(({ value: chosen, label, description }): Choice => ({
    value: chosen,
    label,
    description,
  }));
  const offer = (typed: string): void => {
    const own = typed.trim();
    const added =
      step.free === null || own === "" || items.some((item) => item.value === own)
        ? []
        : [{ value: own, label: step.free(own), alwaysShow: true }];
    input.items = [...items, ...added];
  };
  input.placeholder = step.placeholder;
  offer("");
  const before = items.find((item) => item.value === value);
  if (before !== undefined) input.activeItems = [before];
  input.onDidChangeValue(offer);
  return input;
}

function valueOf(step: Step, input: Input): string | null {
  if ("items" in input) return input.activeItems[0]?.value ?? null;
  return step.kind === "text" && step.check(input.value) !== null ? null : input.value;
}

function asked(
  input: Input,
  hasBack: boolean,
  value: () => string | null,
): Promise<{ value: string } | "back" | "left"> {
  if (hasBack) input.buttons = [vscode.QuickInputButtons.Back];
  return new Promise((resolve) => {
    input.onDidTriggerButton(() => {
      resolve("back");
      input.dispose();
    });
    input.onDidAccept(() => {
      const answer = value();
      if (answer === null) return;
      resolve({ value: answer });
      input.dispose();
    });
    // Disposal hides the input too; the promise is already resolved then.
    input.onDidHide(() => {
      resolve("left");
      input.dispose();
    });
    input.show();
  });
}
