/** Cluster DNS: the rules of the specification as a table, and the server over real UDP and TCP sockets. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { test } from 'node:test'
import {
  decode,
  encode,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
  type Answer,
  type DecodedPacket,
  type Packet,
} from 'dns-packet'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG, type Logger } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import type { Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { answerQuestion } from './answer.ts'
import { askServer } from './ask.ts'
import { ClusterDns } from './cluster-dns.ts'
import { Forwarder, grownOlder, parseNameservers } from './forwarder.ts'
import { makeOptions } from './options-record.ts'
import type { ClusterView } from './records.ts'
import { Resolver } from './resolver.ts'
import { DnsServer } from './server.ts'

const meta = (name: string) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})

const services: Service[] = [
  {
    metadata: meta('web'),
    spec: {
      clusterIP: '10.96.0.20',
      clusterIPs: ['10.96.0.20', 'fd00:10:96::20'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  },
  {
    metadata: meta('db'),
    spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
  },
  { metadata: meta('empty'), spec: { clusterIP: 'None', clusterIPs: ['None'] } },
  { metadata: meta('away'), spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' } },
  { metadata: meta('further'), spec: { type: 'ExternalName', externalName: 'away.shop.svc.cluster.local.' } },
  { metadata: meta('ring'), spec: { type: 'ExternalName', externalName: 'ring.shop.svc.cluster.local' } },
  { metadata: meta('number'), spec: { type: 'ExternalName', externalName: '192.0.2.9' } },
  { metadata: meta('many'), spec: { clusterIP: 'None', clusterIPs: ['None'] } },
]
const dnsService: Service = {
  metadata: { ...meta('kube-dns'), namespace: 'kube-system' },
  spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
}
const dbSlice: EndpointSlice = {
  metadata: { ...meta('db-1'), labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.2.5'], conditions: { ready: true } },
    { addresses: ['10.244.3.5'], hostname: 'db-2', conditions: { ready: false } },
  ],
}
const dbSlice6: EndpointSlice = {
  metadata: { ...meta('db-2'), labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv6',
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  endpoints: [{ addresses: ['fd00::1:5'], hostname: 'db-0', conditions: { ready: true } }],
}
const webSlice: EndpointSlice = {
  metadata: { ...meta('web-1'), labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: [{ addresses: ['10.244.1.9'], conditions: { ready: true } }],
}
const manySlice: EndpointSlice = {
  metadata: { ...meta('many-1'), labels: { 'kubernetes.io/service-name': 'many' } },
  addressType: 'IPv4',
  endpoints: Array.from({ length: 100 }, (_, index) => ({ addresses: [`10.244.7.${index}`] })),
}
const slices = [dbSlice, dbSlice6, webSlice, manySlice]
const view: ClusterView = {
  service: (namespace, name) =>
    [...services, dnsService].find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  hasNamespace: (namespace) => namespace === 'shop',
  slices: (_namespace, name) =>
    slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name),
  servicesByIp: (ip) => services.filter((service) => service.spec.clusterIPs?.includes(ip)),
  slicesByIp: (ip) => slices.filter((slice) => slice.endpoints!.some(({ addresses }) => addresses.includes(ip))),
}

const CASES: [name: string, type: string, expected: string][] = [
  ['web.shop.svc.cluster.local', 'A', '10.96.0.20'],
  ['WEB.Shop.svc.cluster.local', 'A', '10.96.0.20'],
  ['web.shop.svc.cluster.local', 'AAAA', 'fd00:10:96::20'],
  ['_http._tcp.web.shop.svc.cluster.local', 'A', '10.96.0.20'],
  ['10-244-1-9.web.shop.svc.cluster.local', 'A', '10.244.1.9'],
  ['10-244-1-9.web.shop.svc.cluster.local', 'AAAA', ''],
  ['10-244-1-8.web.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['web.shop.svc.cluster.local', 'SRV', '80 web.shop.svc.cluster.local'],
  ['a.b.web.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['example.com.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['web.shop.svc.cluster.local', 'MX', ''],
  ['absent.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['web.absent.svc.cluster.local', 'A', 'no-such-name'],
  ['shop.svc.cluster.local', 'A', ''],
  ['svc.cluster.local', 'A', ''],
  ['other.cluster.local', 'A', 'no-such-name'],
  ['db.shop.svc.cluster.local', 'A', '10.244.1.5,10.244.2.5'],
  ['db.shop.svc.cluster.local', 'AAAA', 'fd00::1:5'],
  ['db.shop.svc.cluster.local', 'TXT', ''],
  ['db-0.db.shop.svc.cluster.local', 'A', '10.244.1.5'],
  ['db-0.db.shop.svc.cluster.local', 'AAAA', 'fd00::1:5'],
  ['_other._tcp.db.shop.svc.cluster.local', 'SRV', 'no-such-name'],
  [
    '_SQL._TCP.db.shop.svc.cluster.local',
    'SRV',
    '5432 db-0.db.shop.svc.cluster.local,5432 10-244-2-5.db.shop.svc.cluster.local',
  ],
  ['many.shop.svc.cluster.local', 'SRV', ''],
  ['10-244-2-5.db.shop.svc.cluster.local', 'A', '10.244.2.5'],
  ['db-2.db.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['empty.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['_http._tcp.web.shop.svc.cluster.local', 'SRV', '80 web.shop.svc.cluster.local'],
  ['_http._udp.web.shop.svc.cluster.local', 'SRV', 'no-such-name'],
  [
    '_sql._tcp.db.shop.svc.cluster.local',
    'SRV',
    '5432 db-0.db.shop.svc.cluster.local,5432 10-244-2-5.db.shop.svc.cluster.local',
  ],
  ['10-244-9-9.shop.pod.cluster.local', 'A', '10.244.9.9'],
  ['10-244-9-9.absent.pod.cluster.local', 'A', 'no-such-name'],
  ['10-244-9-9.shop.pod.cluster.local', 'AAAA', ''],
  ['fd00--9.shop.pod.cluster.local', 'AAAA', 'fd00::9'],
  ['10-244-9-999.shop.pod.cluster.local', 'A', 'no-such-name'],
  ['shop.pod.cluster.local', 'A', ''],
  ['20.0.96.10.in-addr.arpa', 'PTR', 'web.shop.svc.cluster.local'],
  ['5.1.244.10.in-addr.arpa', 'PTR', 'db-0.db.shop.svc.cluster.local'],
  ['5.3.244.10.in-addr.arpa', 'PTR', 'not-ours'],
  [`${'0.2.0.0.'}${'0.0.0.0.'.repeat(4)}6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa`, 'PTR', 'web.shop.svc.cluster.local'],
  ['9.9.9.9.in-addr.arpa', 'PTR', 'not-ours'],
  ['1.ip6.arpa', 'PTR', 'not-ours'],
  ['cluster.local', 'NS', 'kube-dns.kube-system.svc.cluster.local'],
  ['cluster.local', 'A', ''],
  ['ns.dns.cluster.local', 'A', '10.96.0.10'],
  ['dns-version.cluster.local', 'TXT', '1.1.0'],
  ['example.com', 'A', 'not-ours'],
  ['away.shop.svc.cluster.local', 'A', 'alias'],
  ['x.away.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['number.shop.svc.cluster.local', 'A', 'no-such-name'],
]

for (const [name, type, expected] of CASES)
  test(`${type} ${name} -> ${expected || 'no data'}`, () => {
    const reply = answerQuestion({ name, type }, 'cluster.local', view)
    const text = reply.outcome === 'answer' ? reply.answers.map((answer) => textOf(answer)).join(',') : reply.outcome
    assert.equal(text, expected)
  })

function textOf(answer: unknown): string {
  const { data } = answer as { data: string | { target: string; port: number } }
  return typeof data === 'string' ? data : `${data.port} ${data.target}`
}

function query(name: string, type: string): Packet {
  return { type: 'query', id: 77, flags: 0x100, questions: [{ name, type: type as 'A', class: 'IN' }] }
}

function makeServer(nameservers: readonly string[], domain = 'cluster.local'): DnsServer {
  const [clock, random] = [new SystemClock(), new SeededRandom(1)]
  const forwarder = new Forwarder({ nameservers, clock, random, log: NO_LOG })
  return new DnsServer(new Resolver({ domain, view, forwarder, clock, random }), NO_LOG, '127.0.0.1')
}

async function withServer(
  nameservers: readonly string[],
  run: (port: number) => Promise<void>,
  domain?: string,
): Promise<void> {
  const server = makeServer(nameservers, domain)
  try {
    await run(await server.listen(0))
  } finally {
    await server.close()
  }
}

function askUdp(port: number, packet: Packet): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.once('message', (message) => {
      socket.close()
      resolve(decode(message))
    })
    socket.send(encode(packet), port, '127.0.0.1')
  })
}

const rcodeOf = (packet: Packet): number => (packet.flags ?? 0) & 0xf

test('an answer that cannot be written, and one that comes after the end, harm nobody', async () => {
  const unwritable = { type: 'SSHFP', name: 'x.test', data: { algorithm: 1, hash: 1, fingerprint: 'ab' } }
  const held = Promise.withResolvers<void>()
  const resolver = {
    resolve: async ({ id, questions }: DecodedPacket) => {
      if (questions![0]!.name === 'slow.test') await held.promise
      return { type: 'response', id, questions, answers: [unwritable] }
    },
  } as unknown as Resolver
  const server = new DnsServer(resolver, NO_LOG, '127.0.0.1')
  const port = await server.listen(0)
  const asker = createSocket('udp4')
  asker.send(encode(query('slow.test', 'A')), port, '127.0.0.1')
  assert.equal(rcodeOf(await askUdp(port, query('x.test', 'A'))), 2)
  await server.close()
  asker.close()
  held.resolve()
  await new Promise((resolve) => setImmediate(resolve)) // A reply on the closed socket would throw here.
})

test('a server answers over UDP and TCP, negative answers carry the authority', async () => {
  await withServer([], async (port) => {
    const reply = await askUdp(port, query('web.shop.svc.cluster.local', 'A'))
    assert.equal(reply.id, 77)
    assert.deepEqual(reply.answers!.map(textOf), ['10.96.0.20'])
    const absent = await askUdp(port, query('absent.shop.svc.cluster.local', 'A'))
    assert.equal(rcodeOf(absent), 3)
    assert.equal(absent.authorities![0]!.type, 'SOA')
    const overTcp = await new Promise<Packet>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(streamEncode(query('db.shop.svc.cluster.local', 'A'))),
      )
      socket.once('error', reject)
      socket.once('data', (chunk: Buffer) => {
        socket.destroy()
        resolve(streamDecode(chunk))
      })
    })
    assert.deepEqual(overTcp.answers!.map(textOf).toSorted(), ['10.244.1.5', '10.244.2.5'])
  })
})

test('an alias inside the cluster is followed, and garbage is not answered', async () => {
  await withServer([], async (port) => {
    const socket = createSocket('udp4')
    socket.send('garbage', port, '127.0.0.1')
    const reply = await askUdp(port, query('away.shop.svc.cluster.local', 'A'))
    socket.close()
    assert.deepEqual(reply.answers!.map(textOf), ['web.shop.svc.cluster.local', '10.96.0.20'])
  })
})

test('a name outside is asked of the nameserver, and SERVFAIL tells when none answers', async () => {
  await withServer([], async (inner) => {
    // The inner server knows the cluster's names: through a domain of its own the outer one has to forward.
    const forwarding = async (port: number): Promise<void> => {
      const reply = await askUdp(port, query('web.shop.svc.cluster.local', 'A'))
      assert.deepEqual(reply.answers!.map(textOf), ['10.96.0.20'])
      // The answer comes out of the cache now, in the spelling of this client.
      const again = await askUdp(port, query('Web.shop.SVC.cluster.local', 'A'))
      assert.deepEqual(
        [again.questions![0]!.name, again.answers![0]!.name],
        Array(2).fill('Web.shop.SVC.cluster.local'),
      )
      assert.equal(rcodeOf(await askUdp(port, query('absent.shop.svc.cluster.local', 'A'))), 3)
      // Too long for UDP: the nameserver is asked again over TCP.
      const many = await askUdp(port, { ...query('many.shop.svc.cluster.local', 'A'), additionals: [makeOptions()] })
      assert.equal((many.flags ?? 0) & TRUNCATED_RESPONSE, TRUNCATED_RESPONSE)
    }
    await withServer([`127.0.0.1#${inner}`], forwarding, 'elsewhere.test')
    assert.equal(rcodeOf(await askUdp(inner, query('example.com', 'A'))), 2)
  })
})

test('aliases of aliases are followed, a ring of them ends', async () => {
  await withServer([], async (port) => {
    const reply = await askUdp(port, query('further.shop.svc.cluster.local', 'A'))
    const expected = ['away.shop.svc.cluster.local', 'web.shop.svc.cluster.local', '10.96.0.20']
    assert.deepEqual(reply.answers!.map(textOf), expected)
    assert.equal((await askUdp(port, query('ring.shop.svc.cluster.local', 'A'))).answers!.length, 9)
  })
})

test('a long answer is cut over UDP, keeps what fits, and comes whole over TCP', async () => {
  await withServer([], async (port) => {
    const long = query('many.shop.svc.cluster.local', 'A')
    const classic = await askUdp(port, long)
    const wide = await askUdp(port, { ...long, additionals: [makeOptions()] })
    for (const cut of [classic, wide]) assert.ok((cut.flags ?? 0) & TRUNCATED_RESPONSE)
    // 512 bytes less header and question, 16 bytes a record.
    assert.equal(classic.answers!.length, Math.floor((512 - 12 - 33) / 16))
    assert.equal(wide.answers!.length, Math.floor((1232 - 12 - 33 - 11) / 16))
    const whole = await askServer({
      address: '127.0.0.1',
      port,
      name: 'many.shop.svc.cluster.local',
      type: 'A',
      ...SOON,
    })
    assert.equal(whole.answers!.length, 100)
  })
})

const SOON = { timeoutMs: 5000, clock: new SystemClock(), random: new SeededRandom(2) }

test('cluster records may be kept for 5 seconds, and only EDNS clients get an options record', async () => {
  await withServer([], async (port) => {
    const plain = await askUdp(port, query('web.shop.svc.cluster.local', 'A'))
    assert.equal((plain.answers![0] as { ttl: number }).ttl, 5)
    assert.deepEqual(plain.additionals, [])
    const extended = await askUdp(port, { ...query('web.shop.svc.cluster.local', 'A'), additionals: [makeOptions()] })
    assert.equal(extended.additionals![0]!.type, 'OPT')
  })
})

const REFUSED_QUERIES: [what: string, packet: Packet, rcode: number][] = [
  [
    'two questions',
    { ...query('a.cluster.local', 'A'), questions: Array(2).fill(query('a.cluster.local', 'A').questions![0]) },
    1,
  ],
  ['an update', { ...query('a.cluster.local', 'A'), flags: 0x2800 }, 4],
  [
    'class CH',
    { ...query('a.cluster.local', 'A'), questions: [{ name: 'a.cluster.local', type: 'A', class: 'CH' }] },
    5,
  ],
]
for (const [what, packet, rcode] of REFUSED_QUERIES)
  test(`${what} is answered with response code ${rcode}`, async () => {
    await withServer([], async (port) => assert.equal(rcodeOf(await askUdp(port, packet)), rcode))
  })

test('a newer version of EDNS is answered with BADVERS', async () => {
  await withServer([], async (port) => {
    const newer = { ...makeOptions(), ednsVersion: 1 } as Answer
    const reply = await askUdp(port, { ...query('web.shop.svc.cluster.local', 'A'), additionals: [newer] })
    assert.equal((reply.additionals![0] as { extendedRcode: number }).extendedRcode, 1)
    assert.deepEqual(reply.answers, [])
  })
})

test('nameservers are asked in turn; one that is silent comes last for a while', async () => {
  await withServer([], async (inner) => {
    const clock = new SystemClock()
    const told: string[] = []
    const log: Logger = {
      ...NO_LOG,
      warn: (message, fields) => void told.push(`${message} ${String(fields?.['nameserver'])}`),
    }
    // Nobody listens on port 1: the answer is an error at once.
    const nameservers = ['127.0.0.1#1', `127.0.0.1#${inner}`]
    const forwarder = new Forwarder({ nameservers, clock, random: new SeededRandom(3), log })
    for (const name of ['web', 'db', 'many']) {
      const packet = await forwarder.resolve(`${name}.shop.svc.cluster.local`, 'A')
      assert.ok(packet!.answers!.length > 0)
    }
    assert.deepEqual(told, ['nameserver does not answer 127.0.0.1#1'])
  })
})

test('a kept answer grows older', () => {
  const packet = decode(
    encode({ type: 'response', answers: [{ type: 'A', name: 'a.test', ttl: 20, data: '192.0.2.1' }] }),
  )
  assert.equal((grownOlder(packet, 7).answers![0] as { ttl: number }).ttl, 13)
  assert.equal((grownOlder(packet, 30).answers![0] as { ttl: number }).ttl, 0)
})

test('the whole server asks itself, frees everything when it cannot listen, and ends with its signal', async () => {
  const [clock, random] = [new SystemClock(), new SeededRandom(4)]
  const common = { view, domain: 'cluster.local', nameservers: [], port: 0, clock, random, log: NO_LOG }
  const dns = new ClusterDns({ ...common, addresses: ['127.0.0.1'] })
  const port = await dns.listen()
  // The cluster of this test has no Service `kubernetes`.
  await assert.rejects(dns.queryItself('127.0.0.1'), /kubernetes\.default\.svc\.cluster\.local: response code 3/)
  const taken = new ClusterDns({ ...common, port, addresses: ['127.0.0.2', '127.0.0.1'] })
  await assert.rejects(taken.listen(), /EADDRINUSE/)
  const stop = new AbortController()
  const running = dns.run(stop.signal)
  stop.abort()
  await running
  const next = new ClusterDns({ ...common, port, addresses: ['127.0.0.2', '127.0.0.1'] })
  assert.equal(await next.listen(), port)
  await next.close()
})

test('nameservers are read out of a resolv.conf', () => {
  assert.deepEqual(parseNameservers('# comment\nsearch a b\nnameserver 192.0.2.1\nnameserver  2001:db8::1 \n'), [
    '192.0.2.1',
    '2001:db8::1',
  ])
})
