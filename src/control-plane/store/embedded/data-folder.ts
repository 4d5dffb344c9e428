/** The store's folder on disk: its files, and what to say when they cannot be used. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreUnusableError } from '../store.ts'

export const databaseFile = (directory: string): string => join(directory, 'store.db')
export const walFile = (directory: string): string => join(directory, 'store.db-wal')
const ownerFile = (directory: string): string => join(directory, 'store.pid')

/** Makes the folder and an empty database file that only the owner may read; true when the file is new. */
export function prepareFolder(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const file = databaseFile(directory)
    const size = sizeOf(file)
    if (size === 0 && sizeOf(walFile(directory)) > 0) throw corrupt(directory, 'store.db is empty, but its log is not')
    if (size > 0) return false
    closeSync(openSync(file, 'a', 0o600))
    syncFolder(directory)
    return true
  } catch (error) {
    if (error instanceof StoreUnusableError) throw error
    throw new StoreUnusableError(`Cannot use the data folder ${directory}: ${(error as Error).message}`)
  }
}

/** A file's name is durable only once its folder is. */
function syncFolder(directory: string): void {
  const folder = openSync(directory, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** For the message of another process that wants the same folder; the lock itself is on the database. */
export function writeOwner(directory: string): void {
  try {
    writeFileSync(ownerFile(directory), `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    // A store on a full disk still opens: reading needs no space, and deleting makes some.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

export function removeOwner(directory: string): void {
  rmSync(ownerFile(directory), { force: true })
}

export function inUse(directory: string): StoreUnusableError {
  let owner = 'another process'
  try {
    owner = `process ${readFileSync(ownerFile(directory), 'utf8').trim()}`
  } catch {
    // The other one has not come to write it yet.
  }
  return new StoreUnusableError(
    `The store in ${directory} is in use by ${owner}: stop that one first, or choose another data folder`,
  )
}

export function corrupt(directory: string, why: string): StoreUnusableError {
  return new StoreUnusableError(
    `The store in ${directory} is corrupt (${why}): restore a backup of the folder, or move it away to start empty`,
  )
}

export function newerFormat(directory: string, found: number, known: number): StoreUnusableError {
  return new StoreUnusableError(
    `The store in ${directory} was written by a newer version (format ${found}, this one knows ${known}): ` +
      'use that version, or choose another data folder',
  )
}

export function foreign(directory: string): StoreUnusableError {
  return new StoreUnusableError(
    `The file store.db in ${directory} is not a store of this program: choose another data folder`,
  )
}

export function full(directory: string): StoreUnusableError {
  return new StoreUnusableError(
    `The store in ${directory} has no space left, nothing was written: free space on its disk, or raise its limit`,
  )
}
