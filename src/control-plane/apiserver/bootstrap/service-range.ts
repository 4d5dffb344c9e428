/** Addresses of a service range. */
import { BlockList, isIP } from 'node:net'
import { assert } from '#base/assert.ts'

/** The first address of the first range (`10.96.0.0/16` -> `10.96.0.1`): that of the `kubernetes` Service. */
export function firstServiceAddress(ranges: string): string {
  const [network, length] = ranges.split(',')[0]!.split('/') as [string, string | undefined]
  assert(isIP(network) !== 0 && length !== undefined, `${ranges} is no range of addresses`)
  // BlockList checks the prefix length.
  new BlockList().addSubnet(network, Number(length), isIP(network) === 4 ? 'ipv4' : 'ipv6')
  if (isIP(network) === 6) return network.replace(/::?0*$/, '::1')
  const octets = network.split('.').map(Number)
  octets[3]! += 1
  return octets.join('.')
}
