/** Makes many writes in batches of 1, 2, 4, …: when the first ones fail, the rest is not even tried. */

/** How many succeeded, and the first error (undefined: none). */
export type SlowStartResult = { readonly succeeded: number; readonly error: unknown }

export async function slowStart(count: number, write: () => Promise<void>): Promise<SlowStartResult> {
  let succeeded = 0
  for (let batch = 1; succeeded < count; batch *= 2) {
    const size = Math.min(batch, count - succeeded)
    const results = await Promise.allSettled(Array.from({ length: size }, write))
    succeeded += results.filter(({ status }) => status === 'fulfilled').length
    const failure = results.find((result) => result.status === 'rejected')
    if (failure !== undefined) return { succeeded, error: failure.reason }
  }
  return { succeeded, error: undefined }
}
