/** A task that runs once for all calls within a period: at its end, so that no call is missed. */
export class Coalesced {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly run: () => void,
    /** The period in milliseconds. */
    private readonly within: number,
  ) {}

  /** Runs the task at the end of the period. */
  call(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.run();
    }, this.within);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
