/** Flags of kube-apiserver for what its clients may do. */
import { unsupported, type Flag } from '../../flag-set/flag.ts'
import { duration, strings, text } from '../../flag-set/flag-types.ts'

const webhook = <T>(flag: Flag<T>): Flag<T> => unsupported(flag, 'no webhook is asked')

export const AUTHORIZATION_FLAGS = {
  'authorization-config': unsupported(text('file of the chain of authorizers'), 'use --authorization-mode'),
  'authorization-mode': strings('authorizers in order: AlwaysAllow, AlwaysDeny, RBAC, Node; AlwaysAllow without it'),
  'authorization-policy-file': unsupported(text('policy of mode ABAC'), 'mode ABAC is not there'),
  'authorization-webhook-cache-authorized-ttl': webhook(duration('time that a yes is kept', 300_000)),
  'authorization-webhook-cache-unauthorized-ttl': webhook(duration('time that a no is kept', 30_000)),
  'authorization-webhook-config-file': webhook(text('kubeconfig of the webhook')),
  'authorization-webhook-version': webhook(text('version of the SubjectAccessReview', 'v1beta1')),
}
