/** Answers one DNS question from the cluster's view: pure, so that every rule of the specification is a line in a table test. */
import type { Answer } from 'dns-packet'
import type { Service } from '#api/core/v1.gen.ts'
import {
  addressOfReverseName,
  clusterIps,
  dashedName,
  endpointsOf,
  isExternalName,
  isHeadless,
  undashIpv4,
  type ClusterView,
  type ServiceEndpoint,
} from './records.ts'

/** Seconds a client may keep a cluster record. */
export const TTL_SECONDS = 30
const SPECIFICATION_VERSION = '1.1.0'

export type Reply =
  /** An empty `answers` means: the name exists, without records of this type. */
  | { readonly outcome: 'answer'; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] }
  | { readonly outcome: 'no-such-name' }
  /** The Service is an alias for a name outside: answer the CNAME, and what `target` resolves to. */
  | { readonly outcome: 'alias'; readonly alias: Answer; readonly target: string }
  /** Not a name of the cluster. */
  | { readonly outcome: 'not-ours' }

export type Question = { readonly name: string; readonly type: string }

const NO_SUCH_NAME: Reply = { outcome: 'no-such-name' }
const EMPTY = answer([])

function answer(answers: readonly Answer[], additionals: readonly Answer[] = []): Reply {
  return { outcome: 'answer', answers, additionals }
}

/** `domain` is the cluster domain, lower case without a final dot; names compare without regard to case. */
export function answerQuestion(question: Question, domain: string, view: ClusterView): Reply {
  const name = question.name.toLowerCase().replace(/\.$/, '')
  if (name.endsWith('.in-addr.arpa')) return answerReverse(question, name, domain, view)
  if (name === domain) return EMPTY
  if (!name.endsWith(`.${domain}`)) return { outcome: 'not-ours' }
  const labels = name.slice(0, -domain.length - 1).split('.')
  const section = labels.at(-1)
  if (section === 'svc') return answerService(question, labels.slice(0, -1), domain, view)
  if (section === 'pod') return answerPod(question, labels.slice(0, -1), view)
  if (name === `dns-version.${domain}`)
    return question.type === 'TXT' ? answer([record(question.name, 'TXT', SPECIFICATION_VERSION)]) : EMPTY
  return NO_SUCH_NAME
}

/** Labels before `svc`: [namespace], [service, namespace], [endpoint, service, namespace] or [_port, _protocol, service, namespace]. */
function answerService(question: Question, labels: readonly string[], domain: string, view: ClusterView): Reply {
  const [namespace, name, ...rest] = labels.toReversed()
  if (namespace === undefined) return EMPTY
  if (name === undefined) return view.hasNamespace(namespace) ? EMPTY : NO_SUCH_NAME
  const service = view.service(namespace, name)
  if (service === undefined) return NO_SUCH_NAME
  const base = `${name}.${namespace}.svc.${domain}`
  if (isExternalName(service)) return rest.length === 0 ? answerAlias(question, service) : NO_SUCH_NAME
  if (rest.length === 0) return answerWholeService(question, service, base, view)
  if (rest.length === 2 && rest[0]!.startsWith('_') && rest[1]!.startsWith('_'))
    return answerPort(question, service, base, { protocol: rest[0]!.slice(1), port: rest[1]!.slice(1) }, view)
  if (rest.length === 1) return answerEndpoint(question, service, rest[0]!, view)
  return NO_SUCH_NAME
}

function answerAlias(question: Question, service: Service): Reply {
  const target = service.spec.externalName ?? ''
  return { outcome: 'alias', alias: record(question.name, 'CNAME', target), target }
}

function answerWholeService(question: Question, service: Service, base: string, view: ClusterView): Reply {
  const endpoints = isHeadless(service) ? allEndpoints(service, view) : []
  // A headless Service without endpoints does not exist for DNS, as CoreDNS answers.
  if (isHeadless(service) && endpoints.length === 0) return NO_SUCH_NAME
  switch (question.type) {
    case 'A':
    case 'AAAA': {
      const family = question.type === 'A' ? 'IPv4' : 'IPv6'
      const ips = isHeadless(service)
        ? endpoints.map(({ ip }) => ip).filter((ip) => ip.includes(':') === (family === 'IPv6'))
        : clusterIps(service, family)
      return answer([...new Set(ips)].map((ip) => record(question.name, question.type as 'A', ip)))
    }
    case 'SRV':
      return answerPort(question, service, base, { protocol: '', port: '' }, view)
    default:
      return EMPTY
  }
}

/** SRV records of one named port; empty names mean all ports. */
function answerPort(
  question: Question,
  service: Service,
  base: string,
  wanted: { protocol: string; port: string },
  view: ClusterView,
): Reply {
  const matches = (port: { name?: string; protocol?: string }): boolean =>
    (wanted.port === '' || port.name === wanted.port) &&
    (wanted.protocol === '' || (port.protocol ?? 'TCP').toLowerCase() === wanted.protocol)
  const targets: { name: string; ip: string; port: number }[] = isHeadless(service)
    ? allEndpoints(service, view).flatMap((endpoint) =>
        endpoint.ports
          .filter(matches)
          .map((port) => ({ name: `${endpoint.hostname}.${base}`, ip: endpoint.ip, port: port.port })),
      )
    : (service.spec.ports ?? [])
        .filter(matches)
        .flatMap((port) => clusterIps(service, 'IPv4').map((ip) => ({ name: base, ip, port: port.port })))
  if (targets.length === 0) return NO_SUCH_NAME
  if (question.type !== 'SRV') return EMPTY
  const weight = Math.max(1, Math.floor(100 / targets.length))
  const answers = targets.map(({ name, port }) => srvRecord(question.name, name, port, weight))
  const additionals = new Map(
    targets.map(({ name, ip }) => [`${name} ${ip}`, record(name, ip.includes(':') ? 'AAAA' : 'A', ip)]),
  )
  return answer(answers, [...additionals.values()])
}

function answerEndpoint(question: Question, service: Service, hostname: string, view: ClusterView): Reply {
  const matching = isHeadless(service)
    ? allEndpoints(service, view).filter((endpoint) => endpoint.hostname.toLowerCase() === hostname)
    : []
  if (matching.length === 0) return NO_SUCH_NAME
  if (question.type !== 'A' && question.type !== 'AAAA') return EMPTY
  const ips = matching.map(({ ip }) => ip).filter((ip) => ip.includes(':') === (question.type === 'AAAA'))
  return answer([...new Set(ips)].map((ip) => record(question.name, question.type as 'A', ip)))
}

/** `10-244-1-5.shop.pod`: the address stands in the name itself. */
function answerPod(question: Question, labels: readonly string[], view: ClusterView): Reply {
  const [namespace, pod, ...rest] = labels.toReversed()
  if (namespace === undefined) return EMPTY
  if (!view.hasNamespace(namespace) || rest.length > 0) return NO_SUCH_NAME
  if (pod === undefined) return EMPTY
  const ip = undashIpv4(pod)
  if (ip === null) return NO_SUCH_NAME
  return question.type === 'A' ? answer([record(question.name, 'A', ip)]) : EMPTY
}

/** Addresses that no Service or endpoint has may belong to the world outside: the forwarder is asked. */
function answerReverse(question: Question, name: string, domain: string, view: ClusterView): Reply {
  const ip = addressOfReverseName(name)
  if (ip === null) return { outcome: 'not-ours' }
  const services = view.servicesByIp(ip).map(({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${domain}`)
  const names = services.length > 0 ? services : endpointNames(ip, domain, view)
  if (names.length === 0) return { outcome: 'not-ours' }
  return question.type === 'PTR' ? answer(names.map((target) => record(question.name, 'PTR', target))) : EMPTY
}

function endpointNames(ip: string, domain: string, view: ClusterView): string[] {
  const names = view.slicesByIp(ip).flatMap((slice) => {
    const service = slice.metadata.labels?.['kubernetes.io/service-name']
    const endpoint = slice.endpoints?.find(({ addresses }) => addresses.includes(ip))
    if (service === undefined || endpoint === undefined) return []
    return [`${endpoint.hostname ?? dashedName(ip)}.${service}.${slice.metadata.namespace}.svc.${domain}`]
  })
  return [...new Set(names)]
}

function allEndpoints(service: Service, view: ClusterView): ServiceEndpoint[] {
  const slices = view.slices(service.metadata.namespace!, service.metadata.name)
  return [...endpointsOf(slices, 'IPv4'), ...endpointsOf(slices, 'IPv6')]
}

function record(name: string, type: 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'TXT', data: string): Answer {
  return { name, type, class: 'IN', ttl: TTL_SECONDS, data } as Answer
}

function srvRecord(name: string, target: string, port: number, weight: number): Answer {
  return { name, type: 'SRV', class: 'IN', ttl: TTL_SECONDS, data: { target, port, priority: 0, weight } }
}

/** The authority record of a negative answer, which tells how long it may be kept. */
export function startOfAuthority(domain: string, nowMs: number): Answer {
  return {
    name: domain,
    type: 'SOA',
    class: 'IN',
    ttl: TTL_SECONDS,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: Math.floor(nowMs / 1000),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL_SECONDS,
    },
  }
}
