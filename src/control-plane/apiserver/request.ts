/** A request on its way through the API server's chain, and the forms an answer has; HTTP is only one way in. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { AuditRecord } from './audit/audit-record.ts'
import type { MediaType } from './http/negotiation.ts'

export type UserInfo = {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** The body as it came: bytes from the network, or an object from a component in this process (ours to change: a copy). */
export type RequestBody =
  | { readonly form: 'none' }
  | { readonly form: 'bytes'; readonly bytes: Buffer; readonly contentType: string }
  | { readonly form: 'object'; readonly object: unknown; readonly contentType: string }

/** What the path and method mean, as upstream's RequestInfo. */
export type RequestInfo = {
  readonly isResourceRequest: boolean
  /** get, list, watch, create, update, patch, delete, deletecollection; for other paths the lower-case method. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** Path segments after `/api/v1` or `/apis/group/version`. */
  readonly parts: readonly string[]
}

export type ApiRequest = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody
  readonly info: RequestInfo
  /** Set by authentication (or by the in-process transport); impersonation replaces it. */
  user: UserInfo
  /** Aborted when the client goes away or the server drains. */
  readonly signal: AbortSignal
  /** Texts of `Warning: 299` headers, in order, each once. */
  readonly warnings: Set<string>
  /** Headers that the chain adds to whatever is answered; missing for a component in this process. */
  readonly answerHeaders?: Record<string, string>
  /** Where the client sits, for audit and `kubectl exec` logs. */
  readonly remoteAddress: string
  /** Path and query as they came; missing for a component in this process. */
  readonly target?: string
  /** Under which the request is logged; missing for a component in this process. */
  readonly auditId?: string
  /** Time of the clock when it came. */
  readonly receivedMs?: number
  /** Set while the request is audited. */
  readonly audit?: AuditRecord
  /** What only a request from the network has; missing for a component in this process. */
  readonly connection?: RequestConnection
}

/** The network side of a request: what authentication and proxies need of it. */
export interface RequestConnection {
  /** The client's certificate, null when it sent none. `trusted` is false for one that the client CA did not sign. */
  certificate(): ClientCertificate | null
  /** Reads the body once; throws StatusError 413 above the limit. The chain does it after authorization. */
  readBody(): Promise<Buffer>
  /** The body as it comes, for proxies. */
  bodyStream(): AsyncIterable<Uint8Array>
  /** The names of headers as they came, with every value, for proxies. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[]
  /** The client asks to leave HTTP (`Connection: Upgrade`). */
  readonly upgrade: boolean
  /** Many requests share the connection at a time. */
  readonly isHttp2: boolean
}

export type ClientCertificate = {
  readonly trusted: boolean
  /** Signed by an authority of front proxies. */
  readonly isFrontProxy: boolean
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Lower-case hex SHA-256 of the DER bytes. */
  readonly fingerprint: string
}

/** The bytes and the view of one stored object; see watch-cache/. `object()` decodes on demand and is shared: never modify it. */
export interface StoredObject<T extends KubernetesObject = KubernetesObject> {
  readonly key: string
  readonly revision: number
  /** JSON as served: apiVersion, kind and metadata.resourceVersion included. */
  readonly bytes: Buffer
  object(): T
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export type ServedWatchEvent = {
  readonly type: WatchEventType
  /** The object as JSON: the same buffer for all watchers. */
  readonly bytes: Buffer
  /** The object as a shared view, for watchers in this process. */
  object(): unknown
}

/** A running watch: the server side pushes, the transport pulls whole batches. */
export interface WatchStream {
  /** Resolves with one or more events; null when the watch has ended in an orderly way. Cancelled by the request's signal. */
  next(): Promise<readonly ServedWatchEvent[] | null>
  close(): void
}

export type ApiResponse = {
  readonly code: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: ResponseBody
}

/** For an answer whose handler has negotiated its encoding itself. */
export type WrittenAs = { readonly mediaType: MediaType; readonly contentType: string }

export type ResponseBody =
  /** A single object: plain, or stored (its bytes are copied out as they are). */
  | { readonly form: 'object'; readonly object: unknown; readonly written?: WrittenAs }
  | { readonly form: 'stored'; readonly stored: StoredObject }
  /** A list of stored objects that is written in slices: head, bytes joined by commas, tail. */
  | {
      readonly form: 'list'
      readonly apiVersion: string
      readonly kind: string
      readonly metadata: Readonly<Record<string, unknown>>
      readonly items: readonly StoredObject[]
      /** Items of custom resources say their type; others are written without, as upstream does. */
      readonly keepsItemTypes?: boolean
      /** Further fields in front of the items: a Table's columns. */
      readonly extra?: Readonly<Record<string, unknown>>
      /** `rows` in a Table. */
      readonly itemsName?: string
    }
  /** `isWatchList`: it begins with the whole state, so that it is worth compressing. */
  | { readonly form: 'watch'; readonly stream: WatchStream; readonly isWatchList?: boolean }
  /** Ready bytes or text, or a stream of them (logs, metrics, OpenAPI). */
  | {
      readonly form: 'raw'
      readonly contentType: string
      readonly content: Buffer | string | AsyncIterable<Uint8Array>
    }
  /** The handler takes over the connection (exec, attach, port-forward, proxied upgrades). */
  | { readonly form: 'upgrade'; readonly accept: (connection: UpgradeConnection) => void }

/** The raw socket of an upgrade request, before anything was answered. */
export type UpgradeConnection = {
  readonly socket: Duplex
  readonly head: Buffer
  readonly request: IncomingMessage
}

/** One stage of the chain; it answers itself or calls `next`. Throws StatusError for refusals. */
export type Stage = (request: ApiRequest, next: (request: ApiRequest) => Promise<ApiResponse>) => Promise<ApiResponse>
export type Handler = (request: ApiRequest) => Promise<ApiResponse>
