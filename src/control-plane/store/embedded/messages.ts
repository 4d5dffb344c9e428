/** What the main thread and the store's worker thread say to each other. Values travel in one buffer per message, moved, not copied. */

/** Values one behind the other: value i ends at `ends[i]`. */
export type PackedValues = { readonly bytes: ArrayBuffer; readonly ends: readonly number[] }

/** Columns of new versions, without their values. */
export type RowColumns = {
  readonly revisions: readonly number[]
  readonly keys: readonly string[]
  readonly createRevisions: readonly number[]
  readonly previousRevisions: readonly number[]
  readonly leases: readonly number[]
  readonly deleted: readonly boolean[]
}

export type LeaseRow = { readonly id: number; readonly ttlSeconds: number }

export type Request =
  | {
      readonly kind: 'commit'
      readonly rows: RowColumns
      readonly values: PackedValues
      readonly leases: readonly LeaseRow[]
      readonly read: readonly number[]
    }
  | { readonly kind: 'readValues'; readonly revisions: readonly number[] }
  | {
      readonly kind: 'readEvents'
      readonly first: number
      readonly last: number
      readonly start: string
      readonly end: string
    }
  | { readonly kind: 'forget'; readonly revision: number; readonly versions: readonly number[] }
  | { readonly kind: 'loadRows'; readonly after: number }
  | { readonly kind: 'close' }

/** `missing[i]`: there is no such version any more (its value is empty). */
export type ValuesReply = { readonly values: PackedValues; readonly missing: readonly boolean[] }

/** `values` hold the new value and the one before, for each row in turn; `previousCreateRevisions` is 0 without one before. */
export type EventsReply = {
  readonly rows: RowColumns
  readonly values: PackedValues
  readonly previousCreateRevisions: readonly number[]
  readonly previousLeases: readonly number[]
}

export type RowsReply = { readonly rows: RowColumns }

export type OpenReply = {
  readonly revision: number
  readonly compactedRevision: number
  readonly lastLeaseId: number
  readonly leases: readonly LeaseRow[]
}

export type Replies = {
  commit: ValuesReply
  readValues: ValuesReply
  readEvents: EventsReply
  forget: null
  loadRows: RowsReply
  close: null
}

export type WorkerOptions = { readonly directory: string; readonly sizeBytesMax: number }

/** `unusable`: the text is for the user and says what to do. */
export type WireError = { readonly unusable: boolean; readonly message: string }

export type FromWorker =
  | { readonly kind: 'opened'; readonly state: OpenReply }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'reply'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }

export type ToWorker = { readonly id: number; readonly request: Request }

export function packValues(values: readonly Uint8Array[]): PackedValues {
  const ends: number[] = []
  let length = 0
  for (const value of values) ends.push((length += value.length))
  const bytes = new ArrayBuffer(length)
  const target = new Uint8Array(bytes)
  for (const [index, value] of values.entries()) target.set(value, ends[index]! - value.length)
  return { bytes, ends }
}

export function unpackValue({ bytes, ends }: PackedValues, index: number): Buffer {
  const start = index === 0 ? 0 : ends[index - 1]!
  return Buffer.from(bytes, start, ends[index]! - start)
}
