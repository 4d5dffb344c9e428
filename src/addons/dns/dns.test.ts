/** Cluster DNS: the rules of the specification as a table, and the server over real UDP and TCP sockets. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { test } from 'node:test'
import { decode, encode, streamDecode, streamEncode, type DecodedPacket, type Packet } from 'dns-packet'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import type { Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { answerQuestion } from './answer.ts'
import { Forwarder, parseNameservers } from './forwarder.ts'
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
    spec: { clusterIP: '10.96.0.20', clusterIPs: ['10.96.0.20'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  },
  {
    metadata: meta('db'),
    spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
  },
  { metadata: meta('empty'), spec: { clusterIP: 'None', clusterIPs: ['None'] } },
  { metadata: meta('away'), spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' } },
]
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
const view: ClusterView = {
  service: (namespace, name) =>
    namespace === 'shop' ? services.find((service) => service.metadata.name === name) : undefined,
  hasNamespace: (namespace) => namespace === 'shop',
  slices: (_namespace, name) => (name === 'db' ? [dbSlice] : []),
  servicesByIp: (ip) => services.filter((service) => service.spec.clusterIP === ip),
  slicesByIp: (ip) => (dbSlice.endpoints!.some(({ addresses }) => addresses.includes(ip)) ? [dbSlice] : []),
}

const CASES: [name: string, type: string, expected: string][] = [
  ['web.shop.svc.cluster.local', 'A', '10.96.0.20'],
  ['WEB.Shop.svc.cluster.local', 'A', '10.96.0.20'],
  ['web.shop.svc.cluster.local', 'AAAA', ''],
  ['web.shop.svc.cluster.local', 'MX', ''],
  ['absent.shop.svc.cluster.local', 'A', 'no-such-name'],
  ['web.absent.svc.cluster.local', 'A', 'no-such-name'],
  ['shop.svc.cluster.local', 'A', ''],
  ['svc.cluster.local', 'A', ''],
  ['other.cluster.local', 'A', 'no-such-name'],
  ['db.shop.svc.cluster.local', 'A', '10.244.1.5,10.244.2.5'],
  ['db-0.db.shop.svc.cluster.local', 'A', '10.244.1.5'],
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
  ['20.0.96.10.in-addr.arpa', 'PTR', 'web.shop.svc.cluster.local'],
  ['5.1.244.10.in-addr.arpa', 'PTR', 'db-0.db.shop.svc.cluster.local'],
  ['9.9.9.9.in-addr.arpa', 'PTR', 'not-ours'],
  ['dns-version.cluster.local', 'TXT', '1.1.0'],
  ['example.com', 'A', 'not-ours'],
  ['away.shop.svc.cluster.local', 'A', 'alias'],
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

async function withServer(nameservers: readonly string[], run: (port: number) => Promise<void>): Promise<void> {
  const [clock, random] = [new SystemClock(), new SeededRandom(1)]
  const forwarder = new Forwarder({ nameservers, clock, random })
  const server = new DnsServer(new Resolver({ domain: 'cluster.local', view, forwarder, clock, random }), NO_LOG)
  try {
    await run(await server.listen('127.0.0.1', 0))
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
    const [clock, random] = [new SystemClock(), new SeededRandom(1)]
    const forwarder = new Forwarder({ nameservers: [`127.0.0.1#${inner}`], clock, random })
    const outer = new DnsServer(new Resolver({ domain: 'elsewhere.test', view, forwarder, clock, random }), NO_LOG)
    const port = await outer.listen('127.0.0.1', 0)
    try {
      assert.deepEqual((await askUdp(port, query('web.shop.svc.cluster.local', 'A'))).answers!.map(textOf), [
        '10.96.0.20',
      ])
      assert.equal(rcodeOf(await askUdp(port, query('absent.shop.svc.cluster.local', 'A'))), 3)
    } finally {
      await outer.close()
    }
    assert.equal(rcodeOf(await askUdp(inner, query('example.com', 'A'))), 2)
  })
})

test('nameservers are read out of a resolv.conf', () => {
  assert.deepEqual(parseNameservers('# comment\nsearch a b\nnameserver 192.0.2.1\nnameserver  2001:db8::1 \n'), [
    '192.0.2.1',
    '2001:db8::1',
  ])
})
