/** The largest value that a number had lately, for limits that a component may know only from before. */
export class RecentMax {
  readonly #windowMs: number
  /** Oldest first; each value held until the next one was set. */
  #values: { readonly value: number; untilMs: number }[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  set(value: number, nowMs: number): void {
    const last = this.#values.at(-1)
    if (last?.value === value) return
    if (last !== undefined) last.untilMs = nowMs
    this.#values.push({ value, untilMs: Infinity })
  }

  max(nowMs: number): number {
    this.#values = this.#values.filter(({ untilMs }) => untilMs >= nowMs - this.#windowMs)
    return Math.max(...this.#values.map(({ value }) => value))
  }
}
