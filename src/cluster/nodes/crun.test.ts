/** Which program containerd calls for crun, and what the one in between does. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { crunProgram } from './crun.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crun-test-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** A program that knows no version beyond 1.1, as Debian 12's crun, or any; it tells its last words. */
async function fakeCrun(name: string, isOld: boolean): Promise<string> {
  const path = join(folder, name)
  const refusal = `grep -q '"ociVersion":"1.0' "$5/config.json" || { echo unknown version specified >&2; exit 1; }`
  const script = `#!/bin/sh\n${isOld ? refusal : ''}\necho "$@"\n`
  await writeFile(path, script, { mode: 0o755 })
  return path
}

test('containerd 1.x, and a crun that reads every version, need nothing in between', async () => {
  const old = await fakeCrun('old-crun', true)
  await writeFile(join(folder, 'containerd-shim-runc-v1'), '')
  assert.equal(await crunProgram({ containerd: join(folder, 'containerd'), crun: old }, folder), old)
  await rm(join(folder, 'containerd-shim-runc-v1'))
  const fresh = await fakeCrun('new-crun', false)
  assert.equal(await crunProgram({ containerd: join(folder, 'containerd'), crun: fresh }, folder), fresh)
})

test('in between containerd 2.x and an old crun the version of the bundle is lowered', async () => {
  const crun = await fakeCrun('old-crun', true)
  const program = await crunProgram({ containerd: join(folder, 'containerd'), crun }, folder)
  assert.notEqual(program, crun)
  await writeFile(join(folder, 'config.json'), '{"ociVersion":"1.3.0","process":{"args":["a \\"b\\""]}}')
  const args = ['--root', '/run', 'create', '--bundle', folder, 'a b']
  assert.match(execFileSync(program, args, { encoding: 'utf8' }), / a b\n$/)
  const text = await readFile(join(folder, 'config.json'), 'utf8')
  assert.equal(text, '{"ociVersion":"1.0.2","process":{"args":["a \\"b\\""]}}')
})
