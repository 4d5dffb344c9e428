/** Our controllers of quotas, volumes and certificate requests on a real kube-apiserver, as kubectl sees them. */
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import test, { after, before, describe } from 'node:test'
import { SystemClock } from '#base/clock.ts'
import { LIMIT_MS, waitFor } from './eventually.ts'
import { reasonToSkip, startPeer, type Peer } from './peer-control-plane.ts'

const PORT = 19_400

const reason = reasonToSkip()
if (reason !== null) console.error(`${reason}\n`)

let peer: Peer
let manager: ChildProcess
const managerLog: string[] = []
const clock = new SystemClock({ keepsProcessAlive: true })

/** An empty answer is none yet. */
const eventually = (what: string, ask: () => Promise<string | boolean>): Promise<string | true> =>
  waitFor<string | true>(
    clock,
    what,
    async () => (await ask()) || null,
    () => managerLog.slice(-20).join('\n'),
  )

async function kubectl(...args: string[]): Promise<string> {
  const running = promisify(execFile)(peer.kubectl, ['--kubeconfig', peer.kubeconfig, ...args], { timeout: LIMIT_MS })
  return (await running).stdout
}

async function apply(object: object): Promise<void> {
  const running = promisify(execFile)(peer.kubectl, ['--kubeconfig', peer.kubeconfig, 'create', '-f', '-'])
  running.child.stdin!.end(JSON.stringify(object))
  await running
}

describe('our controllers of quotas, volumes and certificate requests', { skip: reason ?? false }, () => {
  before(async () => {
    peer = startPeer(PORT)
    const program = resolve(import.meta.dirname, '../../bin/kube-controller-manager.ts')
    const flags = ['--kubeconfig', peer.kubeconfig, '--root-ca-file', peer.caFile]
    const signing = ['--cluster-signing-cert-file', peer.caFile, '--cluster-signing-key-file', peer.caKeyFile]
    manager = spawn(process.execPath, [program, ...flags, ...signing], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [manager.stdout!, manager.stderr!])
      stream.on('data', (chunk: Buffer) => managerLog.push(...chunk.toString().trimEnd().split('\n')))
    await kubectl('create', 'namespace', 'work')
  })

  after(() => {
    manager?.kill('SIGKILL')
    peer?.down()
  })

  test('a quota is counted and enforced', async () => {
    await kubectl('-n', 'work', 'create', 'quota', 'q', '--hard=count/secrets=1')
    const counted = (used: number): Promise<unknown> =>
      eventually(`${used} used`, async () =>
        new RegExp(`count/secrets +${used} +1`).test(await kubectl('-n', 'work', 'describe', 'quota', 'q')),
      )
    const create = (name: string): Promise<string> => kubectl('-n', 'work', 'create', 'secret', 'generic', name)
    await counted(0)
    await create('one')
    await assert.rejects(create('two'), /exceeded quota: q, requested: count\/secrets=1, used: count\/secrets=1/)
    await kubectl('-n', 'work', 'delete', 'secret', 'one')
    await counted(0)
    await create('two')
  })

  test('a claim is bound to a volume, and both are let go in order', async () => {
    const [accessModes, storageClassName, capacity] = [['ReadWriteOnce'], 'by-hand', { storage: '1Gi' }]
    await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { accessModes, storageClassName, capacity, hostPath: { path: '/srv/v' } },
    })
    await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', namespace: 'work' },
      spec: { accessModes, storageClassName, resources: { requests: capacity } },
    })
    const phase = (name: string): string => `--for=jsonpath={.status.phase}=${name}`
    await kubectl('-n', 'work', 'wait', 'pvc/c', phase('Bound'), '--timeout=20s')
    await kubectl('-n', 'work', 'delete', 'pvc', 'c', '--timeout=20s')
    await kubectl('wait', 'pv/v', phase('Released'), '--timeout=20s')
    await kubectl('delete', 'pv', 'v', '--timeout=20s')
  })

  test('an approved certificate request is signed', async () => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '/dev/null']
    const { stdout } = await promisify(execFile)('openssl', ['req', '-new', ...key, '-subj', '/O=dev/CN=bob'])
    const request = Buffer.from(stdout).toString('base64')
    await apply({
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'bob' },
      spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] },
    })
    await kubectl('certificate', 'approve', 'bob')
    const certificate = await eventually('certificate', () =>
      kubectl('get', 'csr', 'bob', '-o', 'jsonpath={.status.certificate}'),
    )
    assert.equal(new X509Certificate(Buffer.from(String(certificate), 'base64')).subject, 'O=dev\nCN=bob')
  })

  test('nothing failed on the way', () => {
    assert.deepEqual(
      managerLog.filter((line) => /"level":"(warn|error)"/.test(line)),
      [],
    )
  })
})
