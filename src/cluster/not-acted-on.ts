/** Kinds that this cluster stores while nothing in it acts on them yet: whoever writes one is told. */
import type { KindDefinition } from '#api/kind.ts'

const WARNINGS: Readonly<Record<string, string>> = {
  'networking.k8s.io/networkpolicies':
    'this cluster stores NetworkPolicies and does not restrict any traffic by them yet',
  'autoscaling/horizontalpodautoscalers': 'this cluster stores HorizontalPodAutoscalers and does not scale by them yet',
  'storagemigration.k8s.io/storageversionmigrations':
    'this cluster stores StorageVersionMigrations and does not migrate any objects by them yet',
  'certificates.k8s.io/podcertificaterequests': 'this cluster stores PodCertificateRequests and does not sign them yet',
}

/** Controllers of one's own may act on them beside the API server alone, which therefore says nothing. */
export function warnOfKindsNotActedOn(kinds: readonly KindDefinition[]): readonly KindDefinition[] {
  return kinds.map((kind) => {
    const warning = WARNINGS[`${kind.group}/${kind.resource}`]
    return warning === undefined ? kind : { ...kind, inert: { warning: () => warning } }
  })
}
