/** Host ports as nftables elements: which pod a port leads to, and whose UDP flows a change ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostPort } from '../../host-port-service.ts'
import { changedUdpPorts, elementsOf, parseListing, renderHostPorts } from './table.ts'

const port = (hostPort: number, more: Partial<HostPort> = {}): HostPort => ({
  protocol: 'TCP',
  hostIp: '',
  hostPort,
  containerPort: 80,
  ...more,
})

test('ports for all addresses and for one are kept apart, and the newest pod wins', () => {
  const elements = elementsOf([
    {
      podIp: '10.244.1.2',
      ports: [port(8080), port(53, { protocol: 'UDP', hostIp: '172.31.0.11', containerPort: 5353 })],
    },
    { podIp: '10.244.1.3', ports: [port(8080)] },
    { podIp: '10.244.1.4', ports: [port(9090, { hostIp: 'fd00::1' })] },
  ])
  assert.deepEqual([...elements.everywhere], [['tcp . 8080', '10.244.1.3 . 80']])
  assert.deepEqual([...elements.addressed], [['172.31.0.11 . udp . 53', '10.244.1.2 . 5353']])
})

test('the text holds every element, the way back to oneself, and spares reserved addresses', () => {
  const elements = elementsOf([{ podIp: '10.244.1.2', ports: [port(8080)] }])
  const text = renderHostPorts(elements, ['10.96.0.10'])
  assert.match(text, /add element ip kubets_host_ports everywhere \{ tcp \. 8080 : 10\.244\.1\.2 \. 80 \}/)
  assert.match(text, /add element ip kubets_host_ports hairpin \{ 10\.244\.1\.2 \. 10\.244\.1\.2 \}/)
  assert.match(text, /ip daddr != \{ 10\.96\.0\.10 \} fib daddr type local dnat/)
  assert.doesNotMatch(renderHostPorts(elementsOf([]), []), /add element|ip daddr !=/)
})

test("the kernel's listing is read back as what was written", () => {
  const listing = {
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { map: { name: 'everywhere', elem: [[{ concat: ['tcp', 8080] }, { concat: ['10.244.1.2', 80] }]] } },
      { map: { name: 'addressed' } },
    ],
  }
  assert.deepEqual(parseListing(JSON.stringify(listing)), elementsOf([{ podIp: '10.244.1.2', ports: [port(8080)] }]))
})

test('only UDP ports whose target changed lose their flows', () => {
  const udp = (hostPort: number): HostPort => port(hostPort, { protocol: 'UDP' })
  const old = elementsOf([{ podIp: '10.244.1.2', ports: [udp(53), udp(54), port(80)] }])
  const next = elementsOf([
    { podIp: '10.244.1.2', ports: [udp(54)] },
    { podIp: '10.244.1.3', ports: [udp(53), port(80), port(55, { protocol: 'UDP', hostIp: '172.31.0.11' })] },
  ])
  assert.deepEqual(changedUdpPorts(old, next), [53, 55])
  assert.deepEqual(changedUdpPorts(next, next), [])
})
