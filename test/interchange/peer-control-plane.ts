/** A real kube-apiserver with etcd beside our components, where they have been built; null says that they have not. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export type Peer = {
  readonly kubeconfig: string
  readonly caFile: string
  readonly caKeyFile: string
  readonly kubectl: string
  /** Kills etcd and the API server as a power cut does, and starts them again on the same data and port. */
  restart(): void
  down(): void
}

const BIN = process.env['PEERS_BIN'] ?? '/tmp/peers/bin'
const SCRIPT = resolve(import.meta.dirname, '../../../shared/peers/peer-control-plane')

/** Why the tests against a real API server cannot run here; null when they can. */
export function reasonToSkip(): string | null {
  for (const path of [SCRIPT, ...['kube-apiserver', 'etcd', 'kubectl'].map((name) => join(BIN, name))])
    if (!existsSync(path))
      return `SKIPPED: no real Kubernetes to test against: ${path} is missing (PEERS_BIN names its folder)`
  return null
}

/** `port` is the first of seven. */
export function startPeer(port: number): Peer {
  const dir = mkdtempSync(join(tmpdir(), 'kubets-peer-'))
  const call = (...args: string[]): string =>
    execFileSync(SCRIPT, [...args, '--dir', dir], {
      encoding: 'utf8',
      env: { ...process.env, PEERS_BIN: BIN },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const up = (): string => call('up', '--port', String(port), '--no-fsync')
  const down = (): void => void call('down')
  try {
    const kubeconfig = up().trim().split('\n').at(-1)!
    return {
      kubeconfig,
      caFile: join(dir, 'pki/ca.crt'),
      caKeyFile: join(dir, 'pki/ca.key'),
      kubectl: join(BIN, 'kubectl'),
      restart: () => {
        call('stop')
        void up()
      },
      down,
    }
  } catch (error) {
    down()
    throw error
  }
}
