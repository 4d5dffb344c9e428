/** kube-apiserver ends under load: what it acknowledged is kept, what it began it finishes, and it says that it ends. */
import assert from 'node:assert/strict'
import { Agent } from 'node:https'
import { test } from 'node:test'
import { clock } from '../tools/api-server-port.ts'
import { KubeApiserverProcess } from '../tools/kube-apiserver-process.ts'

const DELAY_MS = 700
const WRITERS = 8

type Outcome = { readonly code: number; readonly name: string; readonly retryAfter: string | undefined }

test('SIGTERM under load', async () => {
  const server = await KubeApiserverProcess.start([
    `--shutdown-delay-duration=${DELAY_MS}ms`,
    '--shutdown-send-retry-after',
  ])
  const agent = new Agent({ keepAlive: true })
  const outcomes: Outcome[] = []
  const failures: { readonly afterMs: number; readonly error: string; readonly bytes: string }[] = []
  let signalledMs = Infinity
  let isOver = false
  const write = async (writer: number): Promise<void> => {
    for (let count = 0; !isOver; count++) {
      const name = `w${writer}-${count}`
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
      try {
        const path = '/api/v1/namespaces/default/configmaps'
        const { code, headers } = await server.ask(path, { method: 'POST', body, agent })
        outcomes.push({ code, name, retryAfter: headers['retry-after'] })
      } catch (error) {
        failures.push({ afterMs: clock.monotonic() - signalledMs, error: String(error), bytes: name })
        return
      }
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer))
  const watch = server.ask('/api/v1/namespaces/default/configmaps?watch=1')
  await clock.sleep(300)
  server.signal('SIGTERM')
  signalledMs = clock.monotonic()
  await clock.sleep(100)
  const readyz = await server.ask('/readyz')
  assert.equal(readyz.code, 500)
  assert.match(readyz.text, /\[-\]shutdown failed: reason withheld/)
  assert.equal((await server.ask('/livez')).code, 200)
  assert.equal(await server.untilEnd(), 0)
  isOver = true
  await Promise.all(writers)
  agent.destroy()
  // The stream ends in an orderly way: `ask` rejects one that is cut.
  const { text } = await watch
  assert.ok(text.split('\n').length > 1)
  const acknowledged = outcomes.filter(({ code }) => code === 201)
  const refused = outcomes.filter(({ code }) => code !== 201)
  assert.ok(acknowledged.length > 0)
  for (const { code, retryAfter } of refused) assert.deepEqual([code, retryAfter], [429, '5'])
  for (const { afterMs, error } of failures) assert.ok(afterMs >= DELAY_MS, `${error} after ${afterMs} ms`)
  await assertKept(
    server.folder,
    acknowledged.map(({ name }) => name),
  )
})

async function assertKept(folder: string, names: readonly string[]): Promise<void> {
  const again = await KubeApiserverProcess.start([`--data-dir=${folder}/data`])
  try {
    const { text } = await again.ask('/api/v1/namespaces/default/configmaps')
    const { items } = JSON.parse(text) as { items: { metadata: { name: string } }[] }
    const kept = new Set(items.map(({ metadata }) => metadata.name))
    assert.deepEqual(
      names.filter((name) => !kept.has(name)),
      [],
    )
  } finally {
    await again.stop()
  }
}
