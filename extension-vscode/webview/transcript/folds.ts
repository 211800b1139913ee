/** What is open and what is folded, kept over a reload. */

/** So many are remembered; the oldest fall back to how they are at first. */
const MAX_FOLDS = 500;

/** Folds by name, where a person changed them. */
export class Folds {
  private readonly changed: Map<string, boolean>;
  /** Grows with every change. */
  version = 0;

  constructor(saved: readonly [string, boolean][] = []) {
    this.changed = new Map(
      saved.filter((pair) => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "boolean"),
    );
  }

  /** Whether a fold is open. */
  isOpen(name: string, atFirst = false): boolean {
    return this.changed.get(name) ?? atFirst;
  }

  /** Opens or closes a fold. True: that changed something. */
  set(name: string, open: boolean, atFirst = false): boolean {
    if (this.isOpen(name, atFirst) === open) return false;
    this.changed.delete(name);
    this.changed.set(name, open);
    this.version += 1;
    const oldest = this.changed.keys().next();
    if (this.changed.size > MAX_FOLDS && !oldest.done) this.changed.delete(oldest.value);
    return true;
  }

  /** For keeping. */
  saved(): [string, boolean][] {
    return [...this.changed];
  }
}
