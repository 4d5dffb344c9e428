/** Flags of kube-apiserver for its audit log. */
import { unsupported, type Flag } from '../../flag-set/flag.ts'
import { bool, duration, float, int, text } from '../../flag-set/flag-types.ts'

const NO_THROTTLE = 'the log is written as fast as the disk takes it'
const webhook = <T>(flag: Flag<T>): Flag<T> => unsupported(flag, 'audit events go to a log, not to a webhook')

export const AUDITING_FLAGS = {
  'audit-log-batch-buffer-size': int('events that wait to be written in mode batch', 10_000),
  'audit-log-batch-max-size': int('events of one batch', 1),
  'audit-log-batch-max-wait': duration('time after which a batch is written even if it is not full'),
  'audit-log-batch-throttle-burst': unsupported(int('batches that may follow each other at once'), NO_THROTTLE),
  'audit-log-batch-throttle-enable': unsupported(bool('whether batches are throttled'), NO_THROTTLE),
  'audit-log-batch-throttle-qps': unsupported(float('batches a second', 'float32'), NO_THROTTLE),
  'audit-log-compress': bool('compress rotated files with gzip'),
  'audit-log-format': text('json, or legacy for a line of text an event', 'json'),
  'audit-log-maxage': int('days that rotated files are kept; 0 for ever', 366),
  'audit-log-maxbackup': int('rotated files that are kept; 0 for all', 100),
  'audit-log-maxsize': int('megabytes from which a file is rotated; 0 for never', 100),
  'audit-log-mode': text('blocking, blocking-strict or batch', 'blocking'),
  'audit-log-path': text('file that the events are written to; - for standard output'),
  'audit-log-truncate-enabled': bool('cut events that are too large'),
  'audit-log-truncate-max-batch-size': unsupported(
    int('bytes of a batch', 10_485_760),
    'batches are only bounded by --audit-log-batch-max-size',
  ),
  'audit-log-truncate-max-event-size': int('bytes of an event, from which its objects are left out', 102_400),
  'audit-log-version': text('version of the events', 'audit.k8s.io/v1'),
  'audit-policy-file': text('file with the policy that says which requests are recorded, and how much of them'),
  'audit-webhook-batch-buffer-size': webhook(int('events that wait', 10_000)),
  'audit-webhook-batch-max-size': webhook(int('events of one batch', 400)),
  'audit-webhook-batch-max-wait': webhook(duration('time after which a batch is sent even if it is not full', 30_000)),
  'audit-webhook-batch-throttle-burst': webhook(int('batches that may follow each other at once', 15)),
  'audit-webhook-batch-throttle-enable': webhook(bool('whether batches are throttled', true)),
  'audit-webhook-batch-throttle-qps': webhook(float('batches a second', 'float32', 10)),
  'audit-webhook-config-file': webhook(text('kubeconfig of the webhook')),
  'audit-webhook-initial-backoff': webhook(duration('time before the second try', 10_000)),
  'audit-webhook-mode': webhook(text('batch, blocking or blocking-strict', 'batch')),
  'audit-webhook-truncate-enabled': webhook(bool('cut events that are too large')),
  'audit-webhook-truncate-max-batch-size': webhook(int('bytes of a batch', 10_485_760)),
  'audit-webhook-truncate-max-event-size': webhook(int('bytes of an event', 102_400)),
  'audit-webhook-version': webhook(text('version of the events', 'audit.k8s.io/v1')),
}
