/** Renewed certificate files come into use; half of a pair does not. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createAuthority } from '../certificates/authority.ts'
import { followCertificate } from './follow-certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
after(() => rmSync(folder, { recursive: true }))
const flags = { 'tls-cert-file': join(folder, 'tls.crt'), 'tls-private-key-file': join(folder, 'tls.key') }

test('a pair of files is used when both are renewed', async () => {
  const clock = new VirtualClock()
  const [first, second] = [await createAuthority('first', clock), await createAuthority('second', clock)]
  const write = (certificate: string, key: string): void => {
    writeFileSync(flags['tls-cert-file'], certificate)
    writeFileSync(flags['tls-private-key-file'], key)
  }
  const used: string[] = []
  const stop = new AbortController()
  /** The files are read when the follower sleeps again. */
  const look = async (): Promise<void> => {
    await clock.advance(60_000)
    while (clock.nextTimerAt() === null) await new Promise((resolve) => setImmediate(resolve))
  }
  const log = { ...NO_LOG, error: () => used.push('refused') }
  const use = ({ certificate }: { certificate: string }): void => void used.push(certificate)
  write(first.certificate, first.privateKey)
  const inUse = { certificate: first.certificate, privateKey: first.privateKey }
  const ended = followCertificate(flags, inUse, { clock, log, signal: stop.signal, use })
  await look()
  write(second.certificate, first.privateKey)
  await look()
  write(second.certificate, second.privateKey)
  await look()
  assert.deepEqual(used, ['refused', second.certificate])
  stop.abort()
  await ended
})
