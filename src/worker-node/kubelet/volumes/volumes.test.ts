/** What volumes put on the node's disk. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Container, Volume } from '#api/core/v1.gen.ts'
import { containerDevices, containerMounts } from '../containers/container-mounts.ts'
import { FakeApi } from '../testing/fake-api.ts'
import { aContainer, aPod } from '../testing/builders.ts'
import { writeAtomically, type Payload } from './atomic-writer.ts'
import { checkHostPath } from './host-path/host-path.ts'
import type { MountedVolume, VolumeSources } from './volume-plugin.ts'
import { TokenManager } from './token-manager.ts'
import { VolumeManager } from './volume-manager.ts'

async function scratch(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'volumes-test-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

const files = (content: Record<string, string>): Payload =>
  new Map(Object.entries(content).map(([path, text]) => [path, { content: Buffer.from(text), mode: 0o640 }]))

test('a new version of files appears at once and leaves nothing behind', async (t) => {
  const root = join(await scratch(t), 'v')
  assert.equal(await writeAtomically(root, files({ a: '1', 'd/b': '2' }), { version: 1 }), true)
  const first = await readlink(join(root, '..data'))
  assert.equal(await readFile(join(root, 'd/b'), 'utf8'), '2')
  assert.equal((await stat(join(root, 'a'))).mode & 0o777, 0o640)
  assert.equal(await writeAtomically(root, files({ a: '1', 'd/b': '2' }), { version: 2 }), false, 'nothing changed')
  assert.equal(await writeAtomically(root, files({ a: '9' }), { version: 3 }), true)
  assert.equal(await readFile(join(root, 'a'), 'utf8'), '9')
  const names = await readdir(root)
  assert.deepEqual([names.includes(first), names.includes('d'), names.length], [false, false, 3])
})

for (const path of ['../x', '/x', 'a/../../x', '..data', ''])
  test(`a file never leaves its volume: "${path}"`, async (t) => {
    const root = await scratch(t)
    await assert.rejects(writeAtomically(join(root, 'v'), files({ [path]: 'x' }), { version: 1 }), /invalid path/)
  })

test('hostPath types are checked', async (t) => {
  const root = await scratch(t)
  const [file, folder, none] = [join(root, 'f'), join(root, 'd'), join(root, 'none')]
  await writeFile(file, '')
  await mkdir(folder)
  await checkHostPath(file, 'File')
  await checkHostPath(folder, 'Directory')
  await checkHostPath(join(root, 'x/y'), 'DirectoryOrCreate')
  await checkHostPath(join(root, 'x/z'), 'FileOrCreate')
  assert.ok((await stat(join(root, 'x/z'))).isFile())
  await assert.rejects(checkHostPath(none, 'File'), { message: `hostPath type check failed: ${none} is not a file` })
  await assert.rejects(checkHostPath(file, 'Directory'), /is not a directory/)
  await assert.rejects(checkHostPath(folder, 'Socket'), /is not a socket file/)
})

const NO_SOURCES: VolumeSources = {
  configMap: () => Promise.resolve(null),
  secret: () => Promise.resolve(null),
  claim: () => Promise.resolve(null),
  persistentVolume: () => Promise.resolve(null),
}
const facts = { nodeName: 'n1', hostIps: [], podIps: [], allocatable: {} }

function manager(rootDir: string, mounts: string[] = [], sources: VolumeSources = NO_SOURCES): VolumeManager {
  const clock = new VirtualClock()
  const mounter = {
    mountTmpfs: (path: string) => Promise.resolve(void mounts.push(path)),
    bindMount: () => Promise.resolve(),
    unmount: (path: string) =>
      Promise.resolve(void mounts.splice(0, mounts.length, ...mounts.filter((one) => one !== path))),
    mountsBelow: (path: string) => Promise.resolve(mounts.filter((one) => one === path || one.startsWith(`${path}/`))),
  }
  const tokens = new TokenManager({ client: new FakeApi(), clock, random: new SeededRandom(1) })
  return new VolumeManager({ rootDir, mounter, clock, tokens, sources })
}

test('the volumes of a pod: made, found again, taken away', async (t) => {
  const root = await scratch(t)
  const mounts: string[] = []
  const volumes: Volume[] = [
    { name: 'disk', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    {
      name: 'token',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token' } },
          { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
        ],
      },
    },
  ]
  const pod = aPod({ volumes })
  const one = manager(root, mounts)
  const { signal } = new AbortController()
  const mounted = await one.mountPod(pod, facts, signal)
  assert.equal(await readFile(join(mounted.get('token')!.hostPath, 'token'), 'utf8'), 'a-token')
  assert.equal(await readFile(join(mounted.get('token')!.hostPath, 'name'), 'utf8'), 'web')
  assert.equal((await stat(mounted.get('disk')!.hostPath)).mode & 0o777, 0o777)
  assert.equal(mounts.length, 2)
  await writeFile(join(mounted.get('disk')!.hostPath, 'kept'), 'x')
  await manager(root, mounts).mountPod(pod, facts, signal)
  assert.equal(mounts.length, 2, 'a restarted kubelet mounts nothing twice')
  assert.equal(await readFile(join(mounted.get('disk')!.hostPath, 'kept'), 'utf8'), 'x')
  await one.unmountPod(pod.metadata.uid)
  await one.removePodDir(pod.metadata.uid)
  assert.deepEqual([mounts, await one.podsOnDisk()], [[], []])
})

const PROBLEMS: readonly [Volume, RegExp][] = [
  [{ name: 'v', configMap: { name: 'none' } }, /MountVolume\.SetUp failed for volume "v" : configmap "none" not found/],
  [{ name: 'v', secret: { secretName: 'none' } }, /secret "none" not found/],
  [{ name: 'v', persistentVolumeClaim: { claimName: 'none' } }, /persistentvolumeclaim "none" not found/],
  [{ name: 'v', nfs: { server: 's', path: '/' } }, /this node does not support volumes of kind nfs/],
]
for (const [volume, message] of PROBLEMS)
  test(`a volume that cannot be mounted says why: ${message.source}`, async (t) => {
    const volumes = manager(await scratch(t))
    await assert.rejects(volumes.mountPod(aPod({ volumes: [volume] }), facts, new AbortController().signal), message)
  })

test('sub-paths are made on demand and never leave their volume', async (t) => {
  const root = await scratch(t)
  await symlink('/etc', join(root, 'evil'))
  const mount = async (subPath: string): Promise<string | undefined> => {
    const container = aContainer('main', {
      volumeMounts: [{ name: 'v', mountPath: '/v', subPath }],
      terminationMessagePath: '',
    })
    const [first] = await containerMounts(container, {
      volumes: new Map([['v', { hostPath: root, readOnly: false }]]),
      environment: new Map(),
      hostsFile: null,
      terminationFile: '',
    })
    return first?.hostPath
  }
  assert.equal(await mount('a/b'), join(root, 'a/b'))
  await assert.rejects(mount('evil'), /leaves its volume/)
  await assert.rejects(mount('a/../../x'), /must not contain/)
  await assert.rejects(mount('/etc'), /must not be an absolute path/)
})

test('a block volume is a device of the container, and only that', async () => {
  const block = { hostPath: '/dev/loop7', readOnly: false, isBlock: true }
  const volumes = new Map<string, MountedVolume>([
    ['b', block],
    ['r', { ...block, readOnly: true }],
    ['f', { hostPath: '/f', readOnly: false }],
  ])
  const asking = (name: string): Container => aContainer('main', { volumeDevices: [{ name, devicePath: '/dev/x' }] })
  const device = { containerPath: '/dev/x', hostPath: '/dev/loop7' }
  assert.deepEqual(containerDevices(asking('b'), volumes), [{ ...device, permissions: 'mrw' }])
  assert.deepEqual(containerDevices(asking('r'), volumes), [{ ...device, permissions: 'r' }])
  assert.throws(() => containerDevices(asking('f'), volumes), /volume f has volumeMode Filesystem, but is specified in/)
  assert.throws(
    () => containerDevices(asking('none'), volumes),
    /cannot find volume "none" to pass into container "main"/,
  )
  const mounting = aContainer('main', { volumeMounts: [{ name: 'b', mountPath: '/b' }] })
  await assert.rejects(
    containerMounts(mounting, { volumes, environment: new Map(), hostsFile: null, terminationFile: '' }),
    /volume b has volumeMode Block, but is specified in volumeMounts/,
  )
})
