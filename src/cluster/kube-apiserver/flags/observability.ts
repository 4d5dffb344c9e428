/** Flags of kube-apiserver for its metrics, logs, traces and debugging. */
import { unsupported, type Flag } from '../../flag-set/flag.ts'
import { bool, duration, stringMap, strings, text } from '../../flag-set/flag-types.ts'
import { refusal } from '../../flag-set/go-numbers.ts'

const LOG_FORM = 'logs are lines of JSON on standard output'
const METRICS = 'all metrics are shown as they are'
const QUANTITY = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/

export const FEATURES_FLAGS = {
  'contention-profiling': unsupported(
    bool('profile of what waits for locks'),
    'the program has one thread and no locks',
  ),
  'debug-socket-path': unsupported(
    text('socket that profiles are read from without rights'),
    'profiles are read from the port',
  ),
  'enable-priority-and-fairness': bool('queues by priority instead of a limit', true),
  profiling: bool('profiles at /debug/pprof', true),
}

export const METRICS_FLAGS = {
  'allow-metric-labels': unsupported(
    stringMap('values that a label may have', 'stringToString', (pair) => `${pair} must be formatted as key=value`),
    METRICS,
  ),
  'allow-metric-labels-manifest': unsupported(text('file of such values'), METRICS),
  'disabled-metrics': unsupported(strings('metrics that are not shown'), METRICS),
  'show-hidden-metrics-for-version': unsupported(text('version whose hidden metrics are shown'), METRICS),
}

export const LOGS_FLAGS = {
  'log-flush-frequency': unsupported(
    duration('time between two writes of the log', 5000),
    'each line is written at once',
  ),
  'log-json-info-buffer-size': unsupported(quantity('buffer of the log'), LOG_FORM),
  'log-json-split-stream': unsupported(bool('errors on standard error'), LOG_FORM),
  'log-text-info-buffer-size': unsupported(quantity('buffer of the log'), LOG_FORM),
  'log-text-split-stream': unsupported(bool('errors on standard error'), LOG_FORM),
  'logging-format': unsupported(text('form of the log: json; text is the default of upstream', 'text'), LOG_FORM),
  v: level('how much is logged: from 4 on everything'),
  vmodule: unsupported({ ...text('how much single files log'), type: 'pattern=N,...' }, 'all parts log alike: --v'),
}

export const TRACES_FLAGS = {
  'tracing-config-file': unsupported(text('where traces are sent'), 'there are no traces'),
}

function quantity(help: string): Flag<string> {
  const parse = (value: string): string => {
    if (QUANTITY.test(value)) return value
    throw new Error(`quantities must match the regular expression '${QUANTITY.source}'`)
  }
  return { type: 'quantity', help, initial: '0', parse, print: (value) => value }
}

function level(help: string): Flag<number> {
  const parse = (value: string): number => {
    if (/^\d+$/.test(value)) return Number(value)
    throw refusal('ParseUint', value, 'invalid syntax')
  }
  return { type: 'Level', short: 'v', help, initial: 0, parse, print: String }
}
