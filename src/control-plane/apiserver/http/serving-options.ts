/** How the API server's port speaks TLS and HTTP/2, and what Node's server needs for it. */
import type { SecureServerOptions } from 'node:http2'
import type { SecureVersion } from 'node:tls'

export type ServingCertificate = { readonly certificate: string; readonly privateKey: string }

export type ServingOptions = ServingCertificate & {
  readonly port: number
  readonly address: string
  /** Node's name of the oldest version; TLSv1.2 without it. */
  readonly minVersion?: SecureVersion
  /** OpenSSL's names; Node's list without it. */
  readonly ciphers?: readonly string[]
  /** OpenSSL's names of key exchanges; Node's list without it. */
  readonly curves?: readonly string[]
  /** Certificates for clients that ask for one of the names. */
  readonly named?: readonly (ServingCertificate & { readonly names: readonly string[] })[]
  readonly isHttp2Off?: boolean
  readonly streamsMax?: number
  /** Other processes may listen on the same port. */
  readonly reusePort?: boolean
  /** Chance that a request has its connection of HTTP/2 closed. */
  readonly goawayChance?: number
}

/** Streams of one HTTP/2 connection: a kubelet holds a watch for each secret and config map it uses. */
const STREAMS_MAX = 1000
/** Window for request bodies: one of them fits without a round trip in the middle. */
const WINDOW_BYTES = 4 * 1024 * 1024
/** Memory a session may hold for answers that the client has not read, in MB (Node's unit). */
const SESSION_MEMORY_MB = 64
/** Go's limit of all headers of a request; in HTTP/1.1 a longer head is refused with 431. */
const HEADER_BYTES_MAX = 1024 * 1024
/** More than fit into those bytes: each costs 32 beside its text. */
export const HEADERS_MAX = HEADER_BYTES_MAX / 32

/** The options of HTTP/1.1 are read by the same server, but not known to its type. */
type ServerOptions = SecureServerOptions & { readonly maxHeaderSize: number }

/** `authorities` are those whose certificates clients may show; with none of them no certificate is trusted. */
export function nodeServerOptions(serving: ServingOptions, authorities: readonly string[]): ServerOptions {
  return {
    allowHTTP1: true,
    ...(serving.isHttp2Off ? { ALPNProtocols: ['http/1.1'] } : {}),
    key: serving.privateKey,
    cert: serving.certificate,
    ca: [...authorities],
    requestCert: authorities.length > 0,
    rejectUnauthorized: false,
    ...tlsLimits(serving),
    settings: {
      maxConcurrentStreams: serving.streamsMax ?? STREAMS_MAX,
      initialWindowSize: WINDOW_BYTES,
      maxHeaderListSize: HEADER_BYTES_MAX,
    },
    maxSessionMemory: SESSION_MEMORY_MB,
    // Node counts headers as well; here their bytes are the limit.
    maxHeaderListPairs: HEADERS_MAX,
    maxHeaderSize: HEADER_BYTES_MAX,
  }
}

export function tlsLimits({ minVersion = 'TLSv1.2', ciphers, curves }: ServingOptions) {
  return {
    minVersion,
    ...(ciphers === undefined ? {} : { ciphers: ciphers.join(':') }),
    ...(curves === undefined ? {} : { ecdhCurve: curves.join(':') }),
  }
}
