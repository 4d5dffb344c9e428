/** CertificateSigningRequests against a whole API server, up to a client that comes with the certificate it got. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import type { SelfSubjectReview } from '#api/authentication/v1.gen.ts'
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import type { ClusterRoleBinding } from '#api/rbac/v1.gen.ts'
import { CERTIFICATESIGNINGREQUESTS, CLUSTERROLEBINDINGS, SELFSUBJECTREVIEWS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

const CLIENT = 'kubernetes.io/kube-apiserver-client'
const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet'

let cluster: TestCluster
const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
before(async () => {
  cluster = await startTestCluster({ rootCa: 'PEM' })
})
after(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true })
})

/** As `openssl` makes it; the key lies in `NAME.key`. */
function requestOf(name: string, subject: string): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`]
  const pem = execFileSync('openssl', ['req', '-new', ...key, '-subj', subject], { cwd: folder, stdio: 'pipe' })
  return pem.toString('base64')
}

type Wish = { readonly subject: string; readonly signerName?: string; readonly usages?: readonly string[] }

function create(
  name: string,
  { subject, signerName = CLIENT, usages = ['client auth'] }: Wish,
  client: Client = cluster.client,
) {
  const spec = { request: requestOf(name, subject), signerName, usages: [...usages] }
  return client.create<CertificateSigningRequest>(CERTIFICATESIGNINGREQUESTS, { metadata: { name }, spec })
}

const read = (name: string): Promise<CertificateSigningRequest> =>
  cluster.client.get(CERTIFICATESIGNINGREQUESTS, '', name)

/** As `kubectl certificate approve` and `deny` do. */
async function answer(name: string, type: 'Approved' | 'Denied'): Promise<void> {
  const request = await read(name)
  const conditions = [{ type, status: 'True', reason: 'Test', message: 'by hand' }]
  const changed = { ...request, status: { ...request.status, conditions } }
  await cluster.client.putSubresource(CERTIFICATESIGNINGREQUESTS, changed, 'approval')
}

const issued = (name: string): Promise<string> =>
  cluster.eventually(async () => {
    const { status } = await read(name)
    return status?.certificate === undefined ? null : Buffer.from(status.certificate, 'base64').toString()
  })

test('an approved request gets a certificate that the API server takes', async () => {
  await create('alice', { subject: '/O=team-a/CN=alice' })
  await answer('alice', 'Approved')
  const certificate = await issued('alice')
  assert.equal(new X509Certificate(certificate).subject, 'O=team-a\nCN=alice')
  const privateKey = readFileSync(join(folder, 'alice.key'), 'utf8')
  const alice = cluster.clientWith({ certificate, privateKey })
  const { status } = await alice.review<SelfSubjectReview>(SELFSUBJECTREVIEWS, {})
  assert.equal(status?.userInfo?.username, 'alice')
  assert.deepEqual(status?.userInfo?.groups, ['team-a', 'system:authenticated'])
})

test('nothing is signed before it is approved, nor after it was denied, nor for signers of others', async () => {
  await create('waiting', { subject: '/CN=waiting' })
  await create('denied', { subject: '/CN=denied' })
  await create('foreign', { subject: '/CN=foreign', signerName: 'example.com/signer' })
  await answer('denied', 'Denied')
  await answer('foreign', 'Approved')
  await create('last', { subject: '/CN=last' })
  await answer('last', 'Approved')
  await issued('last')
  for (const name of ['waiting', 'denied', 'foreign'])
    assert.equal((await read(name)).status?.certificate, undefined, name)
})

test('what the signer does not take fails, and says why', async () => {
  await create('wrong', { subject: '/CN=wrong', usages: ['server auth'] })
  await answer('wrong', 'Approved')
  const failed = await cluster.eventually(async () =>
    (await read('wrong')).status?.conditions?.find(({ type }) => type === 'Failed'),
  )
  assert.partialDeepStrictEqual(failed, {
    status: 'True',
    reason: 'SignerValidationFailure',
    message: 'invalid usage for client certificate: server auth',
  })
})

test('a node that may renews its own certificate by itself', async () => {
  await cluster.client.create<ClusterRoleBinding>(CLUSTERROLEBINDINGS, {
    metadata: { name: 'nodes-renew' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
  })
  const wish = (node: string): Wish => ({
    subject: `/O=system:nodes/CN=system:node:${node}`,
    signerName: KUBELET_CLIENT,
    usages: ['digital signature', 'client auth'],
  })
  const groups = ['system:nodes', 'system:authenticated']
  const node = cluster.clientOf({ name: 'system:node:n1', groups })
  await create('foreign-node', wish('n2'), node)
  await create('own-node', wish('n1'), node)
  assert.equal(new X509Certificate(await issued('own-node')).subject, 'O=system:nodes\nCN=system:node:n1')
  const approval = (await read('own-node')).status?.conditions?.[0]
  assert.partialDeepStrictEqual(approval, {
    type: 'Approved',
    reason: 'AutoApproved',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  })
  assert.equal((await read('foreign-node')).status?.conditions, undefined)
})
