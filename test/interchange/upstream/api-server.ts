/** The API server under upstream's components: ours, or with API_SERVER=upstream the real one, which has to give the same. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderKubeconfig } from '#client/kubeconfig.ts'
import { ApiServerProcess } from '../../tools/api-server-process.ts'
import { startPeer } from '../peer-control-plane.ts'

export type ApiServerUnderTest = {
  readonly url: string
  /** Of a member of system:masters. */
  readonly kubeconfig: string
  /** Holds `ca.crt`, `ca.key` and `sa.key`. */
  readonly pki: string
  /** Kills the server as a power cut does, and starts it again on the same data and port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export const isUpstream = process.env['API_SERVER'] === 'upstream'

/** `port` is the first of seven. */
export function startApiServer(port: number): Promise<ApiServerUnderTest> {
  return isUpstream ? startRealOne(port) : startOurs(port)
}

async function startRealOne(port: number): Promise<ApiServerUnderTest> {
  const peer = startPeer(port)
  return {
    url: `https://127.0.0.1:${port}`,
    kubeconfig: peer.kubeconfig,
    pki: join(peer.caFile, '..'),
    restart: async () => peer.restart(),
    stop: async () => peer.down(),
  }
}

async function startOurs(port: number): Promise<ApiServerUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'kubets-interchange-'))
  const server = new ApiServerProcess(folder, port)
  await server.start()
  return {
    url: `https://127.0.0.1:${port}`,
    kubeconfig: server.kubeconfig,
    pki: join(folder, 'data/pki'),
    restart: async () => {
      await server.kill('SIGKILL')
      await server.start()
    },
    stop: async () => {
      await server.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Writes the kubeconfig of a user that the server's authority vouches for, and answers its path. */
export async function writeKubeconfig(server: ApiServerUnderTest, user: string, path: string): Promise<string> {
  const [ca, caKey] = [join(server.pki, 'ca.crt'), join(server.pki, 'ca.key')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${path}.key`]
  const request = openssl(['req', '-new', ...key, '-subj', `/CN=${user}`])
  await writeFile(`${path}.csr`, request)
  await writeFile(`${path}.ext`, 'extendedKeyUsage=clientAuth')
  const signing = [
    '-CA',
    ca,
    '-CAkey',
    caKey,
    '-set_serial',
    String(user.length),
    '-days',
    '2',
    '-extfile',
    '/dev/stdin',
  ]
  const certificate = openssl(['x509', '-req', '-in', `${path}.csr`, ...signing])
  const connection = {
    server: server.url,
    certificateAuthority: await readFile(ca, 'utf8'),
    clientCertificate: certificate,
    clientKey: await readFile(`${path}.key`, 'utf8'),
  }
  await writeFile(path, renderKubeconfig(connection, { cluster: 'interchange', user }), { mode: 0o600 })
  return path
}

/** Not our own code for certificates: that of the real server's authority has an RSA key. */
function openssl(args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
