/** exec and attach for WebSocket clients: their numbered channels on one side, the runtime's SPDY streams on the other. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { StreamOptions } from '../../runtime/runtime-service.ts'
import type { SpdyClient, SpdyStream } from './spdy-connection.ts'
import { connectSpdy } from './upgrade.ts'
import { acceptWebSocket, requestedProtocols, type WebSocketConnection } from './websocket-connection.ts'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
/** v5: the channel in the next byte is at its end. */
const CLOSE = 255

type Protocol = {
  readonly name: string
  readonly isBase64: boolean
  readonly hasStatus: boolean
  readonly canClose: boolean
}

/** In order of preference. Before v4 the error channel holds plain text. */
const PROTOCOLS: readonly Protocol[] = [
  { name: 'v5.channel.k8s.io', isBase64: false, hasStatus: true, canClose: true },
  { name: 'v4.channel.k8s.io', isBase64: false, hasStatus: true, canClose: false },
  { name: 'v4.base64.channel.k8s.io', isBase64: true, hasStatus: true, canClose: false },
  { name: 'channel.k8s.io', isBase64: false, hasStatus: false, canClose: false },
  { name: 'base64.channel.k8s.io', isBase64: true, hasStatus: false, canClose: false },
]
const UNNAMED: Protocol = { name: '', isBase64: false, hasStatus: false, canClose: false }

/** Null when the client offers nothing that we speak. */
export function chooseProtocol(offered: readonly string[]): Protocol | null {
  if (offered.length === 0) return UNNAMED
  return PROTOCOLS.find(({ name }) => offered.includes(name)) ?? null
}

export type RemoteCommand = {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly options: StreamOptions
  /** The runtime's single-use URL. */
  readonly url: string
}

export async function serveRemoteCommand({ request, socket, head, options, url }: RemoteCommand): Promise<void> {
  const protocol = chooseProtocol(requestedProtocols(request))!
  const runtime = await connectSpdy(url, 'v4.channel.k8s.io')
  const client = acceptWebSocket(request, socket, head, protocol.name)
  const { inputs, outputsEnded } = await openStreams({ runtime, client, protocol, options })
  const reading = readClient({ client, protocol, inputs, runtime })
  // The command is over when its outputs and its status are; the client may go earlier.
  await Promise.race([Promise.all(outputsEnded), reading, runtime.closed])
  await client.close()
  runtime.close()
  await reading
}

type Inputs = { readonly stdin?: SpdyStream; readonly resize?: SpdyStream }

async function openStreams(of: {
  readonly runtime: SpdyClient
  readonly client: WebSocketConnection
  readonly protocol: Protocol
  readonly options: StreamOptions
}): Promise<{ readonly inputs: Inputs; readonly outputsEnded: readonly Promise<void>[] }> {
  const { runtime, client, protocol, options } = of
  const outputsEnded: Promise<void>[] = []
  const openOutput = async (type: string, channel: number): Promise<void> => {
    const ended = Promise.withResolvers<void>()
    outputsEnded.push(ended.promise)
    await runtime.open(
      { streamtype: type },
      {
        onData: (data) => sendChannel(client, protocol, channel, channel === ERROR ? errorBytes(protocol, data) : data),
        onEnd: () => ended.resolve(),
      },
    )
  }
  const openInput = (type: string): Promise<SpdyStream> =>
    runtime.open({ streamtype: type }, { onData: () => {}, onEnd: () => {} })
  await openOutput('error', ERROR)
  const stdin = options.stdin ? await openInput('stdin') : undefined
  if (options.stdout) await openOutput('stdout', STDOUT)
  if (options.stderr && !options.tty) await openOutput('stderr', STDERR)
  const resize = options.tty ? await openInput('resize') : undefined
  return { inputs: { ...(stdin && { stdin }), ...(resize && { resize }) }, outputsEnded }
}

/** Old clients read text, and take silence for success. */
function errorBytes({ hasStatus }: Protocol, data: Buffer): Buffer {
  if (hasStatus) return data
  const status = JSON.parse(data.toString()) as { readonly status?: string; readonly message?: string }
  return Buffer.from(status.status === 'Success' ? '' : (status.message ?? ''))
}

async function sendChannel(
  client: WebSocketConnection,
  protocol: Protocol,
  channel: number,
  data: Buffer,
): Promise<void> {
  if (protocol.isBase64) await client.send(Buffer.from(`${channel}${data.toString('base64')}`), 'text')
  else await client.send(Buffer.concat([Buffer.from([channel]), data]))
}

async function readClient(of: {
  readonly client: WebSocketConnection
  readonly protocol: Protocol
  readonly inputs: Inputs
  readonly runtime: SpdyClient
}): Promise<void> {
  const { client, protocol, inputs, runtime } = of
  try {
    for await (const message of client.messages()) {
      const { channel, data } = readMessage(protocol, message)
      if (channel === CLOSE && protocol.canClose) {
        if (data[0] === STDIN) await inputs.stdin?.end()
      } else if (channel === STDIN && data.length > 0) await inputs.stdin?.write(data)
      else if (channel === RESIZE) await inputs.resize?.write(data)
    }
  } catch {
    // Either side is gone: the command is ended below, and there is nobody left to tell.
  } finally {
    runtime.close()
  }
}

function readMessage({ isBase64 }: Protocol, message: Buffer): { readonly channel: number; readonly data: Buffer } {
  if (message.length === 0) return { channel: -1, data: message }
  if (!isBase64) return { channel: message[0]!, data: message.subarray(1) }
  return { channel: message[0]! - 48, data: Buffer.from(message.subarray(1).toString(), 'base64') }
}
