/** Log lines of a running process: JSON on standard output, one a line, written by pino. */
import { pino, type BaseLogger } from 'pino'
import type { Logger } from './log.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `component` is in each line: `kube-apiserver`, `kubelet`. */
export function createLogger(component: string, level: LogLevel = 'info'): Logger {
  const root = pino({
    base: { component },
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'message',
    formatters: { level: (label) => ({ level: label }) },
  })
  return wrap(root)
}

/** The part of pino's logger that is used. */
type Pino = Pick<BaseLogger, 'debug' | 'info' | 'warn' | 'error'> & { child(fields: Record<string, unknown>): Pino }

function wrap(target: Pino): Logger {
  return {
    debug: (message, fields = {}) => target.debug(fields, message),
    info: (message, fields = {}) => target.info(fields, message),
    warn: (message, fields = {}) => target.warn(fields, message),
    error: (message, fields = {}) => target.error(fields, message),
    child: (fields) => wrap(target.child(fields)),
  }
}
