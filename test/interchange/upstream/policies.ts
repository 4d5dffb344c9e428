/** Accounts, quotas, disruption budgets, autoscalers, certificates, volumes and devices, as upstream's controllers and scheduler keep them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import { promisify } from 'node:util'
import type { UpstreamCluster } from './cluster.ts'
import { podTemplate, workload } from './objects.ts'

const NAMESPACE = 'policies'

export function testPolicies(cluster: () => UpstreamCluster): void {
  const kubectl = (...args: string[]): Promise<string> => cluster().kubectl('-n', NAMESPACE, ...args)
  const untilField = (target: string, jsonpath: string, value: string): Promise<void> =>
    cluster().untilField([NAMESPACE, target], jsonpath, value)

  test('a namespace has its root certificate, an account its token', async () => {
    await cluster().createNamespace(NAMESPACE)
    await cluster().eventually('kube-root-ca.crt', async () =>
      /BEGIN CERTIFICATE/.test(await cluster().field(NAMESPACE, 'cm/kube-root-ca.crt', '{.data.ca\\.crt}')),
    )
    const annotations = { 'kubernetes.io/service-account.name': 'default' }
    await cluster().create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'token', namespace: NAMESPACE, annotations },
      type: 'kubernetes.io/service-account-token',
    })
    const token = await cluster().eventually('token', () => cluster().field(NAMESPACE, 'secret/token', '{.data.token}'))
    const bearer = `--token=${Buffer.from(token, 'base64').toString()}`
    const server = [`--server=${cluster().server.url}`, `--certificate-authority=${cluster().server.pki}/ca.crt`]
    assert.match(
      await cluster().kubectl('--kubeconfig=/dev/null', ...server, bearer, 'auth', 'whoami'),
      /system:serviceaccount:policies:default/,
    )
    await kubectl('delete', 'sa', 'default')
    await kubectl('wait', 'secret/token', '--for=delete', '--timeout=20s')
    await cluster().eventually('the account is back', () => kubectl('get', 'sa', 'default'))
  })

  test('a quota counts what is there, and holds a ReplicaSet to it', async () => {
    await kubectl('create', 'quota', 'q', '--hard=pods=2,count/deployments.apps=1')
    await untilField('quota/q', '{.status.used.pods}', '0')
    await cluster().create(workload('Deployment', NAMESPACE, 'web', { replicas: 3 }))
    await untilField('deploy/web', '{.status.conditions[?(@.type=="ReplicaFailure")].reason}', 'FailedCreate')
    await untilField('quota/q', '{.status.used.pods}', '2')
    await assert.rejects(
      cluster().create(workload('Deployment', NAMESPACE, 'second')),
      /exceeded quota: q, requested: count\/deployments\.apps=1, used: count\/deployments\.apps=1, limited: count\/deployments\.apps=1/,
    )
    await kubectl('patch', 'quota', 'q', '-p', '{"spec":{"hard":{"pods":"9"}}}')
    await kubectl('rollout', 'restart', 'deploy/web')
    await kubectl('rollout', 'status', 'deploy/web', '--timeout=30s')
  })

  test('a disruption budget lets one pod be evicted, not two', async () => {
    await kubectl('create', 'pdb', 'web', '--selector=app=web', '--min-available=2')
    await untilField('pdb/web', '{.status.disruptionsAllowed}', '1')
    await kubectl('scale', 'deploy/web', '--replicas=2')
    await untilField('pdb/web', '{.status.disruptionsAllowed}', '0')
    const [pod] = await cluster().names(NAMESPACE, 'pod', '-l', 'app=web')
    await assert.rejects(evict(pod!), /Cannot evict pod as it would violate the pod's disruption budget/)
    await kubectl('scale', 'deploy/web', '--replicas=3')
    await untilField('pdb/web', '{.status.disruptionsAllowed}', '1')
    await evict(pod!)
    await kubectl('wait', `pod/${pod}`, '--for=delete', '--timeout=20s')
  })

  async function evict(name: string): Promise<void> {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: NAMESPACE } }
    await cluster().kubectlWith(JSON.stringify(body), 'create', '--raw', path, '-f', '-')
  }

  test('an autoscaler keeps within its bounds, and says that it has no metrics', async () => {
    await kubectl('autoscale', 'deploy/web', '--min=4', '--max=5', '--cpu=50%')
    await untilField('deploy/web', '{.spec.replicas}', '4')
    await kubectl('scale', 'deploy/web', '--replicas=7')
    await untilField('deploy/web', '{.spec.replicas}', '5')
    const conditions = '{range .status.conditions[*]}{.type}={.status} {.reason},{end}'
    await untilField(
      'hpa/web',
      conditions,
      'AbleToScale=True SucceededGetScale,ScaledToZero=False NotScaledToZero,ScalingActive=False FailedGetResourceMetric,',
    )
    const events = await kubectl('get', 'events', '--field-selector=involvedObject.name=web')
    assert.match(
      events,
      /SuccessfulRescale +horizontalpodautoscaler\/web +New size: 4; reason: Current number of replicas below Spec\.MinReplicas/,
    )
    assert.match(
      events,
      /SuccessfulRescale +horizontalpodautoscaler\/web +New size: 5; reason: Current number of replicas above Spec\.MaxReplicas/,
    )
    assert.match(
      events,
      /FailedGetResourceMetric +horizontalpodautoscaler\/web +failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource \(get pods\.metrics\.k8s\.io\)/,
    )
  })

  test('an approved certificate request is signed; that of a node is approved by itself', async () => {
    await requestCertificate('bob', '/O=dev/CN=bob', 'kubernetes.io/kube-apiserver-client', ['client auth'])
    await kubectl('certificate', 'approve', 'bob')
    assert.equal(await subjectOf('bob'), 'O=dev\nCN=bob')
    await kubectl(
      'create',
      'clusterrolebinding',
      'bootstrap',
      '--clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient',
      '--group=system:bootstrappers',
    )
    await kubectl(
      'create',
      'clusterrolebinding',
      'bootstrapper',
      '--clusterrole=system:node-bootstrapper',
      '--group=system:bootstrappers',
    )
    const bootstrap = ['--as=system:bootstrap:abcdef', '--as-group=system:bootstrappers']
    await requestCertificate(
      'node',
      '/O=system:nodes/CN=system:node:n',
      'kubernetes.io/kube-apiserver-client-kubelet',
      ['client auth', 'digital signature'],
      bootstrap,
    )
    assert.equal(await subjectOf('node'), 'O=system:nodes\nCN=system:node:n')
  })

  async function subjectOf(name: string): Promise<string> {
    const certificate = await cluster().eventually('certificate', () =>
      cluster().field('', `csr/${name}`, '{.status.certificate}'),
    )
    return new X509Certificate(Buffer.from(certificate, 'base64')).subject
  }

  async function requestCertificate(
    name: string,
    subject: string,
    signerName: string,
    usages: string[],
    as: string[] = [],
  ): Promise<void> {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '/dev/null']
    const { stdout } = await promisify(execFile)('openssl', ['req', '-new', ...key, '-subj', subject])
    const request = Buffer.from(stdout).toString('base64')
    const object = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: { request, signerName, usages },
    }
    await cluster().kubectlWith(JSON.stringify(object), 'create', '-f', '-', ...as)
  }

  test('a volume is bound, protected while it is used, and released', async () => {
    const spec = { storageClassName: 'shelf', accessModes: ['ReadWriteOnce'] }
    await cluster().create(
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'shelf' },
        spec: { ...spec, capacity: { storage: '1Gi' }, hostPath: { path: '/srv/shelf' } },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'c', namespace: NAMESPACE },
        spec: { ...spec, resources: { requests: { storage: '1Gi' } } },
      },
      pod('uses', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }),
    )
    await kubectl('wait', 'pvc/c', '--for=jsonpath={.status.phase}=Bound', '--timeout=20s')
    await kubectl('wait', 'pod/uses', '--for=condition=Ready', '--timeout=20s')
    await kubectl('delete', 'pvc', 'c', '--wait=false')
    assert.equal(await cluster().field(NAMESPACE, 'pvc/c', '{.metadata.finalizers[*]}'), 'kubernetes.io/pvc-protection')
    await kubectl('delete', 'pod', 'uses', '--timeout=20s')
    await kubectl('wait', 'pvc/c', '--for=delete', '--timeout=20s')
    await kubectl('wait', 'pv/shelf', '--for=jsonpath={.status.phase}=Released', '--timeout=20s')
  })

  test('a ClusterRole gathers the rules of those it selects', async () => {
    const clusterRoleSelectors = [{ matchLabels: { 'gather.example.test': 'yes' } }]
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    await cluster().create({
      apiVersion,
      kind: 'ClusterRole',
      metadata: { name: 'gathers' },
      aggregationRule: { clusterRoleSelectors },
    })
    await kubectl('create', 'clusterrole', 'gathered', '--verb=get', '--resource=pods')
    await kubectl('label', 'clusterrole', 'gathered', 'gather.example.test=yes')
    await untilField('clusterrole/gathers', '{.rules[*].resources[*]}', 'pods')
  })

  test('a bootstrap token signs the cluster info, and goes when it has expired', async () => {
    const expiration = new Date(Date.now() + 5000).toISOString().replace(/\.\d+Z/, 'Z')
    const data = {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-signing': 'true',
      expiration,
    }
    const info = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { kubeconfig: 'apiVersion: v1\n' },
    }
    await cluster().create(info, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: data,
    })
    await cluster().eventually('signature', () =>
      cluster().field('kube-public', 'cm/cluster-info', '{.data.jws-kubeconfig-abcdef}'),
    )
    await cluster().kubectl(
      '-n',
      'kube-system',
      'wait',
      'secret/bootstrap-token-abcdef',
      '--for=delete',
      '--timeout=25s',
    )
  })

  test('a range of service addresses becomes ready, and its deletion waits for its addresses', async () => {
    await cluster().create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'more' },
      spec: { cidrs: ['10.200.0.0/24'] },
    })
    await kubectl('wait', 'servicecidr/more', '--for=condition=Ready', '--timeout=20s')
    await kubectl('create', 'service', 'clusterip', 'there', '--tcp=80', '--clusterip=10.200.0.7')
    await kubectl('delete', 'servicecidr', 'more', '--wait=false')
    await untilField('servicecidr/more', '{.status.conditions[?(@.type=="Ready")].reason}', 'Terminating')
    await kubectl('delete', 'service', 'there')
    await kubectl('wait', 'servicecidr/more', '--for=delete', '--timeout=30s')
  })

  test('a pod gets the device that its claim asks for', async () => {
    const apiVersion = 'resource.k8s.io/v1'
    const requests = [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }]
    const pool = { name: 'sim-1', generation: 1, resourceSliceCount: 1 }
    await cluster().create(
      {
        apiVersion,
        kind: 'DeviceClass',
        metadata: { name: 'gpu' },
        spec: { selectors: [{ cel: { expression: 'device.driver == "gpu.example.test"' } }] },
      },
      {
        apiVersion,
        kind: 'ResourceSlice',
        metadata: { name: 'sim-1' },
        spec: { driver: 'gpu.example.test', nodeName: 'sim-1', pool, devices: [{ name: 'gpu-0' }] },
      },
      {
        apiVersion,
        kind: 'ResourceClaimTemplate',
        metadata: { name: 'gpu', namespace: NAMESPACE },
        spec: { spec: { devices: { requests } } },
      },
      pod('computes', { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpu' }] }),
    )
    await kubectl('wait', 'pod/computes', '--for=condition=Ready', '--timeout=30s')
    assert.equal(await cluster().field(NAMESPACE, 'pod/computes', '{.spec.nodeName}'), 'sim-1')
    assert.equal(
      await cluster().field(NAMESPACE, 'resourceclaim', '{.items[*].status.allocation.devices.results[*].device}'),
      'gpu-0',
    )
    await kubectl('delete', 'pod', 'computes', '--timeout=20s')
    await cluster().eventually(
      'the claim goes with its pod',
      async () => (await cluster().names(NAMESPACE, 'resourceclaim')).length === 0,
    )
  })

  function pod(name: string, spec: object): object {
    const template = podTemplate({ app: name }, spec)
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name, namespace: NAMESPACE },
      spec: template.spec,
    }
  }
}
