/** The version is one that clients can compare, and says whose it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VERSION } from './version.ts'

test('clients read the version of the API, people the name of the server', () => {
  const parts = /^v(\d+)\.(\d+)\.\d+\+kubets\.[0-9A-Za-z.-]+$/.exec(VERSION.gitVersion)
  assert.deepEqual(parts?.slice(1), [VERSION.major, VERSION.minor])
  assert.doesNotMatch(JSON.stringify(VERSION), /\$Format/)
})
