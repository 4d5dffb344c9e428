/**
 * The API server is killed with SIGKILL at random moments while clients write: afterwards every acknowledged write is there, and a watcher
 * that resumes has missed nothing. `CRASH_ROUNDS` and `CRASH_SEED` change it.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ConfigMap } from '#api/core/v1.gen.ts'
import { CONFIGMAPS } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import { SeededRandom } from '#base/random.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { StatusError } from '#machinery/status-error.ts'
import { ApiServerProcess, freePort } from '../tools/api-server-process.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 5)
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 100_000)
const WRITERS = 4
const NAMESPACE = 'default'
const clock = new SystemClock({ keepsProcessAlive: true })

type Acknowledged = { readonly value: string; readonly revision: number; readonly deleted: boolean }

/** Writes, updates and deletes ConfigMaps of its own, and remembers what was acknowledged. */
class Writer {
  readonly acknowledged = new Map<string, Acknowledged>()
  /** The last write of a name whose answer never came: it may or may not have happened. */
  readonly unknown = new Set<string>()
  readonly revisions: number[] = []
  readonly #id: number
  #count = 0
  constructor(id: number) {
    this.#id = id
  }

  async run(client: RestClient, random: SeededRandom, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const name = `w${this.#id}-${Math.floor(random.next() * 20)}`
      try {
        await this.#write(client, name, random)
      } catch (error) {
        if (!(error instanceof StatusError)) return // The connection is gone: the server was killed.
        this.unknown.delete(name)
      }
    }
  }

  async #write(client: RestClient, name: string, random: SeededRandom): Promise<void> {
    const value = `${this.#id}.${this.#count++}`
    const known = this.acknowledged.get(name)
    const isThere = known !== undefined && !known.deleted && !this.unknown.has(name)
    this.unknown.add(name)
    if (isThere && random.next() < 0.2) {
      await client.delete(CONFIGMAPS, NAMESPACE, name)
      this.acknowledged.set(name, { value: '', revision: known.revision, deleted: true })
    } else {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', data: { value } }
      const written = await client.patch<ConfigMap>(
        CONFIGMAPS,
        NAMESPACE,
        name,
        'apply',
        { ...body, metadata: { name } },
        { fieldManager: 'crash', force: true },
      )
      this.acknowledged.set(name, { value, revision: Number(written.metadata.resourceVersion), deleted: false })
      this.revisions.push(Number(written.metadata.resourceVersion))
    }
    this.unknown.delete(name)
  }
}

/** Follows all ConfigMaps across kills, from the last revision it saw. */
class Watcher {
  readonly seen = new Set<number>()
  readonly view = new Map<string, string>()
  #revision = ''

  async run(client: RestClient, signal: AbortSignal): Promise<void> {
    try {
      if (this.#revision === '') {
        const list = await client.list(CONFIGMAPS, NAMESPACE)
        this.#revision = list.metadata.resourceVersion!
        for (const item of list.items) this.view.set(item.metadata.name, item.data?.['value'] ?? '')
      }
      const options = { resourceVersion: this.#revision, allowWatchBookmarks: true }
      for await (const batch of client.watch<ConfigMap>(CONFIGMAPS, NAMESPACE, options, signal))
        for (const event of batch) this.#apply(event)
    } catch (error) {
      assert.ok(!(error instanceof StatusError), `the watch was refused: ${String(error)}`)
    }
  }

  #apply(event: { type: string; object: unknown }): void {
    assert.notEqual(event.type, 'ERROR', JSON.stringify(event.object))
    const object = event.object as ConfigMap
    const revision = Number(object.metadata.resourceVersion)
    if (event.type !== 'BOOKMARK') {
      assert.ok(revision > Number(this.#revision), `revision ${revision} came after ${this.#revision}`)
      this.seen.add(revision)
      if (event.type === 'DELETED') this.view.delete(object.metadata.name)
      else this.view.set(object.metadata.name, object.data?.['value'] ?? '')
    }
    this.#revision = String(revision)
  }
}

test(`killed ${ROUNDS} times while clients write (seed ${SEED})`, { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubets-crash-'))
  const random = new SeededRandom(SEED)
  const server = new ApiServerProcess(folder, await freePort())
  const writers = Array.from({ length: WRITERS }, (_, id) => new Writer(id))
  const watcher = new Watcher()
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await server.start()
      const transport = new HttpTransport({
        config: await loadKubeconfig(server.kubeconfig),
        clock,
        userAgent: 'crash-test/1',
      })
      const client = new RestClient(transport)
      const abort = new AbortController()
      const running = [
        watcher.run(client, abort.signal),
        ...writers.map((writer) => writer.run(client, random, abort.signal)),
      ]
      await clock.sleep(200 + random.next() * 600)
      await server.kill('SIGKILL')
      abort.abort()
      await Promise.all(running)
      await transport.close()
    }
    await server.start()
    const transport = new HttpTransport({
      config: await loadKubeconfig(server.kubeconfig),
      clock,
      userAgent: 'crash-test/1',
    })
    await checkAll(new RestClient(transport), writers, watcher)
    await transport.close()
    await server.kill('SIGTERM')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

async function checkAll(client: RestClient, writers: readonly Writer[], watcher: Watcher): Promise<void> {
  const list = await client.list(CONFIGMAPS, NAMESPACE)
  const stored = new Map(list.items.map((item) => [item.metadata.name, item.data?.['value'] ?? '']))
  for (const { acknowledged, unknown } of writers)
    for (const [name, { value, deleted }] of acknowledged) {
      if (unknown.has(name)) continue
      assert.equal(
        stored.get(name),
        deleted ? undefined : value,
        `${name}: acknowledged ${deleted ? 'as deleted' : value}`,
      )
    }
  const abort = new AbortController()
  const following = watcher.run(client, abort.signal)
  const deadline = clock.monotonic() + 5000
  while (!sameView(watcher.view, stored) && clock.monotonic() < deadline) await clock.sleep(20)
  abort.abort()
  await following
  assert.deepEqual(Object.fromEntries(watcher.view), Object.fromEntries(stored), 'the watcher sees what is stored')
  const revisions = writers.flatMap((writer) => writer.revisions)
  assert.ok(revisions.length > 20, `too few writes to tell anything: ${revisions.length}`)
  // A write that changed nothing keeps its old revision, which the watcher may have listed.
  const first = Math.min(...watcher.seen)
  const missed = revisions.filter((revision) => revision >= first && !watcher.seen.has(revision))
  assert.deepEqual(missed, [], 'every acknowledged write was an event')
}

function sameView(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value)
}
