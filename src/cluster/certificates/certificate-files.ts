/** Keeps certificates and keys in files, made once and read afterwards; private ones are readable by their owner only. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { ClusterError } from '../cluster-state.ts'
import {
  createAuthority,
  createSigningKey,
  endOf,
  isCurrent,
  issueCertificate,
  type Authority,
  type CertificateRequest,
  type KeyPair,
} from './authority.ts'

/** A certificate that ends sooner is made anew at start. */
const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000

/** `NAME.crt` and `NAME.key` of a folder; made by `create` when one of them is missing, or when `isUsable` refuses them. */
export async function loadOrCreate(
  folder: string,
  name: string,
  create: () => Promise<KeyPair>,
  isUsable: (pair: KeyPair) => boolean = () => true,
): Promise<KeyPair> {
  const [certificatePath, keyPath] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  const [certificate, privateKey] = await Promise.all([readOptional(certificatePath), readOptional(keyPath)])
  if (certificate !== null && privateKey !== null && isUsable({ certificate, privateKey }))
    return { certificate, privateKey }
  const pair = await create()
  await writeAtomically(keyPath, pair.privateKey, 0o600)
  await writeAtomically(certificatePath, pair.certificate, 0o644)
  return pair
}

/** Never made anew by itself: whoever trusts the old one would trust nothing of the cluster any more. */
export async function loadOrCreateAuthority(
  folder: string,
  name: string,
  commonName: string,
  clock: Clock,
): Promise<Authority> {
  const authority = await loadOrCreate(folder, name, () => createAuthority(commonName, clock))
  const [path, end] = [join(folder, `${name}.crt`), endOf(authority)]
  const wayOut = `Restore it, or remove ${join(folder, name)}.crt and .key to get a new one, which copied kubeconfigs do not trust`
  if (end === null) throw new ClusterError(`${path} is no certificate. ${wayOut}`)
  if (end <= clock.now())
    throw new ClusterError(`the certificate authority ${path} expired on ${new Date(end).toISOString()}. ${wayOut}`)
  return authority
}

/** Signed by `authority`; made anew when it is about to end or does not cover the hosts. */
export function loadOrIssue(
  folder: string,
  name: string,
  authority: Authority,
  request: CertificateRequest,
  clock: Clock,
): Promise<KeyPair> {
  const check = { hosts: request.hosts ?? [], remainingMs: RENEW_BEFORE_MS, nowMs: clock.now() }
  return loadOrCreate(
    folder,
    name,
    () => issueCertificate(authority, request, clock),
    (pair) => isCurrent(pair, authority, check),
  )
}

/** The key that signs tokens of service accounts: `NAME.key` and `NAME.pub`. */
export async function loadOrCreateSigningKey(folder: string, name: string): Promise<string> {
  const path = join(folder, `${name}.key`)
  const known = await readOptional(path)
  if (known !== null) return known
  const { privateKey, publicKey } = await createSigningKey()
  await writeAtomically(join(folder, `${name}.pub`), publicKey, 0o644)
  await writeAtomically(path, privateKey, 0o600)
  return privateKey
}

/** The file is complete or not there: it is written beside its place and moved. */
export async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text, { mode })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function readOptional(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}
