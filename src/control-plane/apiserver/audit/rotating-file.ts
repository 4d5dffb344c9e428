/** The file of the audit log: renamed with the time in its name when it is full, later compressed, removed when it is old. */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { AuditSink } from './backend.ts'

export type RotationOptions = {
  readonly path: string
  readonly clock: Clock
  readonly log: Logger
  /** 0: never full. */
  readonly maxBytes: number
  /** 0: all are kept. */
  readonly maxBackups: number
  /** 0: for ever. */
  readonly maxAgeMs: number
  readonly compress: boolean
}

export class RotatingFile implements AuditSink {
  readonly #options: RotationOptions
  /** Null while there is none that could be written to: the next write opens one. */
  #file: number | null = null
  #size = 0
  /** The end of the work on full files, which goes on behind the requests. */
  #tidied: Promise<void> = Promise.resolve()

  /** Throws Node's error for a file that cannot be opened. */
  constructor(options: RotationOptions) {
    this.#options = options
    mkdirSync(dirname(options.path), { recursive: true })
    this.#open()
    this.#tidyLater()
  }

  /** Throws Node's error for what could not be written; the next call tries again. */
  write(text: string): void {
    const bytes = Buffer.from(text)
    const { maxBytes } = this.#options
    let file = this.#file ?? this.#open()
    if (maxBytes > 0 && this.#size > 0 && this.#size + bytes.length > maxBytes) file = this.#rotate(file)
    for (let written = 0; written < bytes.length;) {
      const count = writeSync(file, bytes, written)
      written += count
      this.#size += count
    }
  }

  async close(): Promise<void> {
    this.#release()
    await this.#tidied
  }

  #open(): number {
    const file = openSync(this.#options.path, 'a', 0o600)
    this.#file = file
    this.#size = fstatSync(file).size
    return file
  }

  #release(): void {
    const file = this.#file
    // Whatever closing says: the number may be somebody else's from now on.
    this.#file = null
    if (file !== null) closeSync(file)
  }

  /** The full file stays open until it has its new name: a failure leaves it, or none. */
  #rotate(full: number): number {
    const { path, clock } = this.#options
    try {
      renameSync(path, backupName(path, clock.now()))
    } catch (error) {
      // Somebody else has moved it away: a new one begins.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    this.#file = null
    try {
      return this.#open()
    } finally {
      closeSync(full)
      this.#tidyLater()
    }
  }

  #tidyLater(): void {
    const { log, path } = this.#options
    this.#tidied = this.#tidied
      .then(() => this.#tidy())
      .catch((error: unknown) => log.error('full audit files could not be tidied', { path, error: String(error) }))
  }

  /** Removes what is too old or too much; compresses the rest. */
  async #tidy(): Promise<void> {
    const { path, clock, maxBackups, maxAgeMs, compress } = this.#options
    const oldestMs = maxAgeMs > 0 ? clock.now() - maxAgeMs : -Infinity
    const backups = (await backupsOf(path)).toSorted((a, b) => b.ms - a.ms)
    for (const [position, { ms, files }] of backups.entries()) {
      const isOver = ms < oldestMs || (maxBackups > 0 && position >= maxBackups)
      if (isOver) for (const file of files) await rm(file, { force: true })
      else if (compress) for (const file of files) if (!file.endsWith(COMPRESSED)) await compressFile(file)
    }
  }
}

const COMPRESSED = '.gz'

/** What an end in the midst leaves behind is written anew next time. */
async function compressFile(file: string): Promise<void> {
  const target = file + COMPRESSED
  try {
    await pipeline(createReadStream(file), createGzip(), createWriteStream(target, { mode: 0o600 }))
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
  await rm(file)
}

/** `audit.log` becomes `audit-2026-11-24T22-59-58.994.log`. */
function backupName(path: string, ms: number): string {
  const extension = extname(path)
  const time = new Date(ms).toISOString().replaceAll(':', '-').replace('Z', '')
  return join(dirname(path), `${basename(path, extension)}-${time}${extension}`)
}

const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})$/

/** A backup has two files for as long as it is being compressed. */
async function backupsOf(path: string): Promise<{ ms: number; files: string[] }[]> {
  const extension = extname(path)
  const start = `${basename(path, extension)}-`
  const backups = new Map<number, string[]>()
  for (const file of await readdir(dirname(path))) {
    const plain = file.endsWith(COMPRESSED) ? file.slice(0, -COMPRESSED.length) : file
    if (!plain.startsWith(start) || !plain.endsWith(extension)) continue
    const match = TIME.exec(plain.slice(start.length, plain.length - extension.length))
    if (match === null) continue
    const ms = Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`)
    backups.set(ms, [...(backups.get(ms) ?? []), join(dirname(path), file)])
  }
  return [...backups].map(([ms, files]) => ({ ms, files }))
}
