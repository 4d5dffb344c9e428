/** Tells whether work on real files is under way in this process, for tests in which only time is not real. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** Node lists its requests to the file system, but not those that read or write a whole file in one go: these are counted. */
const LISTED = new Set(['FSReqPromise', 'FSReqCallback', 'CloseReq'])
let uncounted = 0
let isCounting = false

export function isFileWorkUnderWay(): boolean {
  return uncounted > 0 || process.getActiveResourcesInfo().some((name) => LISTED.has(name))
}

/** Once for the whole process: a counted call does what it always did. */
export function countFileWork(): void {
  if (isCounting) return
  isCounting = true
  for (const name of ['readFile', 'writeFile'] as const) {
    const original = fs.promises[name] as (...args: unknown[]) => Promise<unknown>
    const counted = async (...args: unknown[]): Promise<unknown> => {
      uncounted++
      try {
        return await original(...args)
      } finally {
        uncounted--
      }
    }
    Object.assign(fs.promises, { [name]: counted })
  }
  syncBuiltinESMExports()
}
