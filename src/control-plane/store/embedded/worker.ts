/** The thread that owns the store's files: does one request after the other, so that nothing else ever waits for the disk. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#base/assert.ts'
import { StoreUnusableError } from '../store.ts'
import { Database } from './database.ts'
import type { FromWorker, PackedValues, Request, ToWorker, WireError, WorkerOptions } from './messages.ts'

assert(parentPort !== null, 'the store worker runs in a thread')
const port = parentPort

function send(message: FromWorker, values?: PackedValues): void {
  port.postMessage(message, values === undefined ? [] : [values.bytes])
}

function toWire(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error)
  return { unusable: error instanceof StoreUnusableError, message }
}

function handle(database: Database, request: Request): unknown {
  switch (request.kind) {
    case 'commit':
      return database.commit(request.rows, request.values, request.leases, request.read)
    case 'readValues':
      return database.readValues(request.revisions)
    case 'readEvents':
      return database.readEvents(request)
    case 'forget':
      database.forget(request.revision, request.versions)
      return null
    case 'loadRows':
      return database.loadRows(request.after)
    case 'close':
      database.close()
      return null
  }
}

function serve(database: Database): void {
  port.on('message', ({ id, request }: ToWorker) => {
    try {
      const result = handle(database, request)
      send({ kind: 'reply', id, result }, (result as { values?: PackedValues } | null)?.values)
      // The end of the port ends the thread.
      if (request.kind === 'close') port.close()
    } catch (error) {
      send({ kind: 'error', id, error: toWire(error) })
    }
  })
}

try {
  const database = Database.open(workerData as WorkerOptions)
  const state = database.state()
  serve(database)
  send({ kind: 'opened', state })
} catch (error) {
  send({ kind: 'failed', error: toWire(error) })
  port.close()
}
