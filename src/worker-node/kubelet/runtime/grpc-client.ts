/** Calls gRPC services on a unix socket, as container runtimes offer them; a small client over node:http2. */
import http2 from 'node:http2'
import net from 'node:net'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf'

/** gRPC's own status numbers that callers tell apart. */
export const GRPC_DEADLINE_EXCEEDED = 4
export const GRPC_NOT_FOUND = 5
export const GRPC_UNIMPLEMENTED = 12
export const GRPC_UNAVAILABLE = 14

/** Larger than any list of a node's containers, so that no answer waits for window updates. */
const WINDOW_BYTES = 4 << 20

export class GrpcError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export const isGrpcCode = (error: unknown, code: number): boolean => error instanceof GrpcError && error.code === code

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O }

export class GrpcClient {
  readonly #socketPath: string
  #session: http2.ClientHttp2Session | null = null

  constructor(socketPath: string) {
    this.#socketPath = socketPath.replace(/^unix:\/\//, '')
  }

  /** One answer; throws GrpcError. No deadline of its own: an aborted `signal` cancels the call on both sides. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): Promise<MessageShape<O>> {
    for await (const answer of this.stream(method, request, signal)) return answer
    throw new GrpcError(GRPC_UNAVAILABLE, `${method.name}: no answer`)
  }

  /** Answers until the server ends the stream; throws GrpcError for any status but OK. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    signal?.throwIfAborted()
    const stream = this.#request(method.parent, method.name)
    const cancel = (): void => void stream.close(http2.constants.NGHTTP2_CANCEL)
    signal?.addEventListener('abort', cancel, { once: true })
    const outcome = watchOutcome(stream)
    stream.end(frame(toBinary(method.input, create(method.input, request))))
    try {
      for await (const message of readFrames(stream)) yield fromBinary(method.output, message)
      signal?.throwIfAborted()
      const failure = outcome()
      if (failure) throw failure
    } catch (error) {
      signal?.throwIfAborted()
      throw error instanceof GrpcError ? error : new GrpcError(GRPC_UNAVAILABLE, (error as Error).message)
    } finally {
      signal?.removeEventListener('abort', cancel)
      if (!stream.closed) cancel()
    }
  }

  close(): void {
    this.#session?.destroy()
    this.#session = null
  }

  #request(service: DescService, method: string): http2.ClientHttp2Stream {
    return this.#connect().request({
      ':method': 'POST',
      ':path': `/${service.typeName}/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
  }

  /** A lost session is replaced at the next call, so a restarted runtime is found at once. */
  #connect(): http2.ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session
    const session = http2.connect('http://localhost', {
      createConnection: () => net.connect(this.#socketPath),
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    })
    const forget = (): void => {
      if (this.#session === session) this.#session = null
    }
    session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES))
    session.on('error', forget) // Each stream of the session fails with the same error and tells its caller.
    session.on('goaway', forget)
    session.on('close', forget)
    session.unref()
    this.#session = session
    return session
  }
}

/** Collects the status that the server sends in headers (an error without a body) or trailers. */
function watchOutcome(stream: http2.ClientHttp2Stream): () => GrpcError | null {
  let headers: http2.IncomingHttpHeaders | undefined
  const note = (received: http2.IncomingHttpHeaders): void => {
    if (received['grpc-status'] !== undefined) headers = received
  }
  stream.on('response', note)
  stream.on('trailers', note)
  return () => {
    if (headers === undefined) return new GrpcError(GRPC_UNAVAILABLE, 'the stream ended without a status')
    const code = Number(headers['grpc-status'])
    return code === 0 ? null : new GrpcError(code, decodeURIComponent(String(headers['grpc-message'] ?? '')))
  }
}

/** A message behind its 5 bytes: not compressed, length. */
function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, 5)
  return framed
}

async function* readFrames(stream: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void, undefined> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
      const end = 5 + pending.readUInt32BE(1)
      yield pending.subarray(5, end)
      pending = pending.subarray(end)
    }
  }
}
