/** What a user gets wrong, and what a machine runs out of: each is answered in clear words and changes nothing. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { SystemClock } from '#base/clock.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createAuthority, issueCertificate } from '#cluster/certificates/authority.ts'
import { ApiServerProcess, freePort } from '../tools/api-server-process.ts'
import { kubernetesClients } from '../tools/kubernetes-clients.ts'
import { leftovers } from './leftovers.ts'
import { ROOT, execute, kubets, missingForNodes, type Output } from './cluster.ts'

const run = promisify(execFile)
const YEARS_AGO_MS = Date.UTC(2015, 0, 1)
/** More than the largest body that is read. */
const MANY_BYTES = 4_000_000

const configMap = (name: string, more: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more })
const pod = (spec: object): string => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec })

describe('bad input to the API server', () => {
  const { kubectl: program } = kubernetesClients()
  let folder: string
  let server: ApiServerProcess

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubets-bad-input-'))
    server = new ApiServerProcess(folder, await freePort())
    await server.start()
    await kubectl('create serviceaccount default')
    await kubectl('create -f -', configMap('good', { data: { a: '1' } }))
  })

  after(async () => {
    assert.equal(await server.kill('SIGTERM'), 0, 'the server still ends in an orderly way')
    await rm(folder, { recursive: true, force: true })
  })

  const kubectl = (args: string, input?: string): Promise<Output> =>
    execute(program, ['--kubeconfig', server.kubeconfig, ...args.split(' ')], input === undefined ? {} : { input })
  const stored = async (): Promise<string> => (await kubectl('get configmaps,pods -o json')).stdout

  const configMaps = '/api/v1/namespaces/default/configmaps'
  const refusals: [what: string, args: string, body: string, words: RegExp][] = [
    [
      'an unknown field',
      'create -f -',
      pod({ containers: [{ name: 'c', image: 'i', foo: 1 }] }),
      /unknown field "spec.containers\[0\].foo"/,
    ],
    ['an ill-typed field', 'create -f -', pod({ containers: 'none' }), /cannot unmarshal string into Go struct field/],
    [
      'a missing required field',
      'create -f -',
      pod({ containers: [{ name: 'c' }] }),
      /Pod "bad" is invalid: spec.containers\[0\].image: Required value/,
    ],
    ['a duplicate name', 'create -f -', configMap('good'), /configmaps "good" already exists/],
    [
      'a stale resourceVersion',
      'replace -f -',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'good', resourceVersion: '1' },
        data: { a: '2' },
      }),
      /Operation cannot be fulfilled on configmaps "good": the object has been modified; please apply your changes/,
    ],
    [
      'an oversized body',
      'create -f -',
      configMap('bad', { data: { a: 'x'.repeat(MANY_BYTES) } }),
      /Error from server \(RequestEntityTooLarge\).*Request entity too large: limit is 3145728/,
    ],
    [
      'an oversized object',
      'create -f -',
      configMap('bad', { data: { a: 'x'.repeat(2_000_000) } }),
      /ConfigMap "bad" is invalid: .*Too long: may not be more than 1048576 bytes/,
    ],
    [
      'broken JSON',
      `create --raw ${configMaps} -f -`,
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad"',
      /couldn't get version\/kind; json parse error: unexpected end of JSON input/,
    ],
    [
      'another kind than the path names',
      `create --raw ${configMaps} -f -`,
      pod({ containers: [{ name: 'c', image: 'i' }] }),
      /Pod in version "v1" cannot be handled as a ConfigMap/,
    ],
    [
      'an unknown kind',
      'create -f -',
      '{"apiVersion":"v1","kind":"Nonsense","metadata":{"name":"bad"}}',
      /no matches for kind "Nonsense" in version "v1"/,
    ],
  ]
  for (const [what, args, body, words] of refusals)
    test(what, async () => {
      const before = await stored()
      const output = await kubectl(args, body)
      assert.equal(output.code, 1, output.stdout)
      assert.match(output.stderr, words)
      assert.equal(await stored(), before, 'nothing changed')
    })

  test('a client certificate that has expired, and one of another authority', async () => {
    const pki = join(folder, 'data/pki')
    const authority = {
      certificate: await readFile(join(pki, 'ca.crt'), 'utf8'),
      privateKey: await readFile(join(pki, 'ca.key'), 'utf8'),
    }
    const clock = new SystemClock()
    const request = { commonName: 'late', organizations: ['system:masters'], usages: ['client'] } as const
    const refused = [
      await issueCertificate(authority, request, new VirtualClock(YEARS_AGO_MS)),
      await issueCertificate(await createAuthority('stranger', clock), request, clock),
    ]
    for (const pair of refused) {
      const kubeconfig = join(folder, 'refused.kubeconfig')
      await copyFile(server.kubeconfig, kubeconfig)
      await writeFile(join(folder, 'refused.crt'), pair.certificate)
      await writeFile(join(folder, 'refused.key'), pair.privateKey)
      const at = ['--kubeconfig', kubeconfig]
      const files = [`--client-certificate=${folder}/refused.crt`, `--client-key=${folder}/refused.key`]
      await run(program, [...at, 'config', 'set-credentials', 'admin', ...files, '--embed-certs'])
      const output = await execute(program, [...at, 'delete', 'configmap', 'good'], {})
      assert.equal(output.code, 1, output.stdout)
      assert.match(output.stderr, /You must be logged in to the server|Unauthorized/)
    }
    assert.equal((await kubectl('get configmap good')).code, 0)
  })

  test('a serving certificate that has expired is renewed at start; an expired authority is named', async () => {
    const pki = join(folder, 'data/pki')
    assert.equal(await server.kill('SIGTERM'), 0)
    const authority = {
      certificate: await readFile(join(pki, 'ca.crt'), 'utf8'),
      privateKey: await readFile(join(pki, 'ca.key'), 'utf8'),
    }
    const then = new VirtualClock(YEARS_AGO_MS)
    const request = { commonName: 'kube-apiserver', hosts: ['127.0.0.1'], usages: ['server'] } as const
    const expired = await issueCertificate(authority, request, then)
    await writeFile(join(pki, 'apiserver.crt'), expired.certificate)
    await writeFile(join(pki, 'apiserver.key'), expired.privateKey)
    const old = await createAuthority('kubernetes', then)
    await writeFile(join(pki, 'ca.crt'), old.certificate)
    const args = ['api', '--port', '0', '--data-dir', join(folder, 'data'), '--kubeconfig', join(folder, 'none')]
    const refused = await kubets(...args)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /ca\.crt/)
    assert.match(refused.stderr, /expired|belong/)
    await writeFile(join(pki, 'ca.crt'), authority.certificate)
    await server.start()
    assert.equal((await kubectl('get configmap good')).code, 0)
  })
})

describe('what a machine refuses', { skip: missingForNodes() ?? false }, () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubets-refusals-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const refuses = async (output: Promise<Output>, words: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await output
    assert.equal(code, 1, stdout)
    assert.match(stderr, words)
    assert.doesNotMatch(stderr, /^\s+at /m, 'no stack trace')
  }

  test('a full disk: what was acknowledged stays, and writing goes on when there is space again', async () => {
    const { kubectl: program } = kubernetesClients()
    const disk = join(folder, 'disk')
    await mkdir(disk)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk])
    const server = new ApiServerProcess(disk, await freePort())
    const kubectl = (args: string, input?: string): Promise<Output> =>
      execute(program, ['--kubeconfig', server.kubeconfig, ...args.split(' ')], input === undefined ? {} : { input })
    try {
      await server.start()
      let refused: Output | null = null
      let acknowledged = 0
      for (let count = 0; refused === null && count < 30; count++) {
        const output = await kubectl('create -f -', configMap(`c${count}`, { data: { a: 'x'.repeat(900_000) } }))
        if (output.code === 0) acknowledged++
        else refused = output
      }
      assert.match(refused?.stderr ?? '', /no space left, nothing was written: free space on its disk/)
      const count = async (): Promise<number> =>
        (await kubectl('get configmaps -o name')).stdout.split('\n').filter((line) => /\/c\d+$/.test(line)).length
      assert.equal(await count(), acknowledged, 'reading goes on')
      await run('mount', ['-o', 'remount,size=64m', disk])
      assert.equal((await kubectl('create -f -', configMap('c99'))).code, 0)
      await server.kill('SIGKILL')
      await server.start()
      assert.equal(await count(), acknowledged + 1)
    } finally {
      await server.kill('SIGKILL')
      await run('umount', [disk])
    }
  })

  test('up on a full disk', async () => {
    const disk = join(folder, 'small-disk')
    await mkdir(disk)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', disk])
    try {
      await refuses(kubets('up', '--name', 'e2e-full', '--data-dir', join(disk, 'data')), /the disk of .* is full/)
    } finally {
      await run('umount', [disk])
    }
  })

  test('a data folder of a newer version, of the cluster and of the store alone', async () => {
    const cluster = join(folder, 'newer')
    await mkdir(cluster)
    const state = JSON.stringify({ format: 2, name: 'e2e-newer', dataDir: cluster })
    await writeFile(join(cluster, 'cluster.json'), state)
    const up = kubets('up', '--name', 'e2e-newer', '--data-dir', cluster)
    await refuses(up, /was written by a newer kubets \(format 2, this one knows 1\)/)
    assert.equal(await readFile(join(cluster, 'cluster.json'), 'utf8'), state)

    const server = new ApiServerProcess(join(folder, 'store'), await freePort())
    await mkdir(server.folder)
    await server.start()
    await server.kill('SIGTERM')
    const data = join(server.folder, 'data')
    const database = new DatabaseSync(join(data, 'store/store.db'))
    database.exec('PRAGMA user_version = 2')
    database.close()
    await refuses(kubets('api', '--port', '0', '--data-dir', data), /newer version \(format 2, this one knows 1\)/)
  })

  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const words = new RegExp(`port ${port} is in use by another program`)
    await refuses(kubets('up', '--name', 'e2e-port', '--port', String(port)), words)
    await refuses(kubets('api', '--port', String(port), '--data-dir', join(folder, 'port')), words)
    other.close()
  })

  test('no root', async () => {
    // In a user namespace that maps nobody: the checkout may lie where only root can read.
    await refuses(execute('unshare', ['--user', `${ROOT}kubets`, 'up', '--name', 'e2e-nobody'], {}), /need root/)
  })

  test('no containerd', async () => {
    // In a mount namespace of its own where /usr/bin has no containerd.
    const script = `
      mount -t tmpfs tmpfs ${folder} && mkdir ${folder}/upper ${folder}/work && mknod ${folder}/upper/containerd c 0 0 &&
      mount -t overlay -o lowerdir=/usr/bin,upperdir=${folder}/upper,workdir=${folder}/work overlay /usr/bin &&
      exec ${ROOT}kubets up --name e2e-bare --no-install`
    const words = /missing: containerd, and --no-install was given\. Install them with: apt-get install containerd/
    await refuses(execute('unshare', ['--mount', 'sh', '-c', script], {}), words)
  })

  test('a node that cannot be made: the reason is told, and nothing is left of what was started beside it', async () => {
    // In a mount namespace of its own where no network namespace can be named.
    const script = `
      mkdir -p /run/netns && mount -t tmpfs -o ro tmpfs /run/netns &&
      exec ${ROOT}kubets up --name e2e-unmade --nodes 1`
    await refuses(execute('unshare', ['--mount', 'sh', '-c', script], {}), /ip netns add .*Read-only file system/)
    assert.deepEqual(await leftovers('e2e-unmade'), [])
  })

  test('nothing of the refused clusters is known afterwards', async () => {
    for (const name of ['e2e-full', 'e2e-newer', 'e2e-port', 'e2e-nobody', 'e2e-bare', 'e2e-unmade'])
      await refuses(kubets('kubeconfig', '--name', name), /there is no cluster|no cluster/)
  })
})
