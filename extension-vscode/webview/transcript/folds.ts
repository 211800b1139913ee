/** Which parts of the transcript are unfolded, kept over a reload. */

/** Folds that are remembered; older ones return to their default. */
const MAX_FOLDS = 500;

/** The folds that a person changed, by name. */
export class Folds {
  private readonly changed: Map<string, boolean>;
  /** Increases with every change. */
  version = 0;

  constructor(saved: readonly [string, boolean][] = []) {
    this.changed = new Map(
      saved.filter((pair) => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "boolean"),
    );
  }

  /** Whether a fold is open. */
  isOpen(name: string, byDefault = false): boolean {
    return this.changed.get(name) ?? byDefault;
  }

  /** Opens or closes a fold. Returns true if that changed it. */
  set(name: string, open: boolean, byDefault = false): boolean {
    if (this.isOpen(name, byDefault) === open) return false;
    this.changed.delete(name);
    this.changed.set(name, open);
    this.version += 1;
    const oldest = this.changed.keys().next();
    if (this.changed.size > MAX_FOLDS && !oldest.done) this.changed.delete(oldest.value);
    return true;
  }

  /** The state to save. */
  saved(): [string, boolean][] {
    return [...this.changed];
  }
}
