/** Users, namespaces and filters that containers run with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SecurityContext } from '#api/core/v1.gen.ts'
import { NamespaceMode, SecurityProfile_ProfileType } from '../runtime/proto/cri_pb.ts'
import type { Image } from '../runtime/runtime-service.ts'
import { aContainer, aPod } from '../testing/builders.ts'
import { containerSecurityContext, namespacesOf } from './security-context.ts'

const image: Image = { id: 'i', tags: [], digests: [], sizeBytes: 1, username: '', pinned: false }
const contextOf = (
  own: SecurityContext,
  more: Partial<Image> = {},
  pod: object = {},
): ReturnType<typeof containerSecurityContext> =>
  containerSecurityContext(aPod(pod), aContainer('main', { securityContext: own }), {
    image: { ...image, ...more },
    seccompDir: '/var/lib/kubelet/seccomp',
  })

test('the container overrules the pod, which overrules the image', () => {
  const shared = { securityContext: { runAsUser: 5, runAsGroup: 6, fsGroup: 7, supplementalGroups: [8] } }
  assert.equal(contextOf({}, { uid: 3 }).runAsUser?.value, 3n)
  assert.equal(contextOf({}, { uid: 3 }, shared).runAsUser?.value, 5n)
  const own = contextOf({ runAsUser: 9 }, { uid: 3 }, shared)
  assert.deepEqual([own.runAsUser?.value, own.runAsGroup?.value, own.supplementalGroups], [9n, 6n, [8n, 7n]])
  assert.equal(contextOf({}, { username: 'nobody' }).runAsUsername, 'nobody')
})

test('runAsNonRoot is checked before the start', () => {
  const nonRoot = { runAsNonRoot: true }
  assert.throws(() => contextOf(nonRoot), /image will run as root/)
  assert.throws(() => contextOf(nonRoot, { uid: 0 }), /image will run as root/)
  assert.throws(() => contextOf(nonRoot, { username: 'www' }), /non-numeric user \(www\)/)
  assert.throws(() => contextOf({ ...nonRoot, runAsUser: 0 }), /breaks non-root policy/)
  assert.equal(contextOf({ ...nonRoot, runAsUser: 1 }).runAsUser?.value, 1n)
})

test('seccomp, privileges, paths', () => {
  const type = (own: SecurityContext): number | undefined => contextOf(own).seccomp?.profileType
  assert.equal(type({}), SecurityProfile_ProfileType.Unconfined)
  assert.equal(type({ seccompProfile: { type: 'RuntimeDefault' } }), SecurityProfile_ProfileType.RuntimeDefault)
  const local = contextOf({ seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' } })
  assert.equal(local.seccomp?.localhostRef, '/var/lib/kubelet/seccomp/a/b.json')
  assert.equal(contextOf({ allowPrivilegeEscalation: false }).noNewPrivs, true)
  assert.ok(contextOf({}).maskedPaths?.includes('/proc/kcore'))
  assert.deepEqual(contextOf({ privileged: true }).maskedPaths, [])
  assert.deepEqual(contextOf({ capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } }).capabilities, {
    addCapabilities: ['NET_ADMIN'],
    dropCapabilities: ['ALL'],
  })
})

test('namespaces: own, shared, the node, or those of a container that is debugged', () => {
  const { POD, CONTAINER, NODE, TARGET } = NamespaceMode
  const modes = (spec: object, target?: string): unknown[] => {
    const { network, pid, ipc, targetId } = namespacesOf(aPod(spec), target)
    return [network, pid, ipc, targetId]
  }
  assert.deepEqual(modes({}), [POD, CONTAINER, POD, undefined])
  assert.deepEqual(modes({ shareProcessNamespace: true }), [POD, POD, POD, undefined])
  assert.deepEqual(modes({ hostNetwork: true, hostPID: true, hostIPC: true }), [NODE, NODE, NODE, undefined])
  assert.deepEqual(modes({}, 'id'), [POD, TARGET, POD, 'id'])
})
