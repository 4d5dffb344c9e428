/** resolv.conf, hostname and /etc/hosts of pods. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '#api/core/v1.gen.ts'
import { aPod } from '../testing/builders.ts'
import { dnsOf, parseResolvConf, type DnsFacts } from './dns.ts'
import { hostnameOf, renderHostsFile } from './hosts-file.ts'

const facts: DnsFacts = {
  clusterDns: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  host: parseResolvConf('# comment\nnameserver 1.1.1.1\nsearch corp.example. lab.example\noptions rotate\n'),
}
const CLUSTER = 'default.svc.cluster.local svc.cluster.local cluster.local corp.example lab.example'

const DNS: readonly [string, Partial<PodSpec>, string, string, string][] = [
  ['ClusterFirst', {}, '10.96.0.10', CLUSTER, 'ndots:5'],
  ['Default', { dnsPolicy: 'Default' }, '1.1.1.1', 'corp.example lab.example', 'rotate'],
  ['ClusterFirst on the node network', { hostNetwork: true }, '1.1.1.1', 'corp.example lab.example', 'rotate'],
  [
    'ClusterFirstWithHostNet',
    { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
    '10.96.0.10',
    CLUSTER,
    'ndots:5',
  ],
  [
    'None with a configuration of its own',
    {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['9.9.9.9'],
        searches: ['x'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    },
    '9.9.9.9',
    'x',
    'ndots:2 edns0',
  ],
  ['own options win', { dnsConfig: { options: [{ name: 'ndots', value: '1' }] } }, '10.96.0.10', CLUSTER, 'ndots:1'],
]
for (const [name, spec, servers, searches, options] of DNS)
  test(`resolv.conf: ${name}`, () => {
    const dns = dnsOf(aPod(spec), facts)
    assert.deepEqual(
      [dns.servers.join(' '), dns.searches.join(' '), dns.options.join(' ')],
      [servers, searches, options],
    )
  })

test('hostnames: the pod name, its own, the full one', () => {
  const name = (spec: Partial<PodSpec>, pod = 'web'): string => hostnameOf(aPod(spec, pod), 'cluster.local').hostname
  assert.equal(name({}), 'web')
  assert.equal(name({}, 'x'.repeat(62) + '-y'), 'x'.repeat(62))
  assert.equal(name({ hostname: 'h', subdomain: 's' }), 'h')
  assert.equal(name({ hostname: 'h', subdomain: 's', setHostnameAsFQDN: true }), 'h.s.default.svc.cluster.local')
  assert.equal(name({ hostnameOverride: 'as.i.like' }), 'as.i.like')
  assert.throws(() => name({ hostname: 'h'.repeat(50), subdomain: 's', setHostnameAsFQDN: true }), /is too long/)
})

test('/etc/hosts names the pod and its aliases', () => {
  const pod = aPod({ hostname: 'h', subdomain: 's', hostAliases: [{ ip: '10.0.0.1', hostnames: ['a', 'b'] }] })
  const text = renderHostsFile(pod, hostnameOf(pod, 'cluster.local'), ['10.244.0.2'], '')
  assert.match(text, /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/)
  assert.match(text, /\n10\.244\.0\.2\th\.s\.default\.svc\.cluster\.local\th\n/)
  assert.match(text, /\n# Entries added by HostAliases\.\n10\.0\.0\.1\ta\tb\n$/)
  const shared = renderHostsFile(aPod({ hostNetwork: true }), hostnameOf(pod, 'd'), [], '10.1.1.1 node\n')
  assert.equal(shared, '# Kubernetes-managed hosts file (host network).\n10.1.1.1 node\n')
})
