/** The API server alone: an end or a failure before it is ready leaves nothing open. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { readRuntimeConfig } from './runtime-config-flag.ts'
import { startStandaloneApiServer, type StandaloneOptions } from './standalone-api-server.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'standalone-'))
after(() => rmSync(dataDir, { recursive: true }))
const kubeconfig = join(dataDir, 'admin.kubeconfig')

const optionsFor = (port: number, ...runtimeConfig: string[]): StandaloneOptions => ({
  port,
  dataDir,
  kubeconfig,
  features: DEFAULT_FEATURE_GATES,
  kinds: readRuntimeConfig(runtimeConfig, DEFAULT_FEATURE_GATES),
  clock: new SystemClock({ keepsProcessAlive: true }),
  random: new SeededRandom(1),
  log: NO_LOG,
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('an end that is asked for before the server is ready closes it', async () => {
  const port = await freePort()
  const ended = AbortSignal.abort(new Error('SIGTERM'))
  await assert.rejects(startStandaloneApiServer(optionsFor(port), ended), /SIGTERM/)
  assert.equal(existsSync(kubeconfig), false)
  // The port and the store are free again.
  const server = await startStandaloneApiServer(optionsFor(port))
  await server.close()
})

test('a server that cannot do without what it does not serve says so', async () => {
  const port = await freePort()
  await assert.rejects(
    startStandaloneApiServer(optionsFor(port, 'rbac.authorization.k8s.io/v1=false')),
    /never ready: --runtime-config turns off what it follows itself: .*roles\.rbac\.authorization\.k8s\.io\/v1/,
  )
  const server = await startStandaloneApiServer(optionsFor(port, 'scheduling.k8s.io/v1=false'))
  await server.close()
})
