/** Decides which certificate requests the signers of Kubernetes take, and how long their certificates are good. */
import type { RequestedNames } from '#api/certificates/certificate-request.ts'

export const SIGNERS = [
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/legacy-unknown',
] as const
export type SignerName = (typeof SIGNERS)[number]

const [SIGNATURE, ENCIPHERMENT, CLIENT, SERVER] = [
  'digital signature',
  'key encipherment',
  'client auth',
  'server auth',
]

/** Why the signer does not sign this; null when it does. */
export function whyRefused(signer: SignerName, names: RequestedNames, usages: readonly string[]): string | null {
  switch (signer) {
    case 'kubernetes.io/kube-apiserver-client':
      return clientProblem(usages)
    case 'kubernetes.io/kube-apiserver-client-kubelet':
      return kubeletClientProblem(names, usages)
    case 'kubernetes.io/kubelet-serving':
      return kubeletServingProblem(names, usages)
    case 'kubernetes.io/legacy-unknown':
      return null
  }
}

function clientProblem(usages: readonly string[]): string | null {
  const other = usages.find((usage) => ![SIGNATURE, ENCIPHERMENT, CLIENT].includes(usage))
  if (other !== undefined) return `invalid usage for client certificate: ${other}`
  return usages.includes(CLIENT!) ? null : `missing required usage for client certificate: ${CLIENT}`
}

export function kubeletClientProblem(names: RequestedNames, usages: readonly string[]): string | null {
  if (!isOfNodes(names)) return 'subject organization is not system:nodes'
  if (names.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (names.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (names.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (names.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!isNamedAsNode(names)) return 'subject common name does not begin with system:node:'
  return usagesProblem(usages, CLIENT!)
}

function kubeletServingProblem(names: RequestedNames, usages: readonly string[]): string | null {
  if (!isOfNodes(names)) return 'subject organization is not system:nodes'
  if (names.dnsNames.length === 0 && names.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (names.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (names.uris.length > 0) return 'URI subjectAltNames are not allowed'
  const problem = usagesProblem(usages, SERVER!)
  if (problem !== null) return problem
  return isNamedAsNode(names) ? null : 'subject common name does not begin with system:node:'
}

const isOfNodes = ({ subject: { organizations } }: RequestedNames): boolean =>
  organizations.length === 1 && organizations[0] === 'system:nodes'
const isNamedAsNode = ({ subject }: RequestedNames): boolean => subject.commonName.startsWith('system:node:')

/** Only keys of RSA can encipher others. */
function usagesProblem(usages: readonly string[], wanted: string): string | null {
  const given = new Set(usages)
  const withEncipherment = new Set([SIGNATURE, ENCIPHERMENT, wanted])
  const without = new Set([SIGNATURE, wanted])
  const isOneOf = [withEncipherment, without].some((set) => given.symmetricDifference(set).size === 0)
  return isOneOf ? null : `usages did not match [${[...withEncipherment].toSorted().join(' ')}]`
}

const MINUTE_MS = 60_000
const [BACKDATE_MS, DURATION_MS_MIN, SHORT_MS] = [5 * MINUTE_MS, 10 * MINUTE_MS, 8 * 60 * MINUTE_MS]
export const DURATION_MS_DEFAULT = 365 * 24 * 60 * MINUTE_MS

export type Validity = { readonly notBeforeMs: number; readonly notAfterMs: number }

/**
 * Certificates are good a little before they are made, since clocks differ; only short-lived ones have that time on top. Nothing outlives
 * its authority. Throws when that has ended.
 */
export function validityOf(
  wanted: { readonly expirationSeconds: number | undefined; readonly durationMsMax: number },
  authorityEndMs: number,
  nowMs: number,
): Validity {
  const asked = wanted.expirationSeconds === undefined ? wanted.durationMsMax : wanted.expirationSeconds * 1000
  const durationMs = asked > wanted.durationMsMax ? wanted.durationMsMax : Math.max(asked, DURATION_MS_MIN)
  const notBeforeMs = nowMs - BACKDATE_MS
  const endMs = nowMs + (durationMs < SHORT_MS ? durationMs : durationMs - BACKDATE_MS)
  const end = new Date(authorityEndMs).toISOString()
  if (notBeforeMs >= authorityEndMs) throw new Error(`the signer has expired: NotAfter=${end}`)
  if (nowMs >= authorityEndMs)
    throw new Error(`refusing to sign a certificate that expired in the past: NotAfter=${end}`)
  return { notBeforeMs, notAfterMs: Math.min(endMs, authorityEndMs) }
}
