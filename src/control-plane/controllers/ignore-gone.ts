/** Lets a write to an object that somebody else has deleted meanwhile count as done. */
import { isNotFound } from '#machinery/status-error.ts'

export async function ignoreGone(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
