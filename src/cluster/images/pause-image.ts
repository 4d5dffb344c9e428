/** The pause program, which holds a pod's namespaces (and a node's): made here, so that no image has to be pulled for it. */
import { endianness } from 'node:os'
import { assert } from '#base/assert.ts'

export const PAUSE_IMAGE = 'registry.k8s.io/pause:kubets'

/**
 * Machine code of one loop: block INT, TERM and CHLD, wait for one of them; on CHLD reap all children, else exit 0. A blocked signal reaches
 * even PID 1 of a namespace, so no handler is needed.
 */
const CODE_HEX: Readonly<Record<string, string>> = {
  x64: 'b8024001005031ff4889e631d241ba08000000b80e0000000f054889e731f631d241ba08000000b8800000000f0583f811740d85c078e331ffb8e70000000f0548c7c7ffffffff31f6ba010000004531d2b83d0000000f0585c07fe4ebbc',
  arm64:
    '410088d22100a0f2e10f1ff8000080d2e1030091020080d2030180d2e81080d2010000d4e0030091010080d2020080d2030180d2281180d2010000d41f440071c00000541f000071ebfeff54000080d2c80b80d2010000d400008092010080d2220080d2030080d2882080d2010000d41f0000712cffff54ebffff17',
}

const ELF_MACHINE: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }
const LOAD_ADDRESS = 0x40_0000n
const HEADERS_BYTES = 120

/** The OCI name of a Node architecture. */
export const OCI_ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** A static ELF executable of a few hundred bytes for `x64` or `arm64`. */
export function buildPauseProgram(architecture: string): Buffer {
  const hex = CODE_HEX[architecture]
  assert(hex !== undefined && endianness() === 'LE', `no pause program for ${architecture}`)
  const code = Buffer.from(hex, 'hex')
  const size = BigInt(HEADERS_BYTES + code.length)
  const elf = Buffer.alloc(HEADERS_BYTES)
  Buffer.from('7f454c46020101', 'hex').copy(elf)
  elf.writeUInt16LE(2, 16) // ET_EXEC
  elf.writeUInt16LE(ELF_MACHINE[architecture]!, 18)
  elf.writeUInt32LE(1, 20)
  elf.writeBigUInt64LE(LOAD_ADDRESS + BigInt(HEADERS_BYTES), 24) // entry
  elf.writeBigUInt64LE(64n, 32) // program headers follow the ELF header
  elf.writeUInt16LE(64, 52)
  elf.writeUInt16LE(56, 54)
  elf.writeUInt16LE(1, 56)
  elf.writeUInt32LE(1, 64) // PT_LOAD
  elf.writeUInt32LE(5, 68) // readable, executable
  elf.writeBigUInt64LE(LOAD_ADDRESS, 80)
  elf.writeBigUInt64LE(LOAD_ADDRESS, 88)
  elf.writeBigUInt64LE(size, 96)
  elf.writeBigUInt64LE(size, 104)
  elf.writeBigUInt64LE(0x1_0000n, 112)
  return Buffer.concat([elf, code])
}
