/**
 * The default cluster database: durable on the local disk of one control plane, without a process of its own.
 *
 * Who does what: the main thread decides. It holds an index of all keys and versions (without values) and the newest values and events,
 * so compares, existence, counts, recent reads by key and running watches need no other thread. The worker thread owns the files: it
 * makes whole batches of writes durable (one fsync for all that came while the last one ran) and reads values that are not in memory.
 */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { KeyIndex } from '../mvcc/key-index.ts'
import { MvccStore, type MvccState } from '../mvcc/mvcc-store.ts'
import type { Store } from '../store.ts'
import { Compactor } from './compactor.ts'
import type { OpenReply } from './messages.ts'
import { WorkerClient } from './worker-client.ts'
import { WorkerJournal } from './worker-journal.ts'

/** Values of recent writes in memory. */
const WINDOW_BYTES_MAX = 16 << 20
/** Limit of the database file unless the caller says otherwise: the largest that etcd recommends. */
export const STORE_BYTES_MAX = 8 * 2 ** 30

export type EmbeddedStoreOptions = {
  /** Made when it is missing; belongs to one store of one process at a time. */
  readonly directory: string
  readonly clock: Clock
  readonly log: Logger
  /** Writes are refused when the database would become larger. */
  readonly sizeBytesMax?: number
  /** False: somebody else calls `compact`. */
  readonly compacts?: boolean
}

/** Throws StoreUnusableError when the folder cannot be used. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const { directory, clock, log } = options
  const worker = new WorkerClient({ directory, sizeBytesMax: options.sizeBytesMax ?? STORE_BYTES_MAX })
  try {
    const opened = await worker.opened()
    const state = await loadState(worker, opened)
    const journal = new WorkerJournal(worker, directory)
    const store = new MvccStore({ clock, journal, state, windowBytesMax: WINDOW_BYTES_MAX })
    if (options.compacts ?? true) {
      const compactor = new Compactor({ store, clock, log, revision: opened.revision })
      store.onClose(() => compactor.stop())
    }
    return store
  } catch (error) {
    await worker.close()
    throw error
  }
}

async function loadState(worker: WorkerClient, opened: OpenReply): Promise<MvccState> {
  const index = new KeyIndex()
  for (let after = 0; ;) {
    const { rows } = await worker.request({ kind: 'loadRows', after })
    for (const [at, modRevision] of rows.revisions.entries()) {
      index.append(rows.keys[at]!, {
        modRevision,
        createRevision: rows.createRevisions[at]!,
        lease: rows.leases[at]!,
        deleted: rows.deleted[at]!,
        entry: null,
      })
    }
    const last = rows.revisions.at(-1)
    if (last === undefined) break
    after = last
  }
  return { ...opened, index }
}
