/** The journal of the embedded store: hands batches to the worker and brings values back. */
import { stat } from 'node:fs/promises'
import type { EventQuery, Journal, JournalBatch } from '../mvcc/journal.ts'
import type { Entry, StoreEvent } from '../store.ts'
import { databaseFile, walFile } from './data-folder.ts'
import { packValues, unpackValue, type EventsReply, type RowColumns, type ValuesReply } from './messages.ts'
import type { WorkerClient } from './worker-client.ts'

export class WorkerJournal implements Journal {
  readonly #worker: WorkerClient
  readonly #directory: string

  constructor(worker: WorkerClient, directory: string) {
    this.#worker = worker
    this.#directory = directory
  }

  async commit({ rows, leases, read }: JournalBatch): Promise<readonly Buffer[]> {
    const columns: RowColumns = {
      revisions: rows.map((row) => row.revision),
      keys: rows.map((row) => row.key),
      createRevisions: rows.map((row) => row.createRevision),
      previousRevisions: rows.map((row) => row.previousRevision),
      leases: rows.map((row) => row.lease),
      deleted: rows.map((row) => row.deleted),
    }
    const values = packValues(rows.map((row) => row.value))
    const reply = await this.#worker.request({ kind: 'commit', rows: columns, values, leases, read }, values)
    return read.map((_revision, index) => unpackValue(reply.values, index))
  }

  async readValues(revisions: readonly number[]): Promise<readonly (Buffer | null)[]> {
    const reply: ValuesReply = await this.#worker.request({ kind: 'readValues', revisions })
    return revisions.map((_revision, index) => (reply.missing[index]! ? null : unpackValue(reply.values, index)))
  }

  async readEvents(query: EventQuery): Promise<readonly StoreEvent[]> {
    const reply = await this.#worker.request({ kind: 'readEvents', ...query })
    return reply.rows.revisions.map((_revision, index) => toEvent(reply, index))
  }

  async forget(revision: number, versions: readonly number[]): Promise<void> {
    await this.#worker.request({ kind: 'forget', revision, versions })
  }

  async sizeBytes(): Promise<number> {
    const sizes = await Promise.all([databaseFile(this.#directory), walFile(this.#directory)].map(sizeOf))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  close(): Promise<void> {
    return this.#worker.close()
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function toEvent({ rows, values, previousCreateRevisions, previousLeases }: EventsReply, index: number): StoreEvent {
  const key = rows.keys[index]!
  const entry: Entry = {
    key,
    value: unpackValue(values, index * 2),
    modRevision: rows.revisions[index]!,
    createRevision: rows.createRevisions[index]!,
    lease: rows.leases[index]!,
  }
  const createRevision = previousCreateRevisions[index]!
  const previous: Entry | null =
    createRevision === 0
      ? null
      : {
          key,
          value: unpackValue(values, index * 2 + 1),
          modRevision: rows.previousRevisions[index]!,
          createRevision,
          lease: previousLeases[index]!,
        }
  return { type: rows.deleted[index]! ? 'delete' : 'put', key, entry, previous }
}
