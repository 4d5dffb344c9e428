/** All flags of kube-apiserver, in the sections of `--help`: a new flag goes into the file of its section. */
import type { ValuesOf } from '../../flag-set/flag.ts'
import { ADMISSION_FLAGS, API_ENABLEMENT_FLAGS, EGRESS_SELECTOR_FLAGS } from './admission.ts'
import { AUDITING_FLAGS } from './auditing.ts'
import { AUTHENTICATION_FLAGS } from './authentication.ts'
import { AUTHORIZATION_FLAGS } from './authorization.ts'
import { ETCD_FLAGS } from './etcd.ts'
import { GENERIC_FLAGS } from './generic.ts'
import { GLOBAL_FLAGS, MISC_FLAGS } from './misc.ts'
import { FEATURES_FLAGS, LOGS_FLAGS, METRICS_FLAGS, TRACES_FLAGS } from './observability.ts'
import { SECURE_SERVING_FLAGS } from './secure-serving.ts'

const ALL = {
  ...GENERIC_FLAGS,
  ...ETCD_FLAGS,
  ...SECURE_SERVING_FLAGS,
  ...AUDITING_FLAGS,
  ...FEATURES_FLAGS,
  ...AUTHENTICATION_FLAGS,
  ...AUTHORIZATION_FLAGS,
  ...API_ENABLEMENT_FLAGS,
  ...EGRESS_SELECTOR_FLAGS,
  ...ADMISSION_FLAGS,
  ...METRICS_FLAGS,
  ...LOGS_FLAGS,
  ...TRACES_FLAGS,
  ...MISC_FLAGS,
  ...GLOBAL_FLAGS,
}

export type KubeApiserverFlags = typeof ALL
export type KubeApiserverValues = ValuesOf<KubeApiserverFlags>

export const KUBE_APISERVER_SECTIONS = [
  { title: 'Generic', flags: GENERIC_FLAGS },
  { title: 'Etcd', flags: ETCD_FLAGS },
  { title: 'Secure serving', flags: SECURE_SERVING_FLAGS },
  { title: 'Auditing', flags: AUDITING_FLAGS },
  { title: 'Features', flags: FEATURES_FLAGS },
  { title: 'Authentication', flags: AUTHENTICATION_FLAGS },
  { title: 'Authorization', flags: AUTHORIZATION_FLAGS },
  { title: 'API enablement', flags: API_ENABLEMENT_FLAGS },
  { title: 'Egress selector', flags: EGRESS_SELECTOR_FLAGS },
  { title: 'Admission', flags: ADMISSION_FLAGS },
  { title: 'Metrics', flags: METRICS_FLAGS },
  { title: 'Logs', flags: LOGS_FLAGS },
  { title: 'Traces', flags: TRACES_FLAGS },
  { title: 'Misc', flags: MISC_FLAGS },
  { title: 'Global', flags: GLOBAL_FLAGS },
] as const
