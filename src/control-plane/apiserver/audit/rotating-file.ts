/** The file of the audit log: renamed with the time in its name when it is full, removed when it is old. */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Clock } from '#base/clock.ts'
import type { AuditSink } from './backend.ts'

export type RotationOptions = {
  readonly path: string
  readonly clock: Clock
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
  #file: number
  #size: number

  /** Throws Node's error for a file that cannot be opened. */
  constructor(options: RotationOptions) {
    this.#options = options
    mkdirSync(dirname(options.path), { recursive: true })
    this.#file = openSync(options.path, 'a', 0o600)
    this.#size = fstatSync(this.#file).size
    this.#removeOld()
  }

  write(text: string): void {
    const bytes = Buffer.from(text)
    const { maxBytes } = this.#options
    if (maxBytes > 0 && this.#size > 0 && this.#size + bytes.length > maxBytes) this.#rotate()
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written)
    this.#size += bytes.length
  }

  close(): void {
    closeSync(this.#file)
  }

  #rotate(): void {
    const { path, clock, compress } = this.#options
    const backup = backupName(path, clock.now())
    closeSync(this.#file)
    renameSync(path, backup)
    this.#file = openSync(path, 'a', 0o600)
    this.#size = 0
    if (compress) {
      writeFileSync(`${backup}.gz`, gzipSync(readFileSync(backup)), { mode: 0o600 })
      rmSync(backup)
    }
    this.#removeOld()
  }

  #removeOld(): void {
    const { path, clock, maxBackups, maxAgeMs } = this.#options
    const oldestMs = maxAgeMs > 0 ? clock.now() - maxAgeMs : -Infinity
    const backups = backupsOf(path).toSorted((a, b) => b.ms - a.ms)
    for (const [position, { file, ms }] of backups.entries())
      if (ms < oldestMs || (maxBackups > 0 && position >= maxBackups)) rmSync(join(dirname(path), file))
  }
}

/** `audit.log` becomes `audit-2026-11-24T22-59-58.994.log`. */
function backupName(path: string, ms: number): string {
  const extension = extname(path)
  const time = new Date(ms).toISOString().replaceAll(':', '-').replace('Z', '')
  return join(dirname(path), `${basename(path, extension)}-${time}${extension}`)
}

const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})$/

function backupsOf(path: string): { file: string; ms: number }[] {
  const extension = extname(path)
  const start = `${basename(path, extension)}-`
  return readdirSync(dirname(path)).flatMap((file) => {
    const plain = file.replace(/\.gz$/, '')
    if (!plain.startsWith(start) || !plain.endsWith(extension)) return []
    const match = TIME.exec(plain.slice(start.length, plain.length - extension.length))
    return match === null ? [] : [{ file, ms: Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`) }]
  })
}
