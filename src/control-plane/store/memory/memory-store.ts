/** The cluster database in memory, for tests and simulations: the same behaviour as on disk, nothing but promises and the given clock. */
import type { Clock } from '#base/clock.ts'
import { KeyIndex } from '../mvcc/key-index.ts'
import type { Journal, JournalBatch } from '../mvcc/journal.ts'
import { MvccStore } from '../mvcc/mvcc-store.ts'
import type { Store, StoreEvent } from '../store.ts'

/** An empty store at revision 1. The clock only ends leases. */
export function createMemoryStore(options: { readonly clock: Clock }): Store {
  return new MvccStore({
    clock: options.clock,
    journal: new MemoryJournal(),
    state: { index: new KeyIndex(), revision: 1, compactedRevision: 0, leases: [], lastLeaseId: 0 },
    windowBytesMax: Infinity,
  })
}

/** Keeps nothing: with an endless window all versions hold their values and all events since compaction are there. */
class MemoryJournal implements Journal {
  async commit(_batch: JournalBatch): Promise<readonly Buffer[]> {
    return []
  }
  async readValues(revisions: readonly number[]): Promise<readonly null[]> {
    return revisions.map(() => null)
  }
  async readEvents(): Promise<readonly StoreEvent[]> {
    return []
  }
  async forget(): Promise<void> {}
  async sizeBytes(): Promise<number> {
    return 0
  }
  async close(): Promise<void> {}
}
