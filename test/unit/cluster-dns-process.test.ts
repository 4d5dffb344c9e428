/** The cluster DNS as a process of its own, beside an API server that it knows only by a kubeconfig. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { decode, encode, streamEncode, type DecodedPacket, type Packet } from 'dns-packet'
import type { Service } from '#api/core/v1.gen.ts'
import { SERVICES } from '#api/resources.gen.ts'
import { SystemClock } from '#base/clock.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const clock = new SystemClock({ keepsProcessAlive: true })
const LIMIT_MS = 30_000

let folder = ''
let api: ChildProcess
let dns: ChildProcess
let port = 0

const start = (program: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, 'bin', program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

/** The first line of the program's output that has `text`. */
async function lineWith(child: ChildProcess, text: string): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) if (line.includes(text)) return line
  throw new Error(`the program ended without saying "${text}"`)
}

const query = (name: string): Packet => ({
  type: 'query',
  id: 7,
  flags: 0x100,
  questions: [{ name, type: 'A', class: 'IN' }],
})

async function askUdp(name: string): Promise<DecodedPacket> {
  const socket = createSocket('udp4')
  socket.send(encode(query(name)), port, '127.0.0.1')
  const [message] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return decode(message)
}

async function askTcp(name: string): Promise<DecodedPacket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(streamEncode(query(name)))
  const [message] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return decode(message.subarray(2))
}

const rcodeOf = ({ flags = 0 }: DecodedPacket): number => flags & 0xf
const addressOf = ({ answers }: DecodedPacket): unknown => (answers?.[0] as { data?: unknown } | undefined)?.data

describe('cluster-dns', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cluster-dns-test-'))
    await writeFile(join(folder, 'resolv.conf'), '')
    const kubeconfig = join(folder, 'kubeconfig')
    api = start('kubets.ts', 'api', '--port', '0', '--data-dir', join(folder, 'data'), '--kubeconfig', kubeconfig)
    await lineWith(api, kubeconfig)
    const files = ['--kubeconfig', kubeconfig, '--resolv-conf', join(folder, 'resolv.conf')]
    dns = start('cluster-dns.ts', ...files, '--port', '0', '--cluster-domain', 'corp.test')
    port = (JSON.parse(await lineWith(dns, 'answering')) as { port: number }).port
  })

  after(async () => {
    for (const child of [dns, api]) if (child?.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
    await rm(folder, { recursive: true, force: true })
  })

  test('Services are found over UDP and TCP as they come and go', async () => {
    const config = await loadKubeconfig(join(folder, 'kubeconfig'))
    const transport = new HttpTransport({ config, clock: new SystemClock(), userAgent: 'dns-test' })
    const client = new RestClient(transport)
    const name = 'web.default.svc.corp.test'
    assert.equal(rcodeOf(await askUdp(name)), 3)
    const created = await client.create<Service>(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { ports: [{ port: 80 }] },
    })
    await eventually(async () => addressOf(await askUdp(name)) === created.spec.clusterIP)
    assert.equal(addressOf(await askTcp(name)), created.spec.clusterIP)
    await client.delete(SERVICES, 'default', 'web')
    await eventually(async () => rcodeOf(await askUdp(name)) === 3)
    await transport.close()
  })

  test('a name outside the cluster cannot be told without a nameserver', async () => {
    assert.equal(rcodeOf(await askUdp('example.com')), 2)
  })

  test('the process ends with SIGTERM, as one that did its work', async () => {
    dns.kill('SIGTERM')
    assert.deepEqual(await once(dns, 'exit'), [0, null])
  })
})

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = clock.monotonic() + LIMIT_MS
  while (!(await condition())) {
    assert.ok(clock.monotonic() < deadline, 'it never happened')
    await clock.sleep(20)
  }
}
