/** Claude's questions with their choices. */
import { listOf, member, textOf } from "../ui/json";

export interface Question {
  question: string;
  header: string;
  options: { label: string; description: string }[];
  multiSelect: boolean;
}

/** The answer to one question so far. */
export interface Choice {
  labels: string[];
  /** The person's own words. */
  own: string;
}

/** The questions in the input of a permission request. An invalid one keeps its place, because answers go by order. */
export function questionsOf(input: unknown): Question[] {
  return listOf(input, "questions").map((value) => ({
    question: textOf(value, "question") ?? "",
    header: textOf(value, "header") ?? "",
    options: listOf(value, "options").map((option) => ({
      label: textOf(option, "label") ?? "",
      description: textOf(option, "description") ?? "",
    })),
    multiSelect: member(value, "multiSelect") === true,
  }));
}

/** The answer in the daemon's form, or null while a question has none. Own words replace a single choice. */
export function choicesOf(questions: readonly Question[], choices: readonly Choice[]): string[][] | null {
  const answers = questions.map((question, index) => {
    const { labels, own } = choices[index] ?? { labels: [], own: "" };
    const words = own.trim();
    if (!question.multiSelect) return words ? [words] : labels.slice(0, 1);
    return words ? [...labels, words] : labels;
  });
  return answers.length > 0 && answers.every((answer) => answer.length > 0) ? answers : null;
}
