/** Claims and volumes against a whole API server: bound, protected, released, lost. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Event, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import {
  EVENTS,
  PERSISTENTVOLUMECLAIMS,
  PERSISTENTVOLUMES,
  PODS,
  STORAGECLASSES,
  VOLUMEATTRIBUTESCLASSES,
} from '#api/resources.gen.ts'
import type { StorageClass, VolumeAttributesClass } from '#api/storage/v1.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({ rootCa: 'PEM' })
})
after(() => cluster.close())

const createVolume = (name: string, spec: object = {}): Promise<PersistentVolume> =>
  cluster.client.create<PersistentVolume>(PERSISTENTVOLUMES, {
    metadata: { name },
    spec: {
      capacity: { storage: '2Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/srv/x' },
      storageClassName: name,
      ...spec,
    },
  })

const createClaim = (name: string, spec: object = {}): Promise<PersistentVolumeClaim> =>
  cluster.client.create<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, {
    metadata: { name, namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: name,
      ...spec,
    },
  })

const volume = (name: string): Promise<PersistentVolume> => cluster.client.get(PERSISTENTVOLUMES, '', name)
const claim = (name: string): Promise<PersistentVolumeClaim> =>
  cluster.client.get(PERSISTENTVOLUMECLAIMS, 'default', name)

const claimIs = (name: string, phase: string): Promise<PersistentVolumeClaim> =>
  cluster.eventually(async () => {
    const found = await claim(name)
    return found.status?.phase === phase ? found : null
  })
const volumeIs = (name: string, phase: string): Promise<PersistentVolume> =>
  cluster.eventually(async () => {
    const found = await volume(name)
    return found.status?.phase === phase ? found : null
  })
const isGone = (read: () => Promise<unknown>): Promise<true> =>
  cluster.eventually(() =>
    read().then(
      () => null,
      (error: unknown) => (isNotFound(error) ? true : null),
    ),
  )
const told = (name: string, reason: string, uid?: string): Promise<string> =>
  cluster.eventually(async () => {
    const { items } = await cluster.client.list<Event>(EVENTS, 'default')
    const isAbout = ({ involvedObject }: Event): boolean =>
      involvedObject.name === name && (uid === undefined || involvedObject.uid === uid)
    const event = items.find((event) => isAbout(event) && event.reason === reason)
    if (event !== undefined) assert.equal(event.source?.component, 'persistentvolume-controller')
    return event?.message
  })

test('a claim and a volume find each other, whichever comes first, and both say so', async () => {
  const { client } = cluster
  await createClaim('a')
  await createVolume('a')
  const bound = await claimIs('a', 'Bound')
  const taken = await volumeIs('a', 'Bound')
  assert.equal(bound.spec.volumeName, 'a')
  assert.deepEqual(bound.status?.capacity, { storage: '2Gi' })
  assert.deepEqual(bound.status?.accessModes, ['ReadWriteOnce'])
  assert.equal(bound.metadata.annotations?.['pv.kubernetes.io/bind-completed'], 'yes')
  assert.equal(taken.spec.claimRef?.uid, bound.metadata.uid)
  assert.equal(taken.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes')
  // The volume outlives its claim, and is not given to another: what was written on it is not for everybody.
  await client.delete(PERSISTENTVOLUMECLAIMS, 'default', 'a')
  await isGone(() => claim('a'))
  await volumeIs('a', 'Released')
  const second = await createClaim('a')
  await told('a', 'ProvisioningFailed', second.metadata.uid)
  assert.equal((await claim('a')).status?.phase, 'Pending')
  await client.patch(PERSISTENTVOLUMES, '', 'a', 'merge', { spec: { claimRef: null } })
  await claimIs('a', 'Bound')
})

test('a claim stays while a pod uses it, a volume while a claim has it', async () => {
  const { client, eventually } = cluster
  await createVolume('b')
  await createClaim('b')
  await claimIs('b', 'Bound')
  const persistentVolumeClaim = { claimName: 'b' }
  await eventually(() =>
    client.create<Pod>(PODS, {
      metadata: { name: 'b', namespace: 'default' },
      spec: {
        nodeName: 'n',
        volumes: [{ name: 'v', persistentVolumeClaim }],
        containers: [{ name: 'c', image: 'i' }],
      },
    }),
  )
  const unused = (status: string): Promise<unknown> =>
    eventually(async () =>
      (await claim('b')).status?.conditions?.find(
        (condition) => condition.type === 'Unused' && condition.status === status,
      ),
    )
  await unused('False')
  await client.delete(PERSISTENTVOLUMES, '', 'b')
  await client.delete(PERSISTENTVOLUMECLAIMS, 'default', 'b')
  assert.ok((await claim('b')).metadata.deletionTimestamp, 'the claim waits for the pod')
  assert.ok((await volume('b')).metadata.deletionTimestamp, 'the volume waits for the claim')
  await client.delete(PODS, 'default', 'b', { gracePeriodSeconds: 0 })
  await isGone(() => claim('b'))
  await isGone(() => volume('b'))
})

test('a claim without its volume is lost', async () => {
  const { client } = cluster
  await createVolume('c')
  await createClaim('c')
  await claimIs('c', 'Bound')
  await client.patch(PERSISTENTVOLUMES, '', 'c', 'merge', { metadata: { finalizers: null } })
  await client.delete(PERSISTENTVOLUMES, '', 'c')
  await client.patch(PERSISTENTVOLUMES, '', 'c', 'merge', { metadata: { finalizers: null } }).catch(() => null)
  await claimIs('c', 'Lost')
  assert.match(await told('c', 'ClaimLost'), /Bound claim has lost its PersistentVolume/)
})

test('reservations by name, in both directions', async () => {
  await createVolume('d', { claimRef: { namespace: 'default', name: 'd-wanted' }, storageClassName: 'd-wanted' })
  await volumeIs('d', 'Available')
  await createClaim('d-other', { storageClassName: 'd-wanted' })
  await createClaim('d-wanted')
  assert.equal((await claimIs('d-wanted', 'Bound')).spec.volumeName, 'd')
  assert.equal((await claim('d-other')).status?.phase, 'Pending')
  assert.equal((await volume('d')).metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined)
  await createVolume('d2', { storageClassName: 'd2' })
  await createClaim('d2-by-name', { volumeName: 'd2', storageClassName: 'd2' })
  await claimIs('d2-by-name', 'Bound')
})

test('a volume that was meant for a claim is free when the claim goes, or takes another one', async () => {
  const { client } = cluster
  const tooSmall = (name: string, claim: PersistentVolumeClaim): Promise<PersistentVolume> => {
    const { namespace, uid } = claim.metadata
    return createVolume(name, {
      capacity: { storage: '1Mi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim.metadata.name, uid },
    })
  }
  const goes = await createClaim('goes')
  await tooSmall('goes', goes)
  await told('goes', 'ProvisioningFailed')
  await client.delete(PERSISTENTVOLUMECLAIMS, 'default', 'goes')
  await volumeIs('goes', 'Released')
  const chooses = await createClaim('chooses')
  await tooSmall('too-small', chooses)
  await told('chooses', 'ProvisioningFailed')
  await createVolume('chosen', { storageClassName: 'chooses' })
  assert.equal((await claimIs('chooses', 'Bound')).spec.volumeName, 'chosen')
  assert.equal((await volumeIs('too-small', 'Available')).spec.claimRef?.uid, undefined)
})

test('a provisioner is asked; who waits for a consumer is not bound', async () => {
  const { client, eventually } = cluster
  await client.create<StorageClass>(STORAGECLASSES, { metadata: { name: 'e' }, provisioner: 'example.com/disk' })
  await createClaim('e')
  const asked = await eventually(async () => (await claim('e')).metadata.annotations)
  assert.equal(asked['volume.kubernetes.io/storage-provisioner'], 'example.com/disk')
  assert.match(await told('e', 'ExternalProvisioning'), /external provisioner 'example.com\/disk' or manually/)
  await client.create<StorageClass>(STORAGECLASSES, {
    metadata: { name: 'f' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  await createVolume('f')
  await createClaim('f')
  assert.equal(await told('f', 'WaitForFirstConsumer'), 'waiting for first consumer to be created before binding')
  assert.equal((await claim('f')).status?.phase, 'Pending')
  assert.equal((await volumeIs('f', 'Available')).spec.claimRef, undefined)
  // As the scheduler does.
  const chosen = await claim('f')
  const { name, namespace, uid } = chosen.metadata
  const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, namespace, uid }
  await client.patch(PERSISTENTVOLUMES, '', 'f', 'merge', { spec: { claimRef } })
  await claimIs('f', 'Bound')
})

test('a volume that nobody can delete fails, and says why', async () => {
  const { client } = cluster
  await createVolume('g', { persistentVolumeReclaimPolicy: 'Delete' })
  await createClaim('g')
  await claimIs('g', 'Bound')
  await client.delete(PERSISTENTVOLUMECLAIMS, 'default', 'g')
  const failed = await volumeIs('g', 'Failed')
  assert.match(failed.status?.message ?? '', /no deletable volume plugin matched/)
})

test('the claim of an ephemeral volume comes and goes with its pod', async () => {
  const { client } = cluster
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'h', resources: { requests: { storage: '1Gi' } } }
  await createVolume('h')
  await client.create<Pod>(PODS, {
    metadata: { name: 'h', namespace: 'default' },
    spec: {
      volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec } } }],
      containers: [{ name: 'c', image: 'i' }],
    },
  })
  const made = await claimIs('h-v', 'Bound')
  assert.deepEqual(made.metadata.labels, { a: 'b' })
  await client.delete(PODS, 'default', 'h', { gracePeriodSeconds: 0 })
  await isGone(() => claim('h-v'))
})

test('an attributes class stays while a volume has it', async () => {
  const { client } = cluster
  await client.create<VolumeAttributesClass>(VOLUMEATTRIBUTESCLASSES, {
    metadata: { name: 'i' },
    driverName: 'd',
    parameters: { a: 'b' },
  })
  await createVolume('i', {
    volumeAttributesClassName: 'i',
    csi: { driver: 'd', volumeHandle: 'x' },
    hostPath: undefined,
  })
  await volumeIs('i', 'Available')
  await client.delete(VOLUMEATTRIBUTESCLASSES, '', 'i')
  assert.ok((await client.get(VOLUMEATTRIBUTESCLASSES, '', 'i')).metadata.deletionTimestamp)
  await client.delete(PERSISTENTVOLUMES, '', 'i')
  await isGone(() => client.get(VOLUMEATTRIBUTESCLASSES, '', 'i'))
})
