/** Upgraded connections to the container runtime: taken over by us, or handed through to the client byte for byte. */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { SpdyClient } from './spdy-connection.ts'

/** Opens a SPDY connection to a URL that the runtime gave. */
export function connectSpdy(url: string, protocol: string): Promise<SpdyClient> {
  return new Promise((resolve, reject) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol }
    const request = http.request(url, { method: 'POST', headers, agent: false })
    request.on('upgrade', (_response, socket, head) => resolve(new SpdyClient(socket, head)))
    request.on('response', (response) => void rejectWithBody(response, reject))
    request.on('error', reject)
    request.end()
  })
}

/** The same, but without streams of our own: for a client that speaks SPDY itself. */
export function connectRaw(
  url: string,
  method: string,
  headers: IncomingHttpHeaders,
): Promise<{ readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: { ...headers, host: new URL(url).host }, agent: false })
    request.on('upgrade', (response, socket, head) => resolve({ response, socket, head }))
    request.on('response', (response) => void rejectWithBody(response, reject))
    request.on('error', reject)
    request.end()
  })
}

async function rejectWithBody(response: IncomingMessage, reject: (error: Error) => void): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  reject(new Error(`container runtime answered ${response.statusCode}: ${Buffer.concat(chunks).toString().trim()}`))
}

/** Hands the runtime's answer to the client and then all bytes both ways. */
export async function proxyUpgrade(request: IncomingMessage, client: Duplex, head: Buffer, url: string): Promise<void> {
  const { authorization: _dropped, ...headers } = request.headers
  const upstream = await connectRaw(url, request.method ?? 'POST', headers)
  const lines = ['HTTP/1.1 101 Switching Protocols']
  const raw = upstream.response.rawHeaders
  for (let index = 0; index < raw.length; index += 2) lines.push(`${raw[index]}: ${raw[index + 1]}`)
  client.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (upstream.head.length > 0) client.write(upstream.head)
  if (head.length > 0) upstream.socket.write(head)
  joinDuplex(client, upstream.socket)
}

/** The end of one is the end of both. */
export function joinDuplex(a: Duplex, b: Duplex): void {
  a.pipe(b)
  b.pipe(a)
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}
