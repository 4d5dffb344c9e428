/** Whether a certificate holds now: the connection that it was shown for may be older than its end. */
import type { ClientCertificate } from '../request.ts'

export const isCurrent = (
  { notBeforeMs, notAfterMs }: Pick<ClientCertificate, 'notBeforeMs' | 'notAfterMs'>,
  nowMs: number,
): boolean => notBeforeMs <= nowMs && nowMs <= notAfterMs
