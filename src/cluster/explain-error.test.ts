/** Which errors are told in one line, and which show their stack. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ClusterError } from './cluster-state.ts'
import { explainError } from './explain-error.ts'

test('what the machine refuses is told with the file and a way out', async () => {
  const error = await readFile(`${import.meta.filename}/file`).catch((caught: unknown) => caught)
  assert.match(explainError(error)!, /^ENOTDIR: not a directory, open '.*': a file is where a folder should be/)
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  assert.match(explainError(full)!, /the disk is full: free some space/)
})

test('an error made for users is its own message, any other one is a defect', () => {
  assert.equal(explainError(new ClusterError('no such cluster')), 'no such cluster')
  assert.equal(explainError(new TypeError('x is not a function')), null)
  assert.equal(explainError(Object.assign(new Error('gone'), { code: 'ECONNRESET' })), null)
})
