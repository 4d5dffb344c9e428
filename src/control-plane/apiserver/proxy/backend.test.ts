/** Upgrades through a backend: who agrees gets the connection, who refuses gets nothing more of it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import { after, before, test } from 'node:test'
import type { Endpoint } from './kubelet-endpoint.ts'
import { tunnel } from './backend.ts'

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n'
const ASK = 'POST /exec HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n'
const asked: string[] = []
let backendAnswer = SWITCHING
let front: Server
const backend = createTcpServer((socket) => {
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    asked.push(bytes.toString())
    socket.write(bytes.includes('HTTP/1.1') ? backendAnswer : `echo ${bytes.toString()}`)
  })
})

const listen = async (server: TcpServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const endpointAt = (port: number): Endpoint => ({ scheme: 'http', host: '127.0.0.1', port, tls: 'insecure' })

before(async () => {
  let endpoint = endpointAt(await listen(backend))
  front = createServer()
  front.on('upgrade', (request, socket, head) => {
    if (request.url === '/unreachable') endpoint = endpointAt(1)
    const headers = { connection: ['Upgrade'], upgrade: ['SPDY/3.1'] }
    tunnel({ request, socket, head }, { endpoint, method: 'POST', target: '/exec/n/p/c', headers })
  })
  await listen(front)
})

after(() => {
  front.close()
  backend.close()
})

function dial(): Socket {
  return connect((front.address() as AddressInfo).port, '127.0.0.1')
}

async function untilEnd(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString()))
  await once(socket, 'end')
  return text
}

test('a backend that agrees speaks with the client directly', async () => {
  backendAnswer = SWITCHING
  const socket = dial()
  // Bytes that came with the request belong to the stream.
  socket.write(`${ASK}early`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  let text = head.toString()
  while (!text.includes('echo early')) text += String((await once(socket, 'data'))[0])
  assert.ok(text.startsWith(SWITCHING))
  assert.match(asked.join(''), /^POST \/exec\/n\/p\/c HTTP\/1.1\r\n/)
  socket.destroy()
})

test('a refusal ends the connection: a second request of the client does not reach the backend', async () => {
  asked.length = 0
  backendAnswer = 'HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\ngone'
  const socket = dial()
  socket.write(ASK)
  const answer = untilEnd(socket)
  await once(socket, 'data')
  socket.write('POST /exec/other/pod/c HTTP/1.1\r\nHost: api\r\n\r\n')
  assert.equal(await answer, 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone')
  assert.equal(asked.length, 1)
})

test('a refusal in chunks arrives whole', async () => {
  backendAnswer = 'HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n'
  const socket = dial()
  socket.write(ASK)
  assert.equal(await untilEnd(socket), 'HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\nabc')
})

test('a backend that is not there is an error of the API server', async () => {
  const socket = dial()
  socket.write(ASK.replace('/exec', '/unreachable'))
  const answer = await untilEnd(socket)
  assert.match(answer, /^HTTP\/1.1 500 /)
  assert.match(answer, /error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused/)
})
