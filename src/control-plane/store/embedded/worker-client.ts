/** The main thread's side of the store's worker: requests out, answers in. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { StoreClosedError, StoreUnusableError } from '../store.ts'
import type { FromWorker, OpenReply, PackedValues, Replies, Request, WireError, WorkerOptions } from './messages.ts'

type Waiting = { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }

/** Built when this is, else its source. */
const WORKER_PROGRAM = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

export class WorkerClient {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #opened = Promise.withResolvers<OpenReply>()
  readonly #exited = Promise.withResolvers<void>()
  #nextId = 1
  #failure: Error | null = null

  constructor(options: WorkerOptions) {
    this.#worker = new Worker(WORKER_PROGRAM, { workerData: options, name: 'store' })
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('error', (error: unknown) => {
      this.#fail(new StoreUnusableError(`The store's thread failed: ${String(error)}`))
    })
    this.#worker.on('exit', () => {
      this.#fail(new StoreClosedError())
      this.#exited.resolve()
    })
  }

  opened(): Promise<OpenReply> {
    return this.#opened.promise
  }

  request<R extends Request>(request: R, values?: PackedValues): Promise<Replies[R['kind']]> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const { promise, resolve, reject } = Promise.withResolvers<Replies[R['kind']]>()
    const id = this.#nextId++
    // A store with nothing to do does not keep the process alive.
    if (this.#waiting.size === 0) this.#worker.ref()
    this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject })
    this.#worker.postMessage({ id, request }, values === undefined ? [] : [values.bytes])
    return promise
  }

  async close(): Promise<void> {
    if (this.#failure === null) await this.request({ kind: 'close' })
    this.#worker.ref()
    await this.#exited.promise
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'opened') {
      this.#opened.resolve(message.state)
      if (this.#waiting.size === 0) this.#worker.unref()
    } else if (message.kind === 'failed') this.#fail(fromWire(message.error))
    else this.#answer(message)
  }

  #answer(message: Extract<FromWorker, { id: number }>): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (message.kind === 'reply') waiting?.resolve(message.result)
    else waiting?.reject(fromWire(message.error))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#opened.reject(this.#failure)
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure)
    this.#waiting.clear()
  }
}

function fromWire({ unusable, message }: WireError): Error {
  return unusable ? new StoreUnusableError(message) : new Error(message)
}
