/** `kubets api` as a process of its own over one data folder, for tests that kill it, starve it or look at its words. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const START_LIMIT_MS = 20_000
const clock = new SystemClock({ keepsProcessAlive: true })

export class ApiServerProcess {
  /** Holds the data in `data/`. */
  readonly folder: string
  readonly kubeconfig: string
  readonly #port: number
  #process: ChildProcess | null = null
  constructor(folder: string, port: number) {
    this.folder = folder
    this.kubeconfig = join(folder, 'kubeconfig')
    this.#port = port
  }

  /** Resolves when the server answers; also after a kill, over the same data. */
  async start(): Promise<void> {
    await rm(this.kubeconfig, { force: true })
    const options = { port: this.#port, 'data-dir': join(this.folder, 'data'), kubeconfig: this.kubeconfig }
    const args = [
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'bin/kubets.ts'),
      'api',
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
      '--log-level=error',
    ]
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const deadline = clock.monotonic() + START_LIMIT_MS
    while (!existsSync(this.kubeconfig)) {
      assert.equal(this.#process.exitCode, null, 'the server ended while it started')
      assert.ok(clock.monotonic() < deadline, 'the server does not answer')
      await clock.sleep(20)
    }
  }

  /** Resolves with the exit code, null after a signal that it did not catch, or when it never started; at once when it has ended. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill(signal)
    return ended
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
