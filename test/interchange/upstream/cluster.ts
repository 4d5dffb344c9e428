/** Upstream's kube-controller-manager, kube-scheduler and simulated kwok nodes, as released, on an API server; driven with kubectl. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { SystemClock } from '#base/clock.ts'
import { LIMIT_MS, waitFor, type Question } from '../eventually.ts'
import { kubernetesClients } from '../../tools/kubernetes-clients.ts'
import { startApiServer, writeKubeconfig, type ApiServerUnderTest } from './api-server.ts'

const BIN = process.env['PEERS_BIN'] ?? '/tmp/peers/bin'
const STAGES = resolve(import.meta.dirname, 'kwok-stages.yaml')
const PROTOBUF = '--kube-api-content-type=application/vnd.kubernetes.protobuf'
const clock = new SystemClock({ keepsProcessAlive: true })

/** Why upstream's components cannot run here; null when they can. */
export function componentsMissing(): string | null {
  const missing = ['kube-controller-manager', 'kube-scheduler', 'kwok', 'kubectl']
    .map((name) => join(BIN, name))
    .find((path) => !existsSync(path))
  return missing === undefined
    ? null
    : `SKIPPED: no upstream components: ${missing} is missing (PEERS_BIN names its folder)`
}

export class UpstreamCluster {
  readonly server: ApiServerUnderTest
  readonly logs = new Map<string, string[]>()
  readonly #folder: string
  readonly #processes: ChildProcess[] = []
  private constructor(server: ApiServerUnderTest, folder: string) {
    this.server = server
    this.#folder = folder
  }

  /** `port` is the first of seven. */
  static async start(port: number): Promise<UpstreamCluster> {
    const server = await startApiServer(port)
    const cluster = new UpstreamCluster(server, mkdtempSync(join(tmpdir(), 'kubets-upstream-')))
    try {
      await cluster.#startComponents(port)
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  async #startComponents(port: number): Promise<void> {
    await this.#start('kube-controller-manager', [
      `--secure-port=${port + 3}`,
      '--use-service-account-credentials',
      `--service-account-private-key-file=${join(this.server.pki, 'sa.key')}`,
      `--root-ca-file=${join(this.server.pki, 'ca.crt')}`,
      `--cluster-signing-cert-file=${join(this.server.pki, 'ca.crt')}`,
      `--cluster-signing-key-file=${join(this.server.pki, 'ca.key')}`,
      '--controllers=*,bootstrapsigner,tokencleaner',
      '--allocate-node-cidrs',
      '--cluster-cidr=10.64.0.0/16',
      '--node-monitor-grace-period=12s',
      '--node-monitor-period=1s',
      '--horizontal-pod-autoscaler-sync-period=2s',
      '--terminated-pod-gc-threshold=1',
    ])
    await this.#start('kube-scheduler', [`--secure-port=${port + 4}`])
    this.#spawn('kwok', [
      `--kubeconfig=${this.server.kubeconfig}`,
      `--config=${STAGES}`,
      '--manage-nodes-with-label-selector=simulated=yes',
      '--node-lease-duration-seconds=8',
      '--cidr=10.65.0.0/16',
      '--node-ip=192.0.2.2',
      `--server-address=127.0.0.1:${port + 5}`,
    ])
  }

  async #start(name: string, args: readonly string[]): Promise<void> {
    const kubeconfig = await writeKubeconfig(this.server, `system:${name}`, join(this.#folder, `${name}.kubeconfig`))
    const who = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig']
    this.#spawn(name, [...who.map((flag) => `--${flag}=${kubeconfig}`), '--bind-address=127.0.0.1', PROTOBUF, ...args])
  }

  #spawn(name: string, args: readonly string[]): void {
    const child = spawn(join(BIN, name), args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder })
    const lines: string[] = []
    this.logs.set(name, lines)
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trimEnd().split('\n')))
    this.#processes.push(child)
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    await this.server.stop()
    const kept = process.env['COMPONENT_LOGS']
    if (kept !== undefined)
      for (const [name, lines] of this.logs) writeFileSync(join(kept, `${name}.log`), lines.join('\n'))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Standard output of kubectl; rejects with its words when it fails. */
  kubectl(...args: string[]): Promise<string> {
    return this.kubectlWith('', ...args)
  }

  async kubectlWith(stdin: string, ...args: string[]): Promise<string> {
    const options = { timeout: LIMIT_MS, env: { ...process.env, KUBECONFIG: this.server.kubeconfig } }
    const running = promisify(execFile)(join(BIN, 'kubectl'), args, options)
    running.child.stdin!.on('error', () => undefined) // Ended before it read all: its exit code tells why.
    running.child.stdin!.end(stdin)
    return (await running).stdout
  }

  /** Standard output of helm; rejects with its words when it fails. */
  async helm(...args: string[]): Promise<string> {
    const folders = Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((what) => [`HELM_${what}_HOME`, this.#folder]))
    const env = { ...process.env, ...folders, KUBECONFIG: this.server.kubeconfig }
    return (await promisify(execFile)(kubernetesClients().helm, args, { timeout: 2 * LIMIT_MS, env })).stdout
  }

  /** Creates the objects in order. */
  async create(...objects: readonly object[]): Promise<void> {
    await this.kubectlWith(objects.map((object) => JSON.stringify(object)).join('\n---\n'), 'create', '-f', '-')
  }

  /** A new namespace with the ServiceAccount without which no pod is admitted. */
  async createNamespace(name: string): Promise<void> {
    await this.kubectl('create', 'namespace', name)
    await this.eventually('the ServiceAccount default', () => this.kubectl('-n', name, 'get', 'sa', 'default'))
  }

  /** What a jsonpath of an object says. */
  field(namespace: string, target: string, jsonpath: string): Promise<string> {
    return this.kubectl('-n', namespace, 'get', ...target.split(' '), '-o', `jsonpath=${jsonpath}`)
  }

  /** Names of the objects of a kind, sorted. */
  async names(namespace: string, kind: string, ...args: string[]): Promise<string[]> {
    const listed = await this.kubectl('-n', namespace, 'get', kind, '-o', 'name', ...args)
    return listed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(line.indexOf('/') + 1))
      .toSorted()
  }

  /** Resolves with the first answer that is one: an empty text is none yet. */
  eventually<T>(what: string, ask: Question<T>, limitMs = LIMIT_MS): Promise<T> {
    const answer: Question<T> = async () => (await ask()) || null
    return waitFor(clock, what, answer, () => this.#tail(), limitMs)
  }

  /** Until the field says so. */
  async untilField(
    target: readonly [namespace: string, target: string],
    jsonpath: string,
    value: string,
  ): Promise<void> {
    let last = ''
    await this.eventually(`${target.join(' ')} ${jsonpath} = ${value}`, async () => {
      last = await this.field(target[0], target[1], jsonpath)
      return last === value || Promise.reject(new Error(`it is ${JSON.stringify(last)}`))
    })
  }

  #tail(): string {
    return [...this.logs].map(([name, lines]) => `--- ${name}\n${lines.slice(-6).join('\n')}`).join('\n')
  }
}
