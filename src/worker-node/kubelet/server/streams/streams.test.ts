/** SPDY and WebSocket on the wire, and the bridge between them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { createInflate } from 'node:zlib'
import { WebSocket } from 'ws'
import { chooseProtocol, serveRemoteCommand } from './remote-command.ts'
import { SpdyClient } from './spdy-connection.ts'
import { SPDY_DICTIONARY } from './spdy-dictionary.ts'
import { parseFrame } from './websocket-connection.ts'

test('the dictionary is that of the protocol', () => {
  assert.equal(SPDY_DICTIONARY.length, 1423)
  assert.equal(createHash('md5').update(SPDY_DICTIONARY).digest('hex'), 'a42ed185be917b4b1a525c8f7019936c')
})

/** Two ends of one connection. */
function pair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        other().push(chunk)
        done()
      },
      final(done) {
        other().push(null)
        done()
      },
    })
  const one: Duplex = make(() => two)
  const two: Duplex = make(() => one)
  return [one, two]
}

const dataFrame = (id: number, text: string, fin = false): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(id, 0)
  header[4] = fin ? 1 : 0
  header.writeUIntBE(text.length, 5, 3)
  return Buffer.concat([header, Buffer.from(text)])
}

/** The other end of a SPDY connection, as far as the tests need one. */
class SpdyPeer {
  readonly socket: Duplex
  readonly frames: { readonly id: number; readonly text: string; readonly fin: boolean }[] = []
  readonly opened: Record<string, string>[] = []
  readonly pongs: Buffer[] = []
  readonly #inflate = createInflate({ dictionary: SPDY_DICTIONARY })

  constructor(socket: Duplex) {
    this.socket = socket
    void this.#read()
  }

  async #read(): Promise<void> {
    let pending = Buffer.alloc(0)
    for await (const chunk of this.socket as AsyncIterable<Buffer>) {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 8 && pending.length >= 8 + pending.readUIntBE(5, 3)) {
        const size = 8 + pending.readUIntBE(5, 3)
        await this.#handle(pending.subarray(0, size))
        pending = pending.subarray(size)
      }
    }
  }

  async #handle(frame: Buffer): Promise<void> {
    const word = frame.readUInt32BE(0)
    if (word === 0x80030001) this.opened.push(await this.#headers(frame.subarray(18)))
    else if (word === 0x80030006) this.pongs.push(frame)
    else if (word < 0x80000000)
      this.frames.push({ id: word, text: frame.subarray(8).toString(), fin: (frame[4]! & 1) !== 0 })
  }

  async #headers(block: Buffer): Promise<Record<string, string>> {
    const chunks: Buffer[] = []
    const collect = (chunk: Buffer): number => chunks.push(chunk)
    this.#inflate.on('data', collect)
    await new Promise<void>((resolve) => {
      this.#inflate.write(block, () => resolve())
    })
    this.#inflate.off('data', collect)
    const all = Buffer.concat(chunks)
    const texts: string[] = []
    for (let at = 4; at < all.length;) {
      const length = all.readUInt32BE(at)
      texts.push(all.toString('utf8', at + 4, at + 4 + length))
      at += 4 + length
    }
    return Object.fromEntries(
      Array.from({ length: texts.length / 2 }, (_, index) => [texts[2 * index]!, texts[2 * index + 1]!]),
    )
  }
}

async function until(condition: () => boolean): Promise<void> {
  // Headers are inflated in another thread: how many turns that takes depends on the machine.
  const deadline = Date.now() + 10_000
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(condition(), 'never happened')
}

test('streams are opened in order, carry data both ways and end each for itself', async () => {
  const [ours, theirs] = pair()
  const peer = new SpdyPeer(theirs)
  const client = new SpdyClient(ours, Buffer.alloc(0))
  const received: string[] = []
  const ends: string[] = []
  const open = (streamtype: string): ReturnType<SpdyClient['open']> =>
    client.open(
      { streamtype },
      { onData: (data) => void received.push(data.toString()), onEnd: () => void ends.push(streamtype) },
    )
  const [error, stdin] = await Promise.all([open('error'), open('stdin')])
  await stdin.write(Buffer.from('x'.repeat(100_000)))
  await stdin.end()
  await error.end()
  await until(() => peer.frames.length === 4)
  assert.deepEqual(peer.opened, [{ streamtype: 'error' }, { streamtype: 'stdin' }])
  assert.deepEqual(
    peer.frames.map(({ id, text, fin }) => [id, text.length, fin]),
    [
      [3, 65_536, false],
      [3, 34_464, false],
      [3, 0, true],
      [1, 0, true],
    ],
  )
  const ping = Buffer.from('800300060000000400000007', 'hex')
  // Frames arrive as the network cuts them.
  const bytes = Buffer.concat([dataFrame(1, 'oops'), ping, dataFrame(1, '', true)])
  for (const byte of bytes) theirs.write(Buffer.from([byte]))
  await until(() => ends.length === 1 && peer.pongs.length === 1)
  assert.deepEqual([received, ends, peer.pongs[0]], [['oops'], ['error'], ping])
  theirs.end()
  await client.closed
  assert.deepEqual(ends, ['error', 'stdin'])
})

test('WebSocket frames: masked, long, not yet whole', () => {
  const mask = Buffer.from([1, 2, 3, 4])
  const payload = Buffer.from('hello')
  const masked = Buffer.from(payload.map((byte, index) => byte ^ mask[index & 3]!))
  const frame = Buffer.concat([Buffer.from([0x82, 0x85]), mask, masked])
  assert.deepEqual(parseFrame(frame), { opcode: 2, isFinal: true, payload, size: 11 })
  for (let length = 0; length < frame.length; length++) assert.equal(parseFrame(frame.subarray(0, length)), null)
  const long = Buffer.concat([Buffer.from([0x02, 126, 0x01, 0x00]), Buffer.alloc(256)])
  assert.deepEqual([parseFrame(long)?.payload.length, parseFrame(long)?.isFinal], [256, false])
})

test('the newest protocol that both speak is chosen', () => {
  assert.equal(chooseProtocol(['v4.channel.k8s.io', 'v5.channel.k8s.io'])?.name, 'v5.channel.k8s.io')
  assert.equal(chooseProtocol(['base64.channel.k8s.io'])?.isBase64, true)
  assert.equal(chooseProtocol([])?.name, '')
  assert.equal(chooseProtocol(['chat']), null)
})

/** A runtime's streaming server: it answers the upgrade and hands out the SPDY end. */
async function startRuntime(t: TestContext): Promise<{ readonly url: string; readonly peer: Promise<SpdyPeer> }> {
  const peer = Promise.withResolvers<SpdyPeer>()
  const server = createServer()
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n')
    peer.resolve(new SpdyPeer(socket))
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}/exec/token`, peer: peer.promise }
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

test('a WebSocket client runs a command: output, errors, end of input, status', async (t) => {
  const { url, peer: peerPromise } = await startRuntime(t)
  const kubelet = createServer()
  const options = { stdin: true, stdout: true, stderr: true, tty: false }
  kubelet.on('upgrade', (request, socket, head) => void serveRemoteCommand({ request, socket, head, options, url }))
  const port = await listen(t, kubelet)
  const client = new WebSocket(`ws://127.0.0.1:${port}/exec`, ['v5.channel.k8s.io', 'v4.channel.k8s.io'])
  const messages: string[] = []
  client.on('message', (data: Buffer) => messages.push(`${data[0]}:${data.subarray(1).toString()}`))
  const closed = new Promise((resolve) => client.on('close', resolve))
  await new Promise((resolve) => client.on('open', resolve))
  assert.equal(client.protocol, 'v5.channel.k8s.io')
  client.send(Buffer.from('\0input'))
  client.send(Buffer.from([255, 0]))
  const peer = await peerPromise
  await until(() => peer.frames.length === 2)
  assert.deepEqual(
    peer.opened.map(({ streamtype }) => streamtype),
    ['error', 'stdin', 'stdout', 'stderr'],
  )
  assert.deepEqual(peer.frames, [
    { id: 3, text: 'input', fin: false },
    { id: 3, text: '', fin: true },
  ])
  peer.socket.write(dataFrame(5, 'out', true))
  peer.socket.write(dataFrame(7, 'err', true))
  peer.socket.write(dataFrame(1, '{"status":"Success"}', true))
  assert.equal(await closed, 1000)
  assert.deepEqual(messages, ['1:out', '2:err', '3:{"status":"Success"}'])
})
