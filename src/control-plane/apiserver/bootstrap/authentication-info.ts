/** What extension API servers must know to trust the same clients and front proxies: the data of the ConfigMap `extension-apiserver-authentication`. */
import { X509Certificate } from 'node:crypto'
import type { RequestHeaderSettings } from '../settings.ts'

export type AuthenticationInfo = {
  /** PEM of the authorities of client certificates. */
  readonly clientCa: string
  readonly requestHeader: RequestHeaderSettings | null
}

type Data = Readonly<Record<string, string>>

/** Each server adds its own to what others published: servers of one cluster may have different authorities. Expired ones are left out. */
export function combineAuthenticationInfo(published: Data, own: AuthenticationInfo, nowMs: number): Data {
  const clientCa = combineCertificates([published['client-ca-file'] ?? '', own.clientCa], nowMs)
  return {
    ...(clientCa === '' ? {} : { 'client-ca-file': clientCa }),
    ...combineRequestHeader(published, own.requestHeader, nowMs),
  }
}

function combineRequestHeader(published: Data, own: RequestHeaderSettings | null, nowMs: number): Data {
  const combine = (key: string, names: readonly string[] = []): string[] => [
    ...new Set([...readList(published[key]), ...names]),
  ]
  const uid = combine('requestheader-uid-headers', own?.uidHeaders.map(headerName))
  const lists = {
    'requestheader-username-headers': combine('requestheader-username-headers', own?.usernameHeaders.map(headerName)),
    ...(uid.length === 0 ? {} : { 'requestheader-uid-headers': uid }),
    'requestheader-group-headers': combine('requestheader-group-headers', own?.groupHeaders.map(headerName)),
    'requestheader-extra-headers-prefix': combine(
      'requestheader-extra-headers-prefix',
      own?.extraHeaderPrefixes.map(headerName),
    ),
    'requestheader-allowed-names': combine('requestheader-allowed-names', own?.allowedNames),
  }
  const authorities = combineCertificates([published['requestheader-client-ca-file'] ?? '', own?.clientCa ?? ''], nowMs)
  if (authorities === '') return {}
  const texts = Object.entries(lists).map(([key, list]) => [key, JSON.stringify(list)])
  return { ...Object.fromEntries(texts), 'requestheader-client-ca-file': authorities }
}

/** Headers are compared without regard to case; they are published as Go writes them. */
const headerName = (name: string): string => name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())

/** Throws on what is no list: a broken ConfigMap is not replaced behind its owner's back. */
function readList(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return []
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) throw new Error(`${JSON.stringify(text)} is no list`)
  return list.map(String)
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function combineCertificates(bundles: readonly string[], nowMs: number): string {
  const certificates = bundles
    .flatMap((bundle) => bundle.match(CERTIFICATE) ?? [])
    .map((pem) => new X509Certificate(pem))
    .filter((certificate) => certificate.validToDate.getTime() >= nowMs)
  return [...new Set(certificates.map(String))].join('')
}
