/** The questions that Claude asks with choices. */
import { listOf, member, textOf } from "../ui/json";

/** One question. */
export interface Question {
  question: string;
  header: string;
  options: { label: string; description: string }[];
  multiSelect: boolean;
}

/** What a person has chosen so far for one question. */
export interface Choice {
  labels: string[];
  /** Words of one's own. */
  own: string;
}

/** The questions in the input of a prompt. Every element of the list stands for one, for answers go by their order. */
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

/** The answer as the daemon takes it, or null while a question has none. Own words stand instead of a single choice. */
export function choicesOf(questions: readonly Question[], choices: readonly Choice[]): string[][] | null {
  const answers = questions.map((question, index) => {
    const { labels, own } = choices[index] ?? { labels: [], own: "" };
    const words = own.trim();
    if (!question.multiSelect) return words ? [words] : labels.slice(0, 1);
    return words ? [...labels, words] : labels;
  });
  return answers.length > 0 && answers.every((answer) => answer.length > 0) ? answers : null;
}
