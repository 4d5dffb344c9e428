/** Image names, credentials, and which images go when the disk is full. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Secret } from '#api/core/v1.gen.ts'
import type { Image } from '../runtime/runtime-service.ts'
import { normalizeImage, parseImageName } from './image-name.ts'
import { planImageGc } from './plan-image-gc.ts'
import { credentialsFor } from './pull-credentials.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

test('image names', () => {
  assert.equal(normalizeImage('busybox'), 'busybox:latest')
  assert.equal(normalizeImage('localhost:5000/a/b'), 'localhost:5000/a/b:latest')
  assert.equal(normalizeImage('a/b:1.0'), 'a/b:1.0')
  assert.equal(normalizeImage(`a@${DIGEST}`), `a@${DIGEST}`)
  for (const wrong of ['', 'A', 'a b', 'a:', 'a@sha256:1', ':1', 'a//b'])
    assert.equal(normalizeImage(wrong), null, wrong)
  assert.deepEqual(parseImageName('nginx'), { domain: 'docker.io', path: 'library/nginx', tag: 'latest', digest: '' })
})

function secretWith(auths: object): Secret {
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') }
  return { metadata: { name: 's', uid: '', resourceVersion: '', creationTimestamp: '' }, data }
}

test('credentials of the most specific registry come first', () => {
  const auth = Buffer.from('bob:pa:ss').toString('base64')
  const secret = secretWith({
    'https://index.docker.io/v1/': { auth },
    'r.example.com': { username: 'all', password: 'p' },
    'r.example.com/team': { username: 'team', password: 'p' },
    '*.example.org': { username: 'any', password: 'p' },
  })
  const users = (image: string): (string | undefined)[] =>
    credentialsFor(image, [secret]).map(({ username }) => username)
  assert.deepEqual(users('nginx'), ['bob'])
  assert.equal(credentialsFor('nginx', [secret])[0]?.password, 'pa:ss')
  assert.deepEqual(users('r.example.com/team/x:1'), ['team', 'all'])
  assert.deepEqual(users('r.example.com/teams/x'), ['all'])
  assert.deepEqual(users('a.example.org/x'), ['any'])
  assert.deepEqual(users('a.b.example.org/x'), [])
})

test('unused images go, longest unused first, until the disk is low enough', () => {
  const image = (id: string): Image => ({
    id,
    tags: [`${id}:1`],
    digests: [],
    sizeBytes: 10,
    username: '',
    pinned: id === 'pinned',
  })
  const plan = (usedBytes: number): string[] =>
    planImageGc({
      images: ['pinned', 'used', 'young', 'old', 'never'].map(image),
      used: new Set(['used:1']),
      lastUsedMs: new Map([
        ['young', 2],
        ['old', 1],
      ]),
      capacityBytes: 100,
      usedBytes,
      highPercent: 85,
      lowPercent: 75,
    }).map(({ id }) => id)
  assert.deepEqual(plan(84), [])
  assert.deepEqual(plan(86), ['never', 'old'])
  assert.deepEqual(plan(100), ['never', 'old', 'young'])
})
