/** Turns SIGTERM and SIGINT into an abort signal: the orderly end of a process, which lives until then. */

/** The longest interval Node takes; its only use is that it keeps the process alive. */
const INTERVAL_MS = 2 ** 30

export function untilSignal(): AbortSignal {
  const abort = new AbortController()
  const keepAlive = setInterval(() => {}, INTERVAL_MS)
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => {
      clearInterval(keepAlive)
      abort.abort(new Error(name))
    })
  return abort.signal
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
