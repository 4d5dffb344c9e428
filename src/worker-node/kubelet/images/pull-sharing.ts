/** Lets those who want the same thing at the same time share one run of the work. */

type Shared = { readonly work: Promise<unknown>; readonly controller: AbortController; waiting: number }

export class PullSharing {
  readonly #running = new Map<string, Shared>()

  /** The work is cancelled only when the last of those who wait for it has gone away. */
  async run<T>(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const shared = this.#running.get(key) ?? this.#begin(key, work)
    shared.waiting++
    let leave: (() => void) | undefined
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason)
      signal.addEventListener('abort', leave, { once: true })
    })
    try {
      return (await Promise.race([shared.work, left])) as T
    } finally {
      if (leave) signal.removeEventListener('abort', leave)
      if (--shared.waiting === 0 && signal.aborted) shared.controller.abort()
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<unknown>): Shared {
    const controller = new AbortController()
    const promise = work(controller.signal).finally(() => this.#running.delete(key))
    promise.catch(() => {}) // Everyone who waits sees the failure; nobody may be left to.
    const shared: Shared = { work: promise, controller, waiting: 0 }
    this.#running.set(key, shared)
    return shared
  }
}
