/** Serves a renewed certificate without a restart: the files of --tls-cert-file and --tls-private-key-file are looked at again and again. */
import { createSecureContext } from 'node:tls'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { ServingCertificate } from '#control-plane/apiserver/http/serving-options.ts'
import { readCertificateFiles, type CertificateFlags } from './read-serving.ts'

/** Upstream looks as often for what its watch of the files has missed. */
const INTERVAL_MS = 60_000

export type CertificateFollower = {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  /** Told each certificate that differs from the one before. */
  readonly use: (certificate: ServingCertificate) => void
}

/** Runs until the signal aborts. A pair that does not fit (half of it is written) is told; the last good one stays in use. */
export async function followCertificate(
  flags: CertificateFlags,
  inUse: ServingCertificate,
  { clock, log, signal, use }: CertificateFollower,
): Promise<void> {
  let last = inUse
  while (!signal.aborted) {
    await clock.sleep(INTERVAL_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
    if (signal.aborted) return
    try {
      const read = await readCertificateFiles(flags)
      if (read.certificate === last.certificate && read.privateKey === last.privateKey) continue
      createSecureContext({ cert: read.certificate, key: read.privateKey })
      use(read)
      last = read
      log.info('serving certificate was renewed', { file: flags['tls-cert-file'] })
    } catch (error) {
      log.error('serving certificate could not be renewed', { file: flags['tls-cert-file'], error: String(error) })
    }
  }
}
