/** One command at a time changes a cluster: a second one waits. The lock goes with the process that holds it, however that ends. */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '#base/clock.ts'
import { ClusterError } from './cluster-state.ts'

const FOLDER = '/run/kubets'
const PAUSE_MS = 50
/** Longer than any command takes that goes well. */
const LIMIT_MS = 120_000

export type LockOptions = {
  readonly name: string
  readonly clock: Clock
  /** Called once, when another command holds the lock. */
  readonly waiting: () => void
  readonly folder?: string
}

/** Throws ClusterError when the other command does not end in time. */
export async function withClusterLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { name, clock, folder = FOLDER } = options
  const path = join(folder, `${name}.lock`)
  const deadline = clock.monotonic() + LIMIT_MS
  let lock = tryLock(path)
  if (lock === null) options.waiting()
  while (lock === null) {
    if (clock.monotonic() > deadline) throw new ClusterError(`another command still works on cluster "${name}"`)
    await clock.sleep(PAUSE_MS)
    lock = tryLock(path)
  }
  try {
    return await work()
  } finally {
    // Removed while it is held: whoever waits on the old file finds that it is no longer there, and takes a new one.
    await rm(path, { force: true })
    lock.close()
  }
}

/** Two new clusters at once would take the same port and networks. No cluster can have the name of this lock. */
export const withRegisterLock = <T>(clock: Clock, work: () => Promise<T>): Promise<T> =>
  withClusterLock({ name: '_register', clock, waiting: () => {} }, work)

/** SQLite's own lock on a file, which the kernel takes back from a process that dies. Null while another process has it. */
function tryLock(path: string): DatabaseSync | null {
  makeFile(path)
  const file = inode(path)
  const lock = lockFile(path)
  // A file that was removed since it was opened keeps nobody out: whoever comes now locks a new one.
  if (lock === null || (file !== null && file === inode(path))) return lock
  lock.close()
  return null
}

/** Only a new file is opened here: to close one that this process has locked would let go of the lock. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  try {
    closeSync(openSync(path, 'wx'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

const inode = (path: string): bigint | null => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null

function lockFile(path: string): DatabaseSync | null {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (/locked|busy/.test(String(error))) return null
    throw error
  }
}
