/** Does with @kubernetes/client-node what tools in JavaScript do, and ends with an error where an API server answers otherwise than they rely on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import * as k8s from '@kubernetes/client-node'

const LIMIT_MS = 60_000
const config = new k8s.KubeConfig()
config.loadFromDefault()
const core = config.makeApiClient(k8s.CoreV1Api)
const apps = config.makeApiClient(k8s.AppsV1Api)

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (const endsAt = Date.now() + LIMIT_MS; !isSo(); await sleep(20))
    assert.ok(Date.now() < endsAt, `never so: ${what}`)
}

/** Asks who started this program to kill the API server and to start it again. */
async function restartServer(): Promise<void> {
  console.log('RESTART')
  const lines = createInterface(process.stdin)
  const [answer] = await once(lines, 'line')
  lines.close()
  process.stdin.destroy()
  assert.equal(answer, 'restarted')
}

const configMap = (name: string): k8s.V1ConfigMap => ({ metadata: { name } })

/** An informer sees each change, also those around a crash of the API server. */
async function checkInformers(namespace: string): Promise<void> {
  for (const name of ['before-0', 'before-1', 'before-2'])
    await core.createNamespacedConfigMap({ namespace, body: configMap(name) })
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const informer = k8s.makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace }))
  const told: string[] = []
  for (const verb of ['add', 'update', 'delete'] as const)
    informer.on(verb, (object) => void told.push(`${verb} ${object.metadata!.name}`))
  let errors = 0
  informer.on('error', () => {
    errors++
    setTimeout(() => void informer.start().catch(() => informer.start()), 200)
  })
  await informer.start()
  await eventually('three objects', () => informer.list(namespace).length >= 3)
  await restartServer()
  await core.createNamespacedConfigMap({ namespace, body: configMap('after') })
  const changed = await core.readNamespacedConfigMap({ namespace, name: 'before-1' })
  await core.replaceNamespacedConfigMap({ namespace, name: 'before-1', body: { ...changed, data: { changed: 'yes' } } })
  await core.deleteNamespacedConfigMap({ namespace, name: 'before-2' })
  for (const line of ['add before-0', 'add after', 'update before-1', 'delete before-2'])
    await eventually(`${line} in ${told.join()}`, () => told.includes(line))
  assert.equal(told.filter((line) => line === 'add after').length, 1, told.join())
  assert.deepEqual(
    informer
      .list(namespace)
      .map(({ metadata }) => metadata!.name!)
      .toSorted(),
    ['after', 'before-0', 'before-1'],
  )
  console.log(`errors between: ${errors}`)
  await informer.stop()
}

/** Server-side apply with its conflicts, and the other patches. */
async function checkApply(namespace: string): Promise<void> {
  const objects = k8s.KubernetesObjectApi.makeApiClient(config)
  const wanted = (replicas: number): k8s.KubernetesObject & { spec: object } => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template },
  })
  const apply = (replicas: number, manager: string, force: boolean): Promise<k8s.KubernetesObject> =>
    objects.patch(wanted(replicas), undefined, undefined, manager, force, k8s.PatchStrategy.ServerSideApply)
  await apply(2, 'one', false)
  await assert.rejects(apply(4, 'two', false), (error: k8s.ApiException<string>) => {
    assert.equal(error.code, 409)
    assert.match(String(error.body), /conflict with \\"one\\": \.spec\.replicas/)
    return true
  })
  await apply(4, 'two', true)
  const name = 'web'
  const body = [{ op: 'replace', path: '/spec/replicas', value: 3 }]
  const patched = await apps.patchNamespacedDeployment(
    { namespace, name, body },
    k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.JsonPatch),
  )
  assert.equal(patched.spec!.replicas, 3)
  assert.deepEqual(patched.metadata!.managedFields!.map(({ manager }) => manager).toSorted(), [
    'kubernetes-client-javascript',
    'one',
    'two',
  ])
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name })
  await apps.replaceNamespacedDeploymentScale({ namespace, name, body: { ...scale, spec: { replicas: 1 } } })
  assert.equal((await apps.readNamespacedDeployment({ namespace, name })).spec!.replicas, 1)
}

const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'example.test/c:1' }] },
}

async function checkReads(namespace: string): Promise<void> {
  for (let index = 0; index < 12; index++)
    await core.createNamespacedConfigMap({ namespace, body: configMap(`n-${index}`) })
  const names: string[] = []
  let next: string | undefined
  do {
    const page = await core.listNamespacedConfigMap({
      namespace,
      limit: 5,
      ...(next === undefined ? {} : { _continue: next }),
    })
    names.push(...page.items.map(({ metadata }) => metadata!.name!))
    next = page.metadata!._continue
  } while (next)
  assert.equal(new Set(names).size, 12)
  const version = await config.makeApiClient(k8s.VersionApi).getCode()
  assert.equal(version.minor, '37')
  const groups = await config.makeApiClient(k8s.ApisApi).getAPIVersions()
  assert.ok(groups.groups.some(({ name }) => name === 'apps'))
  const seen: string[] = []
  const { metadata } = await core.listNamespacedConfigMap({ namespace })
  const options = { resourceVersion: metadata!.resourceVersion!, allowWatchBookmarks: true, timeoutSeconds: 2 }
  const ended = Promise.withResolvers<void>()
  const watched = new k8s.Watch(config)
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  await watched.watch(
    path,
    options,
    (phase, object: k8s.V1ConfigMap) => void seen.push(`${phase} ${object.metadata?.name ?? ''}`),
    () => ended.resolve(),
  )
  await core.createNamespacedConfigMap({ namespace, body: configMap('seen') })
  await ended.promise
  assert.equal(seen[0], 'ADDED seen')
}

/** exec, port-forward and logs of the pod that POD names. */
async function checkStreams(): Promise<void> {
  const [namespace, name] = process.env['POD']!.split('/') as [string, string]
  const { containers } = (await core.readNamespacedPod({ namespace, name })).spec!
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const status = Promise.withResolvers<k8s.V1Status>()
  const command = ['sh', '-c', 'read line; echo got $line; echo complaint >&2; exit 7']
  const exec = new k8s.Exec(config)
  await exec.exec(
    namespace,
    name,
    containers[0]!.name,
    command,
    stdout,
    stderr,
    Readable.from(['words\n']),
    false,
    status.resolve,
  )
  const ended = await status.promise
  assert.equal(ended.details?.causes?.[0]?.message, '7', JSON.stringify(ended))
  stdout.end()
  stderr.end()
  assert.deepEqual([await text(stdout), await text(stderr)], ['got words\n', 'complaint\n'])
  const forward = new k8s.PortForward(config)
  const server = createServer(
    (socket) => void forward.portForward(namespace, name, [Number(process.env['POD_PORT'])], socket, null, socket),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    headers: { connection: 'close' },
  })
  assert.equal(answer.status, 200)
  await answer.text()
  server.close()
}

const CHECKS: Record<string, (namespace: string) => Promise<void>> = {
  informers: checkInformers,
  apply: checkApply,
  reads: checkReads,
  streams: checkStreams,
}

for (const name of process.argv.slice(2)) {
  const created = await core.createNamespace({ body: { metadata: { generateName: `javascript-${name}-` } } })
  await CHECKS[name]!(created.metadata!.name!)
  console.log(`passed: ${name}`)
}
process.exit(0)
