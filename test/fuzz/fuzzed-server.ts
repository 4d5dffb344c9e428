/** `./kubets api` under fuzzing: a process whose event loop, memory and words are looked at. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = new URL('../../', import.meta.url).pathname
const START_LIMIT_MS = 60_000
const PAGE_BYTES = 4096

export class FuzzedServer {
  readonly kubeconfig: string
  readonly #folder: string
  readonly #port: number
  #process: ChildProcess | null = null
  #words = ''
  constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.kubeconfig = join(folder, 'kubeconfig')
  }

  async start(): Promise<void> {
    await rm(this.kubeconfig, { force: true })
    const args = [
      'api',
      `--port=${this.#port}`,
      `--data-dir=${join(this.#folder, 'data')}`,
      `--kubeconfig=${this.kubeconfig}`,
    ]
    const monitor = new URL('loop-monitor.ts', import.meta.url).pathname
    const env = { ...process.env, NODE_OPTIONS: `--import=${monitor}`, LOOP_MONITOR_FILE: this.#stallFile }
    const child = spawn(join(ROOT, 'kubets'), args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#words += chunk.toString()))
    this.#process = child
    for (let waited = 0; !existsSync(this.kubeconfig); waited += 50) {
      if (child.exitCode !== null || waited > START_LIMIT_MS)
        throw new Error(`the server does not start: ${this.#words}`)
      await sleep(50)
    }
  }

  get hasEnded(): boolean {
    return this.#process === null || this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** What the server called an error since the last question. */
  takeErrors(): string[] {
    const lines = this.#words.split('\n')
    this.#words = lines.pop() ?? ''
    return lines.filter((line) => line.includes('"level":"error"') || line.includes('"level":"fatal"'))
  }

  /** Stretches without a turn of the event loop after `sinceMs`, in milliseconds of processor time. */
  stalls(sinceMs: number): number[] {
    if (!existsSync(this.#stallFile)) return []
    const lines = readFileSync(this.#stallFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    return lines.map((line) => line.split(' ').map(Number)).flatMap(([at, ms]) => (at! > sinceMs ? [ms!] : []))
  }

  memoryBytes(): number {
    const [, resident] = readFileSync(`/proc/${this.#process!.pid}/statm`, 'utf8').split(' ')
    return Number(resident) * PAGE_BYTES
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (child === null || this.hasEnded) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    await ended
  }

  get #stallFile(): string {
    return join(this.#folder, 'stalls')
  }
}
