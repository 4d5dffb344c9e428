/** What kube-apiserver's flags say of its audit log. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { LogBackend, type AuditSink, type LogBackendOptions } from '#control-plane/apiserver/audit/backend.ts'
import { parseAuditPolicy } from '#control-plane/apiserver/audit/policy-file.ts'
import { AuditPolicyEvaluator } from '#control-plane/apiserver/audit/policy.ts'
import { RotatingFile } from '#control-plane/apiserver/audit/rotating-file.ts'
import { readFile } from 'node:fs/promises'
import { writeSync } from 'node:fs'
import { FlagError } from '../flags.ts'
import type { KubeApiserverValues } from './flags/index.ts'

const FORMATS = ['legacy', 'json'] as const
const MODES = ['batch', 'blocking', 'blocking-strict'] as const
const VERSION = 'audit.k8s.io/v1'
const MEGABYTE = 1024 * 1024
const DAY_MS = 24 * 3600 * 1000
const STANDARD_OUTPUT = 1

export type Audit = { readonly policy: AuditPolicyEvaluator; readonly backend: LogBackend }

/** Null where nothing is recorded: without a policy no request is, without a path there is no place for it. */
export async function readAudit(
  values: KubeApiserverValues,
  parts: { readonly clock: Clock; readonly log: Logger },
): Promise<Audit | null> {
  const checked = checkAudit(values)
  const [policyFile, path] = [values['audit-policy-file'], values['audit-log-path']]
  const policy = policyFile === '' ? null : new AuditPolicyEvaluator(await readPolicy(policyFile))
  if (policy === null && path !== '') parts.log.warn('no audit policy file provided, no events will be recorded')
  if (policy !== null && path === '') parts.log.warn('audit policy without a log: no events will be recorded')
  if (policy === null || path === '') return null
  const backend = new LogBackend({
    sink: path === '-' ? STANDARD_SINK : openFile(values, path, parts),
    ...checked,
    batch: {
      bufferSize: values['audit-log-batch-buffer-size'],
      maxSize: values['audit-log-batch-max-size'],
      maxWaitMs: values['audit-log-batch-max-wait'],
    },
    maxEventBytes: values['audit-log-truncate-enabled'] ? values['audit-log-truncate-max-event-size'] : null,
    ...parts,
  })
  return { policy, backend }
}

async function readPolicy(path: string) {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new FlagError(`loading audit policy file: failed to read file path ${JSON.stringify(path)}: ${error.message}`)
  })
  try {
    return parseAuditPolicy(text)
  } catch (error) {
    throw new FlagError(`loading audit policy file: ${(error as Error).message}: from file ${path}`)
  }
}

const STANDARD_SINK: AuditSink = {
  write: (text) => {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length;) written += writeSync(STANDARD_OUTPUT, bytes, written)
  },
  close: () => {},
}

function openFile(values: KubeApiserverValues, path: string, parts: { clock: Clock; log: Logger }): AuditSink {
  try {
    return new RotatingFile({
      path,
      ...parts,
      maxBytes: values['audit-log-maxsize'] * MEGABYTE,
      maxBackups: values['audit-log-maxbackup'],
      maxAgeMs: values['audit-log-maxage'] * DAY_MS,
      compress: values['audit-log-compress'],
    })
  } catch (error) {
    throw new FlagError(`ensureLogFile: ${(error as Error).message}`)
  }
}

/** Upstream's refusals; what is left has these forms. */
function checkAudit(values: KubeApiserverValues): Pick<LogBackendOptions, 'format' | 'mode'> {
  const format = FORMATS.find((name) => name === values['audit-log-format'])
  const mode = MODES.find((name) => name === values['audit-log-mode'])
  if (values['audit-log-path'] === '') return { format: 'json', mode: 'blocking' }
  if (mode === undefined)
    throw new FlagError(
      `invalid audit log mode ${values['audit-log-mode']}, allowed modes are ${JSON.stringify(MODES.join(','))}`,
    )
  if (format === undefined)
    throw new FlagError(
      `invalid audit log format ${values['audit-log-format']}, allowed formats are ${JSON.stringify(FORMATS.join(','))}`,
    )
  if (values['audit-log-version'] !== VERSION)
    throw new FlagError(`invalid group version, allowed versions are ["${VERSION}"]`)
  checkNumbers(values, mode)
  return { format, mode }
}

function checkNumbers(values: KubeApiserverValues, mode: string): void {
  for (const name of ['audit-log-maxage', 'audit-log-maxbackup', 'audit-log-maxsize'] as const)
    if (values[name] < 0) throw new FlagError(`--${name} ${values[name]} can't be a negative number`)
  const [bufferSize, maxSize] = [values['audit-log-batch-buffer-size'], values['audit-log-batch-max-size']]
  if (mode === 'batch' && bufferSize <= 0)
    throw new FlagError(`invalid audit batch log buffer size ${bufferSize}, must be a positive number`)
  if (mode === 'batch' && maxSize <= 0)
    throw new FlagError(`invalid audit batch log max batch size ${maxSize}, must be a positive number`)
  const maxEvent = values['audit-log-truncate-max-event-size']
  if (values['audit-log-truncate-enabled'] && maxEvent <= 0)
    throw new FlagError(`invalid audit truncate log max event size ${maxEvent}, must be a positive number`)
}
