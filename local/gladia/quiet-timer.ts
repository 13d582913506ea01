/** Fires once when it has not been touched for a time. Touching is cheap: it sets no timer. */
export class QuietTimer {
  readonly #limitMs: number;
  readonly #fire: () => void;
  #touchedAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, fire: () => void) {
    this.#limitMs = limitMs;
    this.#fire = fire;
  }

  start(): void {
    this.stop();
    this.touch();
    this.#arm(this.#limitMs);
  }

  touch(): void {
    this.#touchedAtMs = performance.now();
  }

  /** Idempotent. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#check(), delayMs);
    this.#timer.unref();
  }

  #check(): void {
    const leftMs = this.#touchedAtMs + this.#limitMs - performance.now();
    if (leftMs > 0) this.#arm(Math.ceil(leftMs));
    else this.#fire();
  }
}
