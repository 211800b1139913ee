/** Claude's questions with their choices, found in the sections of the display. */
import type { DisplaySection } from "../../src/protocol.gen";
import { listOf, member } from "../ui/json";
import { exactTextOf } from "./exact";

/** A section of a question, or the sections of one of its choices. */
export type Part =
  | { kind: "section"; section: DisplaySection }
  | { kind: "choice"; label: string; section: DisplaySection; details: DisplaySection[] };

/** A question with everything that it displays, in order. */
export interface Question {
  parts: Part[];
  /** The words by which a screen reader names the question: what is displayed, with its marks. */
  words: string;
  multiSelect: boolean;
}

/** The answer to one question so far. */
export interface Choice {
  labels: string[];
  /** The person's own words. */
  own: string;
}

const QUESTION = /^\/questions\/(\d+)(?:\/|$)/;
const OPTION = /^\/questions\/\d+\/options\/(\d+)\//;

/**
 * The questions of a request, and the sections that belong to none. An invalid question keeps its place, because answers
 * go by order.
 */
export function questionsOf(
  display: readonly DisplaySection[],
  input: unknown,
): { questions: Question[]; before: DisplaySection[]; after: DisplaySection[] } {
  const questions = listOf(input, "questions").map((value): Question => ({
    parts: [],
    words: "",
    multiSelect: member(value, "multiSelect") === true,
  }));
  const before: DisplaySection[] = [];
  const after: DisplaySection[] = [];
  let current: Question | null = null;
  for (const section of display) {
    const { pointer = "" } = section;
    const place = QUESTION.exec(pointer)?.[1];
    const question: Question | undefined = place === undefined ? undefined : questions[Number(place)];
    // A section without a place of its own, such as a detail with an unusual name, stays where it is in the display.
    current = question ?? (pointer === "" ? current : null);
    if (current !== null) addTo(current, section);
    else (questions.every(({ parts }) => parts.length === 0) ? before : after).push(section);
  }
  return { questions, before, after };
}

function addTo(question: Question, section: DisplaySection): void {
  const last = question.parts.at(-1);
  if (section.style === "choice") {
    question.parts.push({ kind: "choice", label: exactTextOf(section), section, details: [] });
  } else if (last?.kind === "choice" && optionOf(section) === optionOf(last.section)) {
    last.details.push(section);
  } else {
    if (section.style === "question")
      question.words = section.segments.map(({ text, shown }) => shown ?? text).join("");
    question.parts.push({ kind: "section", section });
  }
}

function optionOf({ pointer = "" }: DisplaySection): string | undefined {
  return OPTION.exec(pointer)?.[1];
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
