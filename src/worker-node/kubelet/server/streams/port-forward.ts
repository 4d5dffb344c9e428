/** Port-forward for WebSocket clients: kubectl's tunnel carries SPDY as it is, older ones have numbered channels. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { connectRaw, connectSpdy } from './upgrade.ts'
import { acceptWebSocket, requestedProtocols, type WebSocketConnection } from './websocket-connection.ts'
import type { SpdyClient, SpdyStream } from './spdy-connection.ts'

const TUNNEL = 'SPDY/3.1+portforward.k8s.io'
const CHANNELS = 'v4.channel.k8s.io'
const BASE64_CHANNELS = 'v4.base64.channel.k8s.io'

export type PortForward = {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  /** Only of the numbered channels: two for each. */
  readonly ports: readonly number[]
  readonly url: string
}

export function choosePortForwardProtocol(offered: readonly string[]): string | null {
  if (offered.length === 0) return ''
  return [TUNNEL, CHANNELS, BASE64_CHANNELS].find((name) => offered.includes(name)) ?? null
}

export async function servePortForward(of: PortForward): Promise<void> {
  const protocol = choosePortForwardProtocol(requestedProtocols(of.request))!
  await (protocol === TUNNEL ? serveTunnel(of) : serveChannels(of, protocol))
}

/** Binary messages are pieces of a SPDY connection, whose other end is the runtime. */
async function serveTunnel({ request, socket, head, url }: PortForward): Promise<void> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
    'x-stream-protocol-version': 'portforward.k8s.io',
  }
  const runtime = await connectRaw(url, 'POST', headers)
  const client = acceptWebSocket(request, socket, head, TUNNEL)
  const toClient = async (): Promise<void> => {
    if (runtime.head.length > 0) await client.send(runtime.head)
    for await (const chunk of runtime.socket as AsyncIterable<Buffer>) await client.send(chunk)
    await client.close()
  }
  const toRuntime = async (): Promise<void> => {
    for await (const message of client.messages()) if (!runtime.socket.write(message)) await drained(runtime.socket)
    runtime.socket.destroy()
  }
  await Promise.race([toClient(), toRuntime()]).catch(() => {}) // Either end is gone.
  runtime.socket.destroy()
  await client.close()
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}

/** Channel 2n carries the data of the n-th port, 2n+1 its errors; each begins with the port's number. */
async function serveChannels({ request, socket, head, ports, url }: PortForward, protocol: string): Promise<void> {
  const runtime = await connectSpdy(url, 'portforward.k8s.io')
  const client = acceptWebSocket(request, socket, head, protocol)
  const isBase64 = protocol === BASE64_CHANNELS
  const send = (channel: number, data: Buffer): Promise<void> =>
    isBase64
      ? client.send(Buffer.from(`${channel}${data.toString('base64')}`), 'text')
      : client.send(Buffer.concat([Buffer.from([channel]), data]))
  const streams = await Promise.all(ports.map((port, index) => openPort({ runtime, send, client }, port, index)))
  try {
    for await (const message of client.messages()) {
      const channel = isBase64 ? (message[0] ?? 0) - 48 : (message[0] ?? 0)
      const data = isBase64 ? Buffer.from(message.subarray(1).toString(), 'base64') : message.subarray(1)
      if (channel % 2 === 0 && data.length > 0) await streams[channel / 2]?.write(data)
    }
  } catch {
    // The client is gone, or the runtime: both ends are closed below.
  } finally {
    runtime.close()
    await client.close()
  }
}

type Ends = {
  readonly runtime: SpdyClient
  readonly client: WebSocketConnection
  send(channel: number, data: Buffer): Promise<void>
}

async function openPort({ runtime, client, send }: Ends, port: number, index: number): Promise<SpdyStream> {
  const greeting = Buffer.alloc(2)
  greeting.writeUInt16LE(port)
  await send(2 * index, greeting)
  await send(2 * index + 1, greeting)
  const headers = { port: String(port), requestid: String(index) }
  const error = await runtime.open(
    { ...headers, streamtype: 'error' },
    { onData: (data) => send(2 * index + 1, data), onEnd: () => {} },
  )
  await error.end()
  return await runtime.open(
    { ...headers, streamtype: 'data' },
    { onData: (data) => send(2 * index, data), onEnd: () => void client.close() },
  )
}
