/** A real cluster for the end-to-end tests: started once by the first test file that needs it, driven with the real kubectl. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { kubernetesClients, type Clients } from '../tools/kubernetes-clients.ts'
import { buildExampleImage } from '../../scripts/build-example-image.ts'

const run = promisify(execFile)
export const ROOT = new URL('../../', import.meta.url).pathname

export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** What keeps real nodes from running here, or null. */
export function missingForNodes(): string | null {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of ['/usr/bin/containerd', '/usr/bin/crun']) if (!existsSync(program)) return `needs ${program}`
  return null
}

export async function kubets(...args: string[]): Promise<Output> {
  return execute(`${ROOT}kubets`, args, {})
}

export async function execute(
  program: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; timeoutMs?: number },
): Promise<Output> {
  try {
    const child = run(program, args, {
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 120_000,
      maxBuffer: 64 * 1024 * 1024,
    })
    if (options.input !== undefined) child.child.stdin?.end(options.input)
    const { stdout, stderr } = await child
    return { code: 0, stdout, stderr }
  } catch (error) {
    const failure = error as { code?: number; stdout?: string; stderr?: string; message: string }
    if (typeof failure.code !== 'number') throw error
    return { code: failure.code, stdout: failure.stdout ?? '', stderr: failure.stderr ?? '' }
  }
}

export class TestCluster {
  readonly name: string
  readonly kubeconfig: string
  readonly #clients: Clients
  private constructor(name: string, kubeconfig: string, clients: Clients = kubernetesClients()) {
    this.name = name
    this.kubeconfig = kubeconfig
    this.#clients = clients
  }

  /** The same cluster, driven with another kubectl. */
  drivenWith(kubectl: string): TestCluster {
    return new TestCluster(this.name, this.kubeconfig, { ...this.#clients, kubectl })
  }

  /** Starts (or continues) the cluster of that name with the example image in its registry. */
  static async start(name: string, ...options: string[]): Promise<TestCluster> {
    const up = await kubets('up', '--name', name, ...options)
    if (up.code !== 0) throw new Error(`up failed: ${up.stderr}${up.stdout}`)
    try {
      return await TestCluster.#prepare(name)
    } catch (error) {
      await kubets('down', '--name', name)
      throw error
    }
  }

  static async #prepare(name: string): Promise<TestCluster> {
    const image = `/tmp/kubets-${name}-image.tar`
    await buildExampleImage(image)
    const loaded = await kubets('image', 'load', '--name', name, image)
    await run('rm', ['-f', image])
    if (loaded.code !== 0) throw new Error(`image load failed: ${loaded.stderr}`)
    const kubeconfig = (await kubets('kubeconfig', '--name', name)).stdout.trim()
    return new TestCluster(name, kubeconfig)
  }

  async stop(): Promise<void> {
    const down = await kubets('down', '--name', this.name)
    if (down.code !== 0) throw new Error(`down failed: ${down.stderr}${down.stdout}`)
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      KUBECONFIG: this.kubeconfig,
      HELM_CACHE_HOME: '/tmp/kubets-helm',
      HELM_CONFIG_HOME: '/tmp/kubets-helm',
      HELM_DATA_HOME: '/tmp/kubets-helm',
    }
  }

  /** Runs kubectl and answers what came, whatever the exit code. `args` is a command line without quoting. */
  try(args: string, input?: string): Promise<Output> {
    return this.tryArgs(args.split(' '), input)
  }

  tryArgs(args: readonly string[], input?: string): Promise<Output> {
    return execute(this.#clients.kubectl, args, { env: this.environment, ...(input === undefined ? {} : { input }) })
  }

  /** Standard output of kubectl; throws with its words when it fails. */
  async kubectl(args: string, input?: string): Promise<string> {
    return this.kubectlArgs(args.split(' '), input)
  }

  async kubectlArgs(args: readonly string[], input?: string): Promise<string> {
    const output = await this.tryArgs(args, input)
    if (output.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${output.stderr}${output.stdout}`)
    return output.stdout
  }

  async helm(args: string): Promise<string> {
    const output = await execute(this.#clients.helm, args.split(' '), { env: this.environment })
    if (output.code !== 0) throw new Error(`helm ${args}: ${output.stderr}${output.stdout}`)
    return output.stdout
  }

  /** A kubectl that keeps running (port-forward, watch, logs -f); end it with `kill`. */
  spawnKubectl(args: string): ChildProcess {
    return spawn(this.#clients.kubectl, args.split(' '), {
      env: { ...process.env, ...this.environment },
      stdio: 'pipe',
    })
  }

  /** A field of an object, as kubectl's jsonpath prints it. */
  async field(target: string, jsonpath: string): Promise<string> {
    return this.kubectlArgs(['get', ...target.split(' '), '-o', `jsonpath=${jsonpath}`])
  }
}

/** Polls until the check passes (neither false nor throwing); fails with the last error after `limitMs`. */
export async function eventually<T>(check: () => Promise<T | false>, what: string, limitMs = 30_000): Promise<T> {
  const deadline = Date.now() + limitMs
  let last: unknown = 'the condition stayed false'
  for (;;) {
    try {
      const result = await check()
      if (result !== false) return result
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`not within ${limitMs / 1000} s: ${what} (${String(last)})`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
