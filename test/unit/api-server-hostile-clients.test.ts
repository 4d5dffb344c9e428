/** Clients that are slow, greedy or mean: each costs no more than itself, and none makes others wait. */
import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { after, before, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { CONFIGMAPS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { HttpTransport } from '#client/http-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import type { ApiServer } from '#control-plane/apiserver/apiserver.ts'
import {
  askServer,
  connectTo,
  createCredentials,
  startServer,
  type Answer,
  type Credentials,
  type Question,
} from '../tools/api-server-port.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
/** A stall of the server that a client would notice. */
const STALL_MS_MAX = 100
const MEGABYTE = 1 << 20
/** Clients that ask for a list of five megabytes at once. */
const READERS = 25

let credentials: Credentials
let server: ApiServer
let client: Client
let transport: HttpTransport

before(async () => {
  credentials = await createCredentials()
  server = await startServer(credentials)
  transport = connectTo(server, credentials, credentials.admin)
  client = new RestClient(transport)
  // The first request of each kind loads what the later ones use.
  await ask(MAPS, { method: 'POST', headers: { 'Content-Type': 'application/yaml' }, body: 'a: [1]' })
  await ask(MAPS)
})

after(async () => {
  await transport.close()
  await server.close()
})

const ask = (path: string, question: Omit<Question, 'pair'> = {}): Promise<Answer> =>
  askServer(server, credentials, path, { ...question, pair: credentials.admin })

const post = (body: string | Buffer, headers: Record<string, string>): Promise<Answer> =>
  ask(MAPS, { method: 'POST', headers, body })

function openSocket(): Promise<TLSSocket> {
  const { authority, admin } = credentials
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.port,
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.privateKey,
    ALPNProtocols: ['http/1.1'],
  })
  socket.on('error', () => {})
  return new Promise((resolve) => socket.once('secureConnect', () => resolve(socket)))
}

/** The longest that the loop stood still meanwhile, client and server together. */
async function longestStallMs(run: () => Promise<void>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 5 })
  histogram.enable()
  await run()
  histogram.disable()
  return histogram.max / 1e6
}

/** A busy machine takes the processor away at any time: only what stands still each time is a stall of ours. */
const ATTEMPTS_MAX = 4

async function assertNoStall(run: () => Promise<void>): Promise<void> {
  const stalls: number[] = []
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const longest = await longestStallMs(run)
    if (longest < STALL_MS_MAX) return
    stalls.push(Math.round(longest))
  }
  assert.fail(`the server stood still for ${stalls.join(', ')} ms`)
}

test('heads and bodies that come byte by byte hold up nobody', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket()))
  const head = `POST ${MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`
  for (const [index, socket] of sockets.entries()) if (index % 2 === 0) socket.write(head)
  await assertNoStall(async () => {
    for (const byte of 'POST /api/v1/nodes') {
      for (const socket of sockets) socket.write(byte)
      assert.equal((await ask('/api/v1/namespaces/default')).code, 200)
    }
  })
  for (const socket of sockets) socket.destroy()
})

test('uploads that break off leave nothing behind', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket()))
  for (const socket of sockets) {
    socket.write(
      `POST ${MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n`,
    )
    socket.write(Buffer.alloc(64 * 1024, ' '))
  }
  await ask('/api/v1/namespaces/default')
  for (const socket of sockets) socket.destroy()
  assert.equal((await ask('/api/v1/namespaces/default')).code, 200)
})

test('bodies beyond the limit are refused, in both versions of HTTP and without a length', async () => {
  const body = Buffer.alloc(4 * MEGABYTE, ' ')
  const text = 'Request entity too large: limit is 3145728'
  const chunked = await post(body, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' })
  assert.deepEqual([chunked.code, messageOf(chunked.body)], [413, text])
  const { authority, admin } = credentials
  const session = connectHttp2(server.url, {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.privateKey,
  })
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': MAPS, 'content-type': 'application/json' })
  stream.on('error', () => {})
  stream.end(body)
  const code = await new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  assert.deepEqual([code, messageOf(Buffer.concat(parts))], [413, text])
  session.destroy()
})

const messageOf = (body: Buffer): string => (JSON.parse(body.toString()) as { message: string }).message

test('bodies that are meant to explode are refused at once', async () => {
  const json = { 'Content-Type': 'application/json' }
  const level = (name: string, of: string): string => `${name}: &${name} [${Array(9).fill(of).join(',')}]\n`
  const laughs = [...'bcdefghi'].map((name, index) => level(name, `*${'abcdefgh'[index]}`)).join('')
  const rows: [string | Buffer, Record<string, string>, RegExp][] = [
    ['['.repeat(2e6), json, /json parse error: invalid character '\[' exceeded max depth/],
    ['{"a":'.repeat(5e5), json, /json parse error: invalid character '\{' exceeded max depth/],
    [
      `${level('a', 'x')}${laughs}`,
      { 'Content-Type': 'application/yaml' },
      /yaml: document contains excessive aliasing/,
    ],
    // Nothing unpacks a body: it is read as it came.
    [
      gzipSync(Buffer.alloc(50 * MEGABYTE)),
      { ...json, 'Content-Encoding': 'gzip' },
      /invalid character '\\x1f' looking for beginning of value/,
    ],
  ]
  for (const [body, headers, message] of rows)
    await assertNoStall(async () => {
      const answer = await post(body, headers)
      assert.equal(answer.code, 400)
      assert.match(messageOf(answer.body), message)
    })
})

test('thousands of headers and of terms are read, as far as a megabyte goes', async () => {
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`x-header-${index}`, 'value']))
  assert.equal((await ask('/api/v1/namespaces/default', { headers: many })).code, 200)
  const terms = Array.from({ length: 10_000 }, (_, index) => `a!=${index}`).join(',')
  await assertNoStall(async () => {
    const answer = await ask(`/api/v1/namespaces?labelSelector=${encodeURIComponent(terms)}`)
    assert.equal(answer.code, 200)
  })
  const socket = await openSocket()
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1.5 * MEGABYTE)}\r\n\r\n`)
  const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  assert.match(first.toString(), /^HTTP\/1.1 431 /)
  socket.destroy()
})

test('readers that never read keep no copy of a list', async () => {
  for (let index = 0; index < 10; index++)
    await client.create(CONFIGMAPS, {
      metadata: { name: `big-${index}`, namespace: 'default' },
      data: { text: String(index).repeat(MEGABYTE / 2) },
    })
  const before = process.memoryUsage()
  // Handshakes are work of both sides, and not what is measured.
  const all = await Promise.all(Array.from({ length: ATTEMPTS_MAX * READERS }, () => openSocket()))
  const waiting = [...all]
  await assertNoStall(async () => {
    for (const socket of waiting.splice(0, READERS)) {
      socket.pause()
      socket.write(`GET ${MAPS} HTTP/1.1\r\nHost: a\r\n\r\n`)
    }
    for (let round = 0; round < 20; round++) await ask('/api/v1/namespaces/default')
  })
  const { rss, arrayBuffers } = process.memoryUsage()
  // The lists have 125 MB together, and more with each attempt.
  assert.ok(
    arrayBuffers - before.arrayBuffers < 100 * MEGABYTE,
    `${(arrayBuffers - before.arrayBuffers) / MEGABYTE} MB`,
  )
  assert.ok(rss - before.rss < 250 * MEGABYTE, `${(rss - before.rss) / MEGABYTE} MB`)
  for (const socket of all) socket.destroy()
})

test('a watcher that never reads is cut off, and later gets what was on its way without a gap', async () => {
  const name = 'watched'
  await client.create(CONFIGMAPS, { metadata: { name, namespace: 'default' }, data: {} })
  const socket = await openSocket()
  socket.write(
    `GET ${MAPS}?watch=1&fieldSelector=metadata.name%3D${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  )
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  const text = 'x'.repeat(MEGABYTE - 1000)
  const writes = 90
  for (let index = 0; index < writes; index++)
    await client.patch(CONFIGMAPS, 'default', name, 'merge', { data: { index: String(index), text } })
  let received = ''
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1').replaceAll('x', '')))
  socket.resume()
  await ended
  const seen = [...received.matchAll(/"index":"(\d+)"/g)].map(([, index]) => Number(index))
  assert.ok(seen.length < writes, 'it was cut off before the last event')
  assert.deepEqual(seen, [...seen.keys()])
  assert.equal((await ask('/api/v1/namespaces/default')).code, 200)
})

test('many streams of one connection are answered, and leave the loop to others', async () => {
  const { authority, admin } = credentials
  const session = connectHttp2(server.url, {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.privateKey,
  })
  await assertNoStall(async () => {
    const streams = Array.from({ length: 200 }, () => session.request({ ':path': '/api/v1/namespaces/default' }))
    const codes = streams.map((stream) => {
      stream.resume()
      return new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))
    })
    assert.deepEqual(new Set(await Promise.all(codes)), new Set([200]))
  })
  session.destroy()
})
