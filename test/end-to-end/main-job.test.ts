/** The main job, as README shows it: `up`, kubectl and helm on real containers over three nodes, `down` with nothing left. */
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ROOT, TestCluster, eventually, kubets, missingForNodes } from './cluster.ts'
import { leftovers } from './leftovers.ts'

const skip = missingForNodes() ?? false
const NAME = 'e2e'

describe('the main job', { skip }, () => {
  let cluster: TestCluster
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'kubets-e2e-'))
    cluster = await TestCluster.start(NAME, '--data-dir', join(scratch, 'data'))
  })

  after(async () => {
    await cluster?.stop()
    await rm(scratch, { recursive: true, force: true })
    assert.deepEqual(await leftovers(NAME), [], 'nothing is left after down')
  })

  test('three nodes are Ready', async () => {
    const nodes = (await cluster.kubectl('get nodes --no-headers -o wide')).trim().split('\n')
    assert.equal(nodes.length, 3)
    for (const node of nodes) assert.match(node, /^node-\d\s+Ready\s/)
  })

  test('a second up is a no-op that says so', async () => {
    const again = await kubets('up', '--name', NAME)
    assert.equal(again.code, 0, again.stderr)
    assert.match(again.stdout, /already running/)
  })

  test('status tells what runs and finds no problem', async () => {
    const status = await kubets('status', '--name', NAME)
    assert.equal(status.code, 0, status.stdout)
    assert.match(status.stdout, /control-plane/)
    assert.match(status.stdout, /node-3/)
  })

  test('apply: three web pods, a Service and a visitor in another namespace', async () => {
    await cluster.kubectl(`apply -f ${ROOT}examples/guestbook.yaml`)
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=60s')
    await cluster.kubectl('-n visitors wait --for=condition=Ready pod/visitor --timeout=60s')
    const pods = (await cluster.kubectl('-n shop get pods -l app=web --no-headers -o wide')).trim().split('\n')
    assert.equal(pods.length, 3)
    for (const pod of pods) assert.match(pod, /1\/1\s+Running/)
    assert.ok(new Set(pods.map((pod) => pod.split(/\s+/)[6])).size > 1, 'the pods are spread over nodes')
  })

  test('DNS, Service and another node: a name resolves and all three pods answer', async () => {
    const seen = new Set<string>()
    await eventually(async () => {
      seen.add(await cluster.kubectl('-n visitors exec visitor -- wget -qO- http://web.shop.svc.cluster.local'))
      return seen.size === 3
    }, 'three different pods answer')
    for (const answer of seen) assert.match(answer, /^hello from web-/)
  })

  test('describe shows the events of a pod, logs its output', async () => {
    const described = await cluster.kubectl('-n visitors describe pod visitor')
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) assert.match(described, new RegExp(reason))
    await eventually(
      async () => /hello from web-/.test(await cluster.kubectl('-n visitors logs visitor')),
      'the log has the answers',
    )
  })

  test('logs -f follows', async () => {
    const follow = cluster.spawnKubectl('-n visitors logs -f --tail=1 visitor')
    let lines = 0
    follow.stdout!.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1))
    await eventually(async () => lines >= 3, 'three lines arrive')
    follow.kill()
  })

  test('exec with standard input, exit codes, and cp both ways', async () => {
    assert.equal(await cluster.kubectl('-n shop exec -i singleton -- cat', 'through stdin\n'), 'through stdin\n')
    assert.equal((await cluster.tryArgs(['-n', 'shop', 'exec', 'singleton', '--', 'sh', '-c', 'exit 7'])).code, 7)
    const file = join(scratch, 'copied')
    await writeFile(file, 'a file\n')
    await cluster.kubectl(`-n shop cp ${file} singleton:/tmp/there`)
    await cluster.kubectl(`-n shop cp singleton:/tmp/there ${file}.back`)
    assert.equal(await readFile(`${file}.back`, 'utf8'), 'a file\n')
  })

  test('exec with a terminal', async () => {
    const output = await cluster.kubectlArgs(['-n', 'shop', 'exec', '-it', 'singleton', '--', 'sh', '-c', 'echo typed'])
    assert.match(output, /typed/)
  })

  test('attach shows what the container prints', async () => {
    const attached = cluster.spawnKubectl('-n visitors attach visitor')
    let output = ''
    attached.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await eventually(async () => output.includes('hello from web-'), 'attached output')
    attached.kill()
  })

  test('port-forward to a Service', async () => {
    const forward = cluster.spawnKubectl('-n shop port-forward svc/web 18080:80')
    try {
      await eventually(
        async () => (await (await fetch('http://127.0.0.1:18080/')).text()).startsWith('hello from web-'),
        'the forwarded port answers',
      )
    } finally {
      forward.kill()
    }
  })

  test('the proxy of a pod answers, or says why it cannot reach it', async () => {
    const [pod] = (await cluster.kubectl('-n shop get pods -l app=web -o name')).trim().split('\n')
    const path = (port: number): string => `/api/v1/namespaces/shop/pods/${pod!.replace('pod/', '')}:${port}/proxy/`
    assert.match(await cluster.kubectl(`get --raw ${path(8080)}`), /^hello from web-/)
    const silent = await cluster.try(`get --raw ${path(9)}`)
    assert.match(silent.stderr, /ServiceUnavailable.*error trying to reach service: dial tcp .*connection refused/)
  })

  test('debug adds a container to a running pod', async () => {
    const output = await cluster.kubectlArgs([
      ...'-n shop debug singleton --image=example.test/shell:1 --target=singleton --attach=true --quiet -- sh -c'.split(
        ' ',
      ),
      'sleep 1; echo from-the-debugger',
    ])
    assert.match(output, /from-the-debugger/)
  })

  test('scale, rollout restart, history and undo', async () => {
    await cluster.kubectl('-n shop scale deploy/web --replicas=10')
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=90s')
    assert.equal(await cluster.field('-n shop deploy/web', '{.status.readyReplicas}'), '10')
    await cluster.kubectl('-n shop scale deploy/web --replicas=3')
    await cluster.kubectl('-n shop rollout restart deploy/web')
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=90s')
    assert.match(await cluster.kubectl('-n shop rollout history deploy/web'), /\n2 /)
    await cluster.kubectl('-n shop rollout undo deploy/web')
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=90s')
    assert.match(await cluster.kubectl('-n shop rollout history deploy/web'), /\n3 /)
  })

  test('a Deployment heals, a bare pod does not', async () => {
    // Those of the rollout before may still be ending.
    const pods = await eventually(async () => {
      const names = (await cluster.kubectl('-n shop get pods -l app=web -o name')).trim().split('\n')
      return names.length === 3 && names
    }, 'three pods')
    await cluster.kubectl(`-n shop delete ${pods[0]}`)
    await eventually(
      async () => (await cluster.field('-n shop deploy/web', '{.status.readyReplicas}')) === '3',
      'three pods again',
    )
    await cluster.kubectl('-n shop delete pod singleton')
    assert.equal((await cluster.try('-n shop get pod singleton')).code, 1)
  })

  test('a pod of two containers shares localhost, volumes, address and processes, and is Ready only as a whole', async () => {
    await cluster.kubectl(`apply -f ${ROOT}examples/pair.yaml`)
    await cluster.kubectl('wait --for=condition=Ready pod/pair --timeout=60s')
    assert.equal(
      await cluster.kubectl('exec pair -c reader -- wget -qO- http://localhost:8080/note'),
      'written-by-server\n',
    )
    assert.equal(await cluster.kubectl('exec pair -c reader -- cat /memory/note'), 'in-memory\n')
    assert.match(await cluster.kubectl('exec pair -c reader -- df /memory'), /tmpfs/)
    assert.match(await cluster.kubectl('exec pair -c reader -- ps'), /httpd/)
    await cluster.kubectl('exec pair -c reader -- rm /tmp/ready')
    await cluster.kubectl('wait --for=condition=Ready=false pod/pair --timeout=30s')
    assert.match(await cluster.kubectl('get pod pair --no-headers'), /1\/2/)
    await cluster.kubectl('delete pod pair')
  })

  test('the four phases', async () => {
    for (const phase of ['pending', 'running', 'succeeded', 'failed'])
      await cluster.kubectl(`apply -f ${ROOT}examples/phase-${phase}.yaml`)
    for (const phase of ['Pending', 'Running', 'Succeeded', 'Failed'])
      await eventually(
        async () => (await cluster.field(`pod/${phase.toLowerCase()}`, '{.status.phase}')) === phase,
        `a pod is ${phase}`,
      )
    assert.match(await cluster.kubectl('describe pod pending'), /FailedScheduling.*0\/3 nodes are available/s)
    for (const phase of ['pending', 'running', 'succeeded', 'failed'])
      await cluster.kubectl(`delete -f ${ROOT}examples/phase-${phase}.yaml`)
  })

  test('explain, api-resources, diff, server-side apply, auth, top', async () => {
    assert.match(await cluster.kubectl('explain pod.spec.containers'), /FIELDS:/)
    assert.match(await cluster.kubectl('api-resources'), /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/)
    assert.equal((await cluster.try(`diff -f ${ROOT}examples/guestbook.yaml`)).code, 1, 'the deleted pod differs')
    await cluster.kubectl(`apply --server-side --force-conflicts -f ${ROOT}examples/guestbook.yaml`)
    assert.match(await cluster.kubectl('auth can-i --list'), /\*\.\*/)
    assert.equal((await cluster.kubectl('auth can-i delete pods')).trim(), 'yes')
    const top = await cluster.try('top nodes')
    assert.equal(top.code, 1)
    assert.match(top.stderr, /Metrics API not available/)
  })

  test('edit changes an object through an editor', async () => {
    const editor = join(scratch, 'editor.sh')
    await writeFile(editor, '#!/bin/sh\nsed -i "s/replicas: 3/replicas: 2/" "$1"\n', { mode: 0o755 })
    process.env['KUBE_EDITOR'] = editor
    await cluster.kubectl('-n shop edit deploy/web')
    delete process.env['KUBE_EDITOR']
    await eventually(
      async () => (await cluster.field('-n shop deploy/web', '{.spec.replicas}')) === '2',
      'two replicas',
    )
    await cluster.kubectl('-n shop scale deploy/web --replicas=3')
  })

  test('cordon, taint and drain move pods away', async () => {
    await cluster.kubectl('cordon node-2')
    assert.match(await cluster.kubectl('get node node-2 --no-headers'), /SchedulingDisabled/)
    await cluster.kubectl('drain node-2 --ignore-daemonsets --force --delete-emptydir-data --timeout=60s')
    await eventually(async () => {
      const pods = await cluster.kubectl('get pods -A -o wide --field-selector spec.nodeName=node-2 --no-headers')
      return !/web-|visitor/.test(pods)
    }, 'node-2 is empty')
    await cluster.kubectl('uncordon node-2')
    await cluster.kubectl('taint node node-3 maintenance=now:NoExecute')
    await eventually(
      async () =>
        !/web-/.test(
          await cluster.kubectl('get pods -n shop -o wide --field-selector spec.nodeName=node-3 --no-headers'),
        ),
      'node-3 is empty',
    )
    await cluster.kubectl('taint node node-3 maintenance-')
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=60s')
  })

  test('helm installs, upgrades, rolls back and uninstalls', async () => {
    await cluster.helm(`install demo ${ROOT}examples/chart --wait --timeout 60s`)
    await cluster.helm(`upgrade demo ${ROOT}examples/chart --set greeting=changed --wait --timeout 60s`)
    const page = async (): Promise<string> =>
      (await cluster.kubectl('exec deploy/demo -- cat /pages/index.html')).trim()
    await eventually(async () => (await page()) === 'changed', 'the new page')
    await cluster.helm('rollback demo 1 --wait --timeout 60s')
    await eventually(async () => (await page()) === 'hello', 'the old page')
    await cluster.helm('uninstall demo --wait')
    assert.equal((await cluster.try('get deploy demo')).code, 1)
  })

  test('a folder with files of a user, or of another cluster, is never taken as data folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kubets-not-ours-'))
    const file = join(folder, 'letter')
    await writeFile(file, 'mine')
    const taken = dirname(cluster.kubeconfig)
    const copy = join(folder, 'copy')
    await mkdir(copy)
    await copyFile(join(taken, 'cluster.json'), join(copy, 'cluster.json'))
    for (const [dataDir, words] of [
      [folder, /is not empty and holds no cluster/],
      [file, /is no folder/],
      ['', /Not a folder/],
      [taken, /holds the data of cluster/],
      [copy, /holds a cluster on the node network 172\.31\.\d+\.0\/24, which cluster "[-\w]+" has/],
    ] as const) {
      const up = await kubets('up', '--name', 'e2e-refused', '--data-dir', dataDir)
      assert.equal(up.code, 1, up.stdout)
      assert.match(up.stderr, words)
    }
    assert.equal(await readFile(file, 'utf8'), 'mine')
    await rm(folder, { recursive: true })
  })

  test('deleting a namespace deletes what is in it', async () => {
    await cluster.kubectl('delete namespace shop visitors --timeout=90s')
    assert.equal((await cluster.try('get namespace shop')).code, 1)
  })
})
