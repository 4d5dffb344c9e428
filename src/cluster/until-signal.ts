/** Turns SIGTERM and SIGINT into an abort signal: the orderly end of a process. */
export function untilSignal(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => abort.abort(new Error(name)))
  return abort.signal
}
