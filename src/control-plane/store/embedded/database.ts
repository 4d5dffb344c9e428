/** The tables of the embedded store and all that is done with them; runs in the store's worker thread, where waiting for the disk is harmless. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { StoreUnusableError } from '../store.ts'
import * as folder from './data-folder.ts'
import {
  packValues,
  unpackValue,
  type EventsReply,
  type LeaseRow,
  type OpenReply,
  type PackedValues,
  type RowColumns,
  type RowsReply,
  type ValuesReply,
  type WorkerOptions,
} from './messages.ts'

/** Grows with each change of the tables that an older program would misread. */
const FORMAT = 1
/** "kube": marks the file as ours. */
const APPLICATION_ID = 0x6b756265
const PAGE_BYTES = 4096
/** Rows of the index read at once at the start. */
const LOAD_ROWS_MAX = 5000
/** Free pages are given back to the disk when they are more than this, and more than a quarter of the file. */
const FREE_PAGES_MAX = 2000
const VACUUM_PAGES_MAX = 256

/** A log this long is cut back after its content has moved into the database. */
const LOG_BYTES_MAX = 32 << 20

const SETTINGS = `
  PRAGMA page_size = ${PAGE_BYTES};
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA journal_size_limit = ${LOG_BYTES_MAX};
  PRAGMA cache_size = -16384;
`

const TABLES = `
  CREATE TABLE version (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE lease (id INTEGER PRIMARY KEY, ttl INTEGER NOT NULL) STRICT;
  CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO state VALUES ('compacted', 0), ('lease', 0);
`

type Row = {
  revision: number
  key: string
  created: number
  previous: number
  lease: number
  deleted: number
  checksum: number
  value: Uint8Array
}
type PreviousRow = {
  oldCreated: number | null
  oldLease: number | null
  oldValue: Uint8Array | null
  oldChecksum: number | null
}

export class Database {
  readonly #directory: string
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>

  private constructor(directory: string, db: DatabaseSync) {
    this.#directory = directory
    this.#db = db
    this.#statements = prepare(db)
  }

  static open({ directory, sizeBytesMax }: WorkerOptions): Database {
    const isNew = folder.prepareFolder(directory)
    let db: DatabaseSync | null = null
    try {
      db = new DatabaseSync(folder.databaseFile(directory))
      if (!isNew) checkFormat(directory, db)
      db.exec(SETTINGS)
      db.exec(`PRAGMA max_page_count = ${Math.ceil(sizeBytesMax / PAGE_BYTES)}`)
      createTables(db)
      const database = new Database(directory, db)
      folder.writeOwner(directory)
      return database
    } catch (error) {
      db?.close()
      throw explain(error, directory)
    }
  }

  state(): OpenReply {
    return this.#guard(() => {
      const { get } = this.#statements
      return {
        revision: Math.max(1, number(get.lastRevision.get())),
        compactedRevision: number(get.state.get('compacted')),
        lastLeaseId: number(get.state.get('lease')),
        leases: get.leases.all() as LeaseRow[],
      }
    })
  }

  /** Versions after a revision, without their values. */
  loadRows(after: number): RowsReply {
    return this.#guard(() => ({ rows: toColumns(this.#statements.get.rows.all(after, LOAD_ROWS_MAX) as Row[]) }))
  }

  commit(rows: RowColumns, values: PackedValues, leases: readonly LeaseRow[], read: readonly number[]): ValuesReply {
    return this.#guard(() => {
      // First, so that a value that cannot be read fails the batch before anything of it is written.
      const reply = this.readValues(read)
      if (rows.revisions.length > 0 || leases.length > 0) {
        this.#transaction(() => {
          this.#insert(rows, values)
          this.#changeLeases(leases)
        })
      }
      return reply
    })
  }

  readValues(revisions: readonly number[]): ValuesReply {
    return this.#guard(() => {
      const found = revisions.map((revision) => this.#statements.get.value.get(revision) as Row | undefined)
      const values = found.map((row, index) => (row === undefined ? EMPTY : this.#checked(row, revisions[index]!)))
      return { values: packValues(values), missing: found.map((row) => row === undefined) }
    })
  }

  readEvents(query: { first: number; last: number; start: string; end: string }): EventsReply {
    return this.#guard(() => {
      const { first, last, start, end } = query
      const rows = this.#statements.get.events.all(first, last, start, end) as (Row & PreviousRow)[]
      const values: Uint8Array[] = []
      for (const row of rows) {
        values.push(this.#checked(row, row.revision))
        const { oldValue, oldChecksum } = row
        values.push(
          oldValue === null ? EMPTY : this.#checked({ value: oldValue, checksum: oldChecksum! }, row.previous),
        )
      }
      return {
        rows: toColumns(rows),
        values: packValues(values),
        previousCreateRevisions: rows.map((row) => row.oldCreated ?? 0),
        previousLeases: rows.map((row) => row.oldLease ?? 0),
      }
    })
  }

  forget(revision: number, versions: readonly number[]): void {
    this.#guard(() => {
      this.#transaction(() => {
        for (const version of versions) this.#statements.run.forget.run(version)
        this.#statements.run.setState.run(revision, 'compacted')
      })
      this.#giveBackSpace()
    })
  }

  /** Moves the log into the database, so that the next start has nothing to replay. */
  close(): void {
    this.#db.close()
    folder.removeOwner(this.#directory)
  }

  #insert(rows: RowColumns, values: PackedValues): void {
    const { insert } = this.#statements.run
    for (const [index, revision] of rows.revisions.entries()) {
      const value = unpackValue(values, index)
      insert.run(
        revision,
        rows.keys[index]!,
        rows.createRevisions[index]!,
        rows.previousRevisions[index]!,
        rows.leases[index]!,
        rows.deleted[index]! ? 1 : 0,
        crc32(value),
        value,
      )
    }
  }

  #changeLeases(leases: readonly LeaseRow[]): void {
    const { run } = this.#statements
    for (const { id, ttlSeconds } of leases) {
      if (ttlSeconds === 0) run.deleteLease.run(id)
      else {
        run.insertLease.run(id, ttlSeconds)
        run.setState.run(id, 'lease')
      }
    }
  }

  #giveBackSpace(): void {
    const free = number(this.#statements.get.freePages.get())
    const all = number(this.#statements.get.pages.get())
    if (free > FREE_PAGES_MAX && free * 4 > all) this.#db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES_MAX})`)
  }

  #checked(row: { value: Uint8Array; checksum: number }, revision: number): Uint8Array {
    if (crc32(row.value) === row.checksum) return row.value
    throw folder.corrupt(this.#directory, `the value of revision ${revision} has changed on disk`)
  }

  /** All or nothing: whatever goes wrong, nothing of it stays. */
  #transaction(body: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      body()
      this.#db.exec('COMMIT')
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #guard<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      throw explain(error, this.#directory)
    }
  }
}

const EMPTY = new Uint8Array()

function prepare(db: DatabaseSync) {
  const sql = (text: string): StatementSync => db.prepare(text)
  return {
    get: {
      lastRevision: sql('SELECT max(revision) AS value FROM version'),
      state: sql('SELECT value FROM state WHERE name = ?'),
      leases: sql('SELECT id, ttl AS ttlSeconds FROM lease ORDER BY id'),
      rows: sql(
        'SELECT revision, key, created, previous, lease, deleted FROM version WHERE revision > ? ORDER BY revision LIMIT ?',
      ),
      value: sql('SELECT value, checksum FROM version WHERE revision = ?'),
      events: sql(`
        SELECT version.*, old.created AS oldCreated, old.lease AS oldLease, old.value AS oldValue, old.checksum AS oldChecksum
        FROM version LEFT JOIN version AS old ON old.revision = version.previous
        WHERE version.revision BETWEEN ? AND ? AND version.key >= ? AND version.key < ?
        ORDER BY version.revision`),
      freePages: sql('SELECT freelist_count AS value FROM pragma_freelist_count'),
      pages: sql('SELECT page_count AS value FROM pragma_page_count'),
    },
    run: {
      insert: sql('INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
      forget: sql('DELETE FROM version WHERE revision = ?'),
      setState: sql('UPDATE state SET value = ? WHERE name = ?'),
      insertLease: sql('INSERT INTO lease VALUES (?, ?)'),
      deleteLease: sql('DELETE FROM lease WHERE id = ?'),
    },
  }
}

function number(row: unknown): number {
  return Number((row as { value: number | null } | undefined)?.value ?? 0)
}

function toColumns(rows: readonly Row[]): RowColumns {
  return {
    revisions: rows.map((row) => row.revision),
    keys: rows.map((row) => row.key),
    createRevisions: rows.map((row) => row.created),
    previousRevisions: rows.map((row) => row.previous),
    leases: rows.map((row) => row.lease),
    deleted: rows.map((row) => row.deleted === 1),
  }
}

/** Before anything is written into it. */
function checkFormat(directory: string, db: DatabaseSync): void {
  // The lock comes with the first read, which also replays the log.
  db.exec('PRAGMA locking_mode = EXCLUSIVE')
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  const application = pragma('application_id')
  const isEmpty = Number(Object.values(db.prepare('SELECT count(*) FROM sqlite_schema').get()!)[0]) === 0
  if (isEmpty && application === 0) return
  if (application !== APPLICATION_ID) throw folder.foreign(directory)
  const format = pragma('user_version')
  if (format > FORMAT) throw folder.newerFormat(directory, format, FORMAT)
}

/** In one transaction: a crash in between leaves an empty file, which is a new store. */
function createTables(db: DatabaseSync): void {
  const exists = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'version'").get() !== undefined
  if (exists) return
  db.exec(
    `BEGIN IMMEDIATE; ${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`,
  )
}

/** SQLite's primary result codes. */
const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26

function explain(error: unknown, directory: string): unknown {
  if (error instanceof StoreUnusableError || !(error instanceof Error)) return error
  const { errcode } = error as Error & { errcode?: number }
  if (errcode === undefined) return error
  switch (errcode & 0xff) {
    case BUSY:
      return folder.inUse(directory)
    case CORRUPT:
    case NOT_A_DATABASE:
      return folder.corrupt(directory, error.message)
    case FULL:
      return folder.full(directory)
    default:
      return new StoreUnusableError(`Cannot read or write the store in ${directory}: ${error.message}`)
  }
}
