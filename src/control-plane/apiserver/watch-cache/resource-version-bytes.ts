/** Puts `metadata.resourceVersion` into stored bytes: an object learns its version only when it is written. */
import { assert } from '#base/assert.ts'
import { findPath } from './json-scan.ts'

/** `value` (JSON without metadata.resourceVersion) as it is served at `revision`; a new buffer. */
export function spliceResourceVersion(value: Buffer, revision: number): Buffer {
  const metadata = findPath(value, ['metadata'])
  assert(metadata !== null && value[metadata.start] === 0x7b, 'stored object without metadata')
  // Behind the uid, where Kubernetes itself writes it.
  const uid = findPath(value, ['uid'], metadata.start)
  const at = uid?.end ?? metadata.start + 1
  const member = `"resourceVersion":"${revision}"`
  const isEmpty = uid === null && findNext(value, at) === 0x7d
  return insert(value, at, uid === null ? (isEmpty ? member : `${member},`) : `,${member}`)
}

/** `served` with another resourceVersion, as a deletion reports the last state. */
export function replaceResourceVersion(served: Buffer, revision: number): Buffer {
  const span = findPath(served, ['metadata', 'resourceVersion'])
  assert(span !== null, 'served object without resourceVersion')
  return insert(served, span.start, `"${revision}"`, span.end)
}

/** Own memory for each object: a shared slab would outlive it for the sake of its neighbours. */
function insert(bytes: Buffer, at: number, text: string, until = at): Buffer {
  const result = Buffer.allocUnsafeSlow(bytes.length - (until - at) + text.length)
  bytes.copy(result, 0, 0, at)
  result.write(text, at, 'latin1')
  bytes.copy(result, at + text.length, until)
  return result
}

function findNext(bytes: Buffer, at: number): number | undefined {
  let position = at
  while (bytes[position] === 0x20 || bytes[position] === 0x0a || bytes[position] === 0x0d || bytes[position] === 0x09)
    position++
  return bytes[position]
}
