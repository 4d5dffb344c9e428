/** Reads the flags of a component: what is wrong with one is told with its name. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'

/** A flag that is missing or cannot be read; its message is for the user. */
export class FlagError extends Error {}

/** The text of the file that the flag names. */
export function readFlagFile(name: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: Error) => {
    throw new FlagError(`--${name}: ${error.message}`)
  })
}

/** What the work makes of the file that the flag names; that it can make nothing of it is told with the flag. */
export function usingFlag<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new FlagError(`--${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new FlagError(`--${name}: ${JSON.stringify(value)} is no whole number`)
  return Number(value)
}

export function portNumber(name: string, value: string): number {
  const port = wholeNumber(name, value)
  if (port > 65_535) throw new FlagError(`--${name}: ${value} is no port`)
  return port
}

/** A flag of yes or no as Go's programs take it (`--name`, `--name=true`, `--name=false`), for commander. */
export function parseBoolean(value: string): boolean {
  if (/^(true|t|1)$/i.test(value)) return true
  if (/^(false|f|0)$/i.test(value)) return false
  throw new InvalidArgumentError('It is neither true nor false.')
}
