/** The Lease by which API servers know of each other, renewed while this one runs; those of servers that are gone are removed. */
import { createHash } from 'node:crypto'
import type { Lease } from '#api/coordination/v1.gen.ts'
import { LEASES } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isNotFound } from '#machinery/status-error.ts'

const NAMESPACE = 'kube-system'
const COMPONENT = 'kube-apiserver'
const IDENTITY_LABEL = 'apiserver.kubernetes.io/identity'
const DURATION_SECONDS = 3600
/** Upstream's interval of renewal. */
export const RENEW_MS = 10_000
/** Upstream's interval of removal. */
export const COLLECT_MS = 3_600_000

export type IdentityOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly hostname: string
  /** Different for every start: an older process of this host is somebody else. */
  readonly processId: string
  /** `ADDRESS:PORT` where other API servers reach this one. */
  readonly peerAddress: string
}

/** The same for every start on a host. */
export function apiServerId(hostname: string): string {
  const parts = [hostname, COMPONENT].flatMap((text) => {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    return [length, bytes]
  })
  const hash = createHash('sha256').update(Buffer.concat(parts)).digest()
  return `apiserver-${encodeBase32(hash.subarray(0, 16))}`
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** Lower case, without padding. */
function encodeBase32(bytes: Buffer): string {
  let [text, bits, value] = ['', 0, 0]
  for (const byte of bytes) {
    value = (value << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + BASE32[(value << (5 - bits)) & 31]
}

export async function renewIdentityLease(options: IdentityOptions): Promise<void> {
  const { client, hostname } = options
  const name = apiServerId(hostname)
  const known = await client.get(LEASES, NAMESPACE, name).catch((error: unknown) => {
    if (isNotFound(error)) return null
    throw error
  })
  const lease = leaseOf(options, name)
  if (known === null) await client.create(LEASES, lease)
  else
    await client.update(LEASES, {
      ...known,
      metadata: {
        ...known.metadata,
        labels: { ...known.metadata.labels, ...lease.metadata.labels },
        annotations: { ...known.metadata.annotations, ...lease.metadata.annotations },
      },
      spec: { ...known.spec, ...lease.spec },
    })
}

function leaseOf({ clock, hostname, processId, peerAddress }: IdentityOptions, name: string): Draft<Lease> {
  return {
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { [IDENTITY_LABEL]: COMPONENT, 'kubernetes.io/hostname': hostname },
      annotations: { 'kubernetes.io/peer-advertise-address': peerAddress },
    },
    spec: {
      holderIdentity: `${name}_${processId}`,
      leaseDurationSeconds: DURATION_SECONDS,
      renewTime: new Date(clock.now()).toISOString().replace('Z', '000Z'),
    },
  }
}

/** A server that has not renewed its Lease for an hour is gone. */
export async function collectIdentityLeases({
  client,
  clock,
}: Pick<IdentityOptions, 'client' | 'clock'>): Promise<void> {
  const { items } = await client.list(LEASES, NAMESPACE, { labelSelector: `${IDENTITY_LABEL}=${COMPONENT}` })
  for (const { metadata } of items.filter((lease) => isExpired(lease, clock.now())))
    await client.delete(LEASES, NAMESPACE, metadata.name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
}

export function isExpired({ spec }: Lease, nowMs: number): boolean {
  const { renewTime, leaseDurationSeconds } = spec ?? {}
  if (renewTime === undefined || leaseDurationSeconds === undefined) return true
  return Date.parse(renewTime) + leaseDurationSeconds * 1000 < nowMs
}
