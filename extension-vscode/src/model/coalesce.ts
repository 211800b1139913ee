/** A task that runs once for all the calls within a while: at the end of it, so that nothing is missed. */
export class Coalesced {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly run: () => void,
    /** The while, in milliseconds. */
    private readonly within: number,
  ) {}

  /** Has it run soon. */
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
