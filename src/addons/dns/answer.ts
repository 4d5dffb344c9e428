/** Answers one DNS question from the cluster's view: pure, so that every rule of the specification is a line in a table test. */
import type { Answer, SoaAnswer } from 'dns-packet'
import { isIP } from 'node:net'
import type { Service } from '#api/core/v1.gen.ts'
import {
  addressOfReverseName,
  clusterIps,
  endpointsOf,
  isExternalName,
  isHeadless,
  undashedAddress,
  type ClusterView,
  type ServiceEndpoint,
} from './records.ts'

/** Seconds a client may keep a cluster record: CoreDNS' own default, short because Services move. */
export const TTL_SECONDS = 5
/** Where every cluster has its DNS. */
const DNS_SERVICE = { namespace: 'kube-system', name: 'kube-dns' }
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
export function answerQuestion(question: Question, domain: string, view: ClusterView, nowMs = 0): Reply {
  const name = question.name.toLowerCase().replace(/\.$/, '')
  if (/\.(in-addr|ip6)\.arpa$/.test(name)) return answerReverse(question, name, domain, view)
  if (name === domain) return answerZone(question, domain, view, nowMs)
  if (!name.endsWith(`.${domain}`)) return { outcome: 'not-ours' }
  const labels = name.slice(0, -domain.length - 1).split('.')
  const section = labels.at(-1)
  if (section === 'svc') return answerService(question, labels.slice(0, -1), domain, view)
  if (section === 'pod') return answerPod(question, labels.slice(0, -1), view)
  if (name === `dns-version.${domain}`)
    return question.type === 'TXT' ? answer([record(question.name, 'TXT', SPECIFICATION_VERSION)]) : EMPTY
  if (name === `ns.dns.${domain}`) return answerAddresses(question, dnsAddresses(view))
  return NO_SUCH_NAME
}

/** The zone itself: its authority, and the name of the server that has it. */
function answerZone(question: Question, domain: string, view: ClusterView, nowMs: number): Reply {
  if (question.type === 'SOA') return answer([{ ...startOfAuthority(domain, nowMs), name: question.name }])
  if (question.type !== 'NS') return EMPTY
  const server = `${DNS_SERVICE.name}.${DNS_SERVICE.namespace}.svc.${domain}`
  const addresses = dnsAddresses(view)
  const target = addresses.length > 0 ? server : `ns.dns.${domain}`
  return answer(
    [record(question.name, 'NS', target)],
    addresses.map((ip) => addressRecord(target, ip)),
  )
}

function dnsAddresses(view: ClusterView): string[] {
  const service = view.service(DNS_SERVICE.namespace, DNS_SERVICE.name)
  return service === undefined ? [] : clusterIps(service)
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
  if (rest.length === 0) return answerTargets(question, targetsOf(service, base, view))
  if (rest.length === 2 && rest[0]!.startsWith('_') && rest[1]!.startsWith('_')) {
    const [protocol, port] = [rest[0]!.slice(1), rest[1]!.slice(1)]
    const matching = targetsOf(service, base, view).filter(
      (target) => target.protocol === protocol && target.portName === port,
    )
    return answerTargets(question, matching)
  }
  if (rest.length > 1) return NO_SUCH_NAME
  // Each endpoint has a name, of a Service with an address of its own, too.
  return answerTargets(
    question,
    endpointTargets(service, base, view).filter(({ hostname }) => hostname === rest[0]),
  )
}

/** An address is no name to be an alias of: CoreDNS knows no such Service either. */
function answerAlias(question: Question, service: Service): Reply {
  const target = (service.spec.externalName ?? '').replace(/\.$/, '')
  if (target === '' || isIP(target) !== 0) return NO_SUCH_NAME
  return { outcome: 'alias', alias: record(question.name, 'CNAME', target), target }
}

/** One port at one address, as SRV records tell it. */
type RecordTarget = {
  /** The name that has the address. */
  readonly name: string
  readonly hostname: string
  readonly ip: string
  readonly portName: string
  readonly protocol: string
  /** 0 for an endpoint without ports. */
  readonly port: number
}

function targetsOf(service: Service, base: string, view: ClusterView): RecordTarget[] {
  if (isHeadless(service)) return endpointTargets(service, base, view)
  return (service.spec.ports ?? []).flatMap(({ name: portName = '', protocol = 'TCP', port }) =>
    clusterIps(service).map((ip) => ({
      name: base,
      hostname: '',
      ip,
      portName: portName.toLowerCase(),
      protocol: protocol.toLowerCase(),
      port,
    })),
  )
}

function endpointTargets(service: Service, base: string, view: ClusterView): RecordTarget[] {
  return allEndpoints(service, view).flatMap(({ ip, hostname, ports }) => {
    const common = { name: `${hostname}.${base}`, hostname: hostname.toLowerCase(), ip }
    if (ports.length === 0) return [{ ...common, portName: '', protocol: '', port: 0 }]
    return ports.map(({ name, protocol, port }) => ({ ...common, portName: name.toLowerCase(), protocol, port }))
  })
}

/** Without a target the name does not exist: a headless Service has none before its first ready endpoint. */
function answerTargets(question: Question, targets: readonly RecordTarget[]): Reply {
  if (targets.length === 0) return NO_SUCH_NAME
  if (question.type === 'SRV') return answerServers(question, targets)
  return answerAddresses(
    question,
    targets.map(({ ip }) => ip),
  )
}

function answerAddresses(question: Question, ips: readonly string[]): Reply {
  const matching = [...new Set(ips)].filter((ip) => question.type === typeOf(ip))
  return answer(matching.map((ip) => addressRecord(question.name, ip)))
}

/** A name with addresses of both families is one server. */
function answerServers(question: Question, targets: readonly RecordTarget[]): Reply {
  const servers = new Map(
    targets.filter(({ port }) => port !== 0).map((target) => [`${target.name} ${target.port}`, target]),
  )
  const weight = Math.max(1, Math.floor(100 / servers.size))
  const answers = [...servers.values()].map(({ name, port }) => srvRecord(question.name, name, port, weight))
  const addresses = new Map(targets.map(({ name, ip }) => [`${name} ${ip}`, addressRecord(name, ip)]))
  return answer(answers, answers.length > 0 ? [...addresses.values()] : [])
}

/** `10-244-1-5.shop.pod`: the address stands in the name itself. */
function answerPod(question: Question, labels: readonly string[], view: ClusterView): Reply {
  const [namespace, pod, ...rest] = labels.toReversed()
  if (namespace === undefined) return EMPTY
  if (!view.hasNamespace(namespace) || rest.length > 0) return NO_SUCH_NAME
  if (pod === undefined) return EMPTY
  const ip = undashedAddress(pod)
  return ip === null ? NO_SUCH_NAME : answerAddresses(question, [ip])
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
    const endpoints = endpointsOf([slice], slice.addressType as 'IPv4' | 'IPv6').filter(
      (endpoint) => endpoint.ip === ip,
    )
    if (service === undefined) return []
    return endpoints.map(({ hostname }) => `${hostname}.${service}.${slice.metadata.namespace}.svc.${domain}`)
  })
  return [...new Set(names)]
}

function allEndpoints(service: Service, view: ClusterView): ServiceEndpoint[] {
  const slices = view.slices(service.metadata.namespace!, service.metadata.name)
  return [...endpointsOf(slices, 'IPv4'), ...endpointsOf(slices, 'IPv6')]
}

const typeOf = (ip: string): 'A' | 'AAAA' => (ip.includes(':') ? 'AAAA' : 'A')

const addressRecord = (name: string, ip: string): Answer => record(name, typeOf(ip), ip)

function record(name: string, type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'TXT', data: string): Answer {
  return { name, type, class: 'IN', ttl: TTL_SECONDS, data } as Answer
}

function srvRecord(name: string, target: string, port: number, weight: number): Answer {
  return { name, type: 'SRV', class: 'IN', ttl: TTL_SECONDS, data: { target, port, priority: 0, weight } }
}

/** The authority record of a negative answer, which tells how long it may be kept. */
export function startOfAuthority(domain: string, nowMs: number): SoaAnswer {
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
