/** The main job once more with Debian 12's own kubectl, 1.20: what it can ask of a cluster of today, it gets. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { debianKubectl } from '../tools/kubernetes-clients.ts'
import { ROOT, TestCluster, eventually, missingForNodes } from './cluster.ts'
import { leftovers } from './leftovers.ts'

const NAME = 'e2e-oldest'
const program = missingForNodes() === null ? debianKubectl() : null
const skip = missingForNodes() ?? (program === null ? 'needs the package kubernetes-client of Debian 12' : false)

describe('kubectl 1.20', { skip }, () => {
  let cluster: TestCluster
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'kubets-oldest-'))
    const started = await TestCluster.start(NAME, '--nodes', '2', '--data-dir', join(scratch, 'data'))
    cluster = started.drivenWith(program!)
  })

  after(async () => {
    await cluster?.stop()
    await rm(scratch, { recursive: true, force: true })
    assert.deepEqual(await leftovers(NAME), [], 'nothing is left after down')
  })

  test('version, nodes, apply, rollout', async () => {
    assert.match(await cluster.kubectl('version --short'), /Client Version: v1\.20\.\d+\nServer Version: v1\.37\./)
    assert.equal((await cluster.kubectl('get nodes --no-headers -o wide')).match(/ Ready /g)?.length, 2)
    await cluster.kubectl(`apply -f ${ROOT}examples/guestbook.yaml`)
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=60s')
    await cluster.kubectl('-n visitors wait --for=condition=Ready pod/visitor --timeout=60s')
    await cluster.kubectl('-n shop wait --for=condition=Ready pod/singleton --timeout=60s')
    const described = await cluster.kubectl('-n visitors describe pod visitor')
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) assert.match(described, new RegExp(reason))
  })

  test('exec, logs, cp, attach and port-forward over SPDY', async () => {
    const page = await cluster.kubectl('-n visitors exec visitor -- wget -qO- http://web.shop.svc.cluster.local')
    assert.match(page, /^hello from web-/)
    assert.equal(await cluster.kubectl('-n shop exec -i singleton -- cat', 'through stdin\n'), 'through stdin\n')
    await eventually(
      async () => /hello from web-/.test(await cluster.kubectl('-n visitors logs visitor --tail=1')),
      'the log has an answer',
    )
    const file = join(scratch, 'copied')
    await writeFile(file, 'a file\n')
    await cluster.kubectl(`-n shop cp ${file} singleton:/tmp/there`)
    await cluster.kubectl(`-n shop cp singleton:/tmp/there ${file}.back`)
    assert.equal(await readFile(`${file}.back`, 'utf8'), 'a file\n')
    const attached = cluster.spawnKubectl('-n visitors attach visitor')
    let output = ''
    attached.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await eventually(async () => output.includes('hello from web-'), 'attached output')
    attached.kill()
    const forward = cluster.spawnKubectl('-n shop port-forward svc/web 18081:80')
    const forwarded = async (): Promise<boolean> =>
      (await (await fetch('http://127.0.0.1:18081/')).text()).startsWith('hello from web-')
    try {
      await eventually(forwarded, 'the forwarded port answers')
    } finally {
      forward.kill()
    }
  })

  test('scale, restart, history, undo, edit', async () => {
    await cluster.kubectl('-n shop scale deploy/web --replicas=5')
    await cluster.kubectl('-n shop rollout restart deploy/web')
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=90s')
    await cluster.kubectl('-n shop rollout undo deploy/web')
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=90s')
    assert.match(await cluster.kubectl('-n shop rollout history deploy/web'), /\n3 /)
    const editor = join(scratch, 'editor.sh')
    await writeFile(editor, '#!/bin/sh\nsed -i "s/replicas: 5/replicas: 2/" "$1"\n', { mode: 0o755 })
    process.env['KUBE_EDITOR'] = editor
    try {
      await cluster.kubectl('-n shop edit deploy/web')
    } finally {
      delete process.env['KUBE_EDITOR']
    }
    assert.equal(await cluster.field('-n shop deploy/web', '{.spec.replicas}'), '2')
  })

  test('explain, api-resources, diff, server-side apply, auth, top', async () => {
    assert.match(await cluster.kubectl('explain pod.spec.containers'), /FIELDS:/)
    assert.match(await cluster.kubectl('api-resources'), /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/)
    assert.equal((await cluster.try(`diff -f ${ROOT}examples/guestbook.yaml`)).code, 1, 'the replicas differ')
    await cluster.kubectl(`apply --server-side --force-conflicts -f ${ROOT}examples/guestbook.yaml`)
    assert.match(await cluster.kubectl('auth can-i --list'), /\*\.\*/)
    const top = await cluster.try('top nodes')
    assert.equal(top.code, 1)
    assert.match(top.stderr, /Metrics API not available/)
  })

  test('drain (by its old eviction version), cordon, taint, delete', async () => {
    await cluster.kubectl('drain node-2 --ignore-daemonsets --force --delete-emptydir-data --timeout=60s')
    const left = await cluster.kubectl('get pods -A -o wide --field-selector spec.nodeName=node-2 --no-headers')
    assert.doesNotMatch(left, /web-|visitor/)
    await cluster.kubectl('uncordon node-2')
    await cluster.kubectl('taint node node-2 a=b:NoSchedule')
    await cluster.kubectl('taint node node-2 a-')
    await cluster.kubectl('delete namespace shop visitors --timeout=90s')
    assert.equal((await cluster.try('get namespace shop')).code, 1)
  })

  test('what is newer than it is refused in words', async () => {
    const disruption = await cluster.try('create poddisruptionbudget p --selector a=b --min-available 1')
    assert.match(disruption.stderr, /no matches for kind "PodDisruptionBudget" in version "policy\/v1beta1"/)
    await cluster.kubectl(`apply -f ${ROOT}examples/phase-running.yaml`)
    await cluster.kubectl('wait --for=condition=Ready pod/running --timeout=30s')
    const debug = await cluster.try('alpha debug running --image=example.test/shell:1 -- true')
    assert.match(debug.stderr, /EphemeralContainers in version "v1" cannot be handled as a Pod/)
  })
})
