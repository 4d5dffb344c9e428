/** Flags of kube-apiserver for its store; those that speak to an etcd have none to speak to. */
import { unsupported } from '../../flag-set/flag.ts'
import { bool, duration, int, strings, text } from '../../flag-set/flag-types.ts'

const NO_ETCD = 'the store is part of this server and lies in a folder (--data-dir)'
const STORE_FORM = 'the store has one form of its own'

export const ETCD_FLAGS = {
  'data-dir': text('folder of the store; this flag is of this program alone'),
  'delete-collection-workers': unsupported(
    int('deletions of a collection that run at once', 1),
    'collections are deleted by one worker',
  ),
  'enable-garbage-collector': unsupported(
    bool('whether dependents can be left to the garbage collector', true),
    'it always works',
  ),
  'encryption-provider-config': unsupported(
    text('file that says how objects are encrypted in the store'),
    'the store does not encrypt',
  ),
  'encryption-provider-config-automatic-reload': unsupported(
    bool('read that file again when it changes'),
    'the store does not encrypt',
  ),
  'etcd-cafile': unsupported(text('authority of the etcd servers'), NO_ETCD),
  'etcd-certfile': unsupported(text('certificate for the etcd servers'), NO_ETCD),
  'etcd-compaction-interval': unsupported(
    duration('time between two compactions of the history', 300_000),
    'the store compacts itself every five minutes',
  ),
  'etcd-count-metric-poll-period': unsupported(
    duration('time between two counts of objects', 60_000),
    'objects are counted when they are asked for',
  ),
  'etcd-db-metric-poll-interval': unsupported(
    duration('time between two looks at the size of the database', 30_000),
    NO_ETCD,
  ),
  'etcd-healthcheck-timeout': unsupported(duration('time that a check of etcd may take', 2000), NO_ETCD),
  'etcd-keyfile': unsupported(text('key of the certificate for the etcd servers'), NO_ETCD),
  'etcd-prefix': unsupported(text('prefix of all keys in etcd', '/registry'), NO_ETCD),
  'etcd-readycheck-timeout': unsupported(duration('time that a check of readiness of etcd may take', 2000), NO_ETCD),
  'etcd-servers': unsupported(strings('URLs of the etcd servers'), NO_ETCD),
  'etcd-servers-overrides': unsupported(strings('etcd servers of single resources'), NO_ETCD),
  'lease-reuse-duration-seconds': unsupported(int('seconds in which objects share a lease', 60), STORE_FORM),
  'storage-backend': unsupported(text('kind of the store'), STORE_FORM),
  'storage-media-type': unsupported(
    text('form of the stored objects', 'application/vnd.kubernetes.protobuf'),
    STORE_FORM,
  ),
  'watch-cache': unsupported(bool('whether reads and watches are answered from memory', true), 'they always are'),
  'watch-cache-sizes': unsupported(
    strings('events of single resources that are kept for watches'),
    'each cache finds its own size',
  ),
}
