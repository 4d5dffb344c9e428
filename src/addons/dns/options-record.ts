/** EDNS0: the record in which client and server tell each other how much they take over UDP. */
import type { Answer, DecodedPacket, OptAnswer } from 'dns-packet'

/** Fits every path without fragments; larger answers are cut and asked again over TCP. */
export const UDP_PAYLOAD_BYTES = 1232
/** What a client without EDNS takes. */
export const UDP_CLASSIC_BYTES = 512
/** Bit in front of the record's flags: the client wants DNSSEC records. */
const DNSSEC_OK = 0x8000

export function makeOptions({ flags = 0, extendedRcode = 0 }: { flags?: number; extendedRcode?: number } = {}): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_PAYLOAD_BYTES,
    extendedRcode,
    ednsVersion: 0,
    flags: flags & DNSSEC_OK,
    flag_do: (flags & DNSSEC_OK) !== 0,
    options: [],
  }
}

export function optionsOf(packet: DecodedPacket): OptAnswer | undefined {
  return packet.additionals?.find((additional) => additional.type === 'OPT')
}

/** What the client can take over UDP, as far as we send it. */
export function acceptedBytes(query: DecodedPacket): number {
  const size = optionsOf(query)?.udpPayloadSize ?? 0
  return Math.min(Math.max(size, UDP_CLASSIC_BYTES), UDP_PAYLOAD_BYTES)
}
