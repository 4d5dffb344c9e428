/** `kube-apiserver` as a process of its own with certificates of its own, for tests of its flags and of its end. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpsRequest, type Agent } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority, createSigningKey, issueCertificate, type KeyPair } from '#cluster/certificates/authority.ts'
import { clock } from './api-server-port.ts'
import { freePort } from './api-server-process.ts'

const PROGRAM = new URL('../../bin/kube-apiserver.ts', import.meta.url).pathname
const START_LIMIT_MS = 20_000

export type ProcessAnswer = { readonly code: number; readonly headers: IncomingHttpHeaders; readonly text: string }
export type ProcessQuestion = {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly pair?: KeyPair | null
  readonly agent?: Agent
}

export class KubeApiserverProcess {
  readonly folder: string
  readonly port: number
  readonly ca: string
  readonly admin: KeyPair
  readonly frontProxy: KeyPair
  readonly #process: ChildProcess

  private constructor(
    parts: Pick<KubeApiserverProcess, 'folder' | 'port' | 'ca' | 'admin' | 'frontProxy'>,
    process: ChildProcess,
  ) {
    this.folder = parts.folder
    this.port = parts.port
    this.ca = parts.ca
    this.admin = parts.admin
    this.frontProxy = parts.frontProxy
    this.#process = process
  }

  /** Resolves when it is ready. `flags` come after those that every test needs. */
  static async start(
    flags: readonly string[],
    files: Readonly<Record<string, string>> = {},
  ): Promise<KubeApiserverProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'kube-apiserver-'))
    const [authority, frontAuthority] = [
      await createAuthority('kubernetes', clock),
      await createAuthority('front', clock),
    ]
    const serving = await issueCertificate(
      authority,
      { commonName: 'api', hosts: ['127.0.0.1'], usages: ['server'] },
      clock,
    )
    const adminRequest = { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] } as const
    const admin = await issueCertificate(authority, adminRequest, clock)
    const frontProxy = await issueCertificate(frontAuthority, { commonName: 'front-client', usages: ['client'] }, clock)
    const signingKey = await createSigningKey()
    const written = {
      ...files,
      'ca.crt': authority.certificate,
      'front.crt': frontAuthority.certificate,
      'api.crt': serving.certificate,
      'api.key': serving.privateKey,
      'sa.key': signingKey.privateKey,
      'sa.pub': signingKey.publicKey,
    }
    for (const [name, text] of Object.entries(written)) await writeFile(join(folder, name), text)
    const port = await freePort()
    const args = [
      `--data-dir=${folder}/data`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--tls-cert-file=${folder}/api.crt`,
      `--tls-private-key-file=${folder}/api.key`,
      `--client-ca-file=${folder}/ca.crt`,
      `--service-account-key-file=${folder}/sa.pub`,
      `--service-account-signing-key-file=${folder}/sa.key`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=Node,RBAC',
      ...flags.map((flag) => flag.replaceAll('FOLDER', folder)),
    ]
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const started = new KubeApiserverProcess({ folder, port, ca: authority.certificate, admin, frontProxy }, child)
    await started.#untilReady()
    return started
  }

  async #untilReady(): Promise<void> {
    const deadline = clock.monotonic() + START_LIMIT_MS
    for (;;) {
      const answer = await this.ask('/readyz').catch(() => null)
      if (answer?.code === 200) return
      assert.equal(this.#process.exitCode, null, 'the server ended while it started')
      assert.ok(clock.monotonic() < deadline, `the server is not ready: ${answer?.text}`)
      await clock.sleep(50)
    }
  }

  /** As the administrator unless another certificate, or null for none, is given; on a connection of its own unless with an agent. */
  ask(path: string, question: ProcessQuestion = {}): Promise<ProcessAnswer> {
    const { method = 'GET', headers = {}, body, pair = this.admin, agent } = question
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        {
          host: '127.0.0.1',
          port: this.port,
          path,
          method,
          headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
          ca: this.ca,
          agent: agent ?? false,
          ...(pair === null ? {} : { cert: pair.certificate, key: pair.privateKey }),
        },
        (response: IncomingMessage) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({ code: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }),
          )
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Resolves with the exit code. */
  async untilEnd(): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode
    return new Promise((resolve) => this.#process.once('exit', resolve))
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM')
    await this.untilEnd()
    await rm(this.folder, { recursive: true, force: true })
  }
}
