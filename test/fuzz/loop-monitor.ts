/**
 * Loaded into the API server by NODE_OPTIONS: writes a line for each stretch in which the event loop did not turn. What counts is the
 * processor time of the loop's own thread, so that a busy machine, which lets the thread wait, does not look like a stall.
 */
import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const TICK_MS = 5
/** Shorter ones are of no interest. */
const REPORTED_MS_MIN = 40

const file = process.env['LOOP_MONITOR_FILE']
if (isMainThread && file !== undefined) {
  let before = process.threadCpuUsage()
  const tick = (): void => {
    const { user, system } = process.threadCpuUsage(before)
    const busyMs = (user + system) / 1000
    if (busyMs > REPORTED_MS_MIN) appendFileSync(file, `${Date.now()} ${busyMs.toFixed(1)}\n`)
    before = process.threadCpuUsage()
    setTimeout(tick, TICK_MS).unref()
  }
  setTimeout(tick, TICK_MS).unref()
}
