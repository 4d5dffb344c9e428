/** One command at a time changes a cluster: a second one waits. The lock goes with the process that holds it, however that ends. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Clock } from '#base/clock.ts'
import { ClusterError } from './cluster-state.ts'

const PAUSE_MS = 50
/** Longer than any command takes that goes well. */
const LIMIT_MS = 120_000

export type LockOptions = {
  readonly name: string
  readonly clock: Clock
  /** Called once, when another command holds the lock. */
  readonly waiting: () => void
}

/** Throws ClusterError when the other command does not end in time. */
export async function withClusterLock<T>({ name, clock, waiting }: LockOptions, work: () => Promise<T>): Promise<T> {
  const deadline = clock.monotonic() + LIMIT_MS
  let lock = await tryLock(name)
  if (lock === null) waiting()
  while (lock === null) {
    if (clock.monotonic() > deadline) throw new ClusterError(`another command still works on cluster "${name}"`)
    await clock.sleep(PAUSE_MS)
    lock = await tryLock(name)
  }
  try {
    return await work()
  } finally {
    lock.close()
  }
}

/** Two new clusters at once would take the same port and networks. No cluster can have the name of this lock. */
export const withRegisterLock = <T>(clock: Clock, work: () => Promise<T>): Promise<T> =>
  withClusterLock({ name: '_register', clock, waiting: () => {} }, work)

/**
 * A socket of Linux' abstract names (with a zero byte first): only one process can have it, the kernel takes it back from one that dies,
 * and there is no file that could be left behind, or be removed under who waits for it. Null while another process has it.
 */
async function tryLock(name: string): Promise<Server | null> {
  const lock = createServer((visitor) => visitor.destroy())
  lock.listen(`\0kubets/${name}.lock`)
  try {
    await once(lock, 'listening')
    return lock
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null
    throw error
  }
}
