/** The list of built-in schemas, one committed data file per group version; importing it makes `schemaOf` know them all. */
import { registerSchemas, schemaFile, type SchemaSource } from '#machinery/schema/registry.ts'

/** Path of the data below src/api -> Go package of its types. */
const FILES: Readonly<Record<string, string>> = {
  'admissionregistration/v1': 'io.k8s.api.admissionregistration.v1',
  'admissionregistration/v1alpha1': 'io.k8s.api.admissionregistration.v1alpha1',
  'admissionregistration/v1beta1': 'io.k8s.api.admissionregistration.v1beta1',
  'apiextensions/v1': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  'apiregistration/v1': 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  'apiserverinternal/v1alpha1': 'io.k8s.api.apiserverinternal.v1alpha1',
  'apps/v1': 'io.k8s.api.apps.v1',
  'authentication/v1': 'io.k8s.api.authentication.v1',
  'authorization/v1': 'io.k8s.api.authorization.v1',
  'autoscaling/v1': 'io.k8s.api.autoscaling.v1',
  'autoscaling/v2': 'io.k8s.api.autoscaling.v2',
  'batch/v1': 'io.k8s.api.batch.v1',
  'certificates/v1': 'io.k8s.api.certificates.v1',
  'certificates/v1beta1': 'io.k8s.api.certificates.v1beta1',
  'coordination/v1': 'io.k8s.api.coordination.v1',
  'coordination/v1alpha2': 'io.k8s.api.coordination.v1alpha2',
  'coordination/v1beta1': 'io.k8s.api.coordination.v1beta1',
  'core/v1': 'io.k8s.api.core.v1',
  'discovery/v1': 'io.k8s.api.discovery.v1',
  'events/v1': 'io.k8s.api.events.v1',
  'flowcontrol/v1': 'io.k8s.api.flowcontrol.v1',
  'networking/v1': 'io.k8s.api.networking.v1',
  'node/v1': 'io.k8s.api.node.v1',
  'policy/v1': 'io.k8s.api.policy.v1',
  'rbac/v1': 'io.k8s.api.rbac.v1',
  'resource/v1': 'io.k8s.api.resource.v1',
  'resource/v1alpha3': 'io.k8s.api.resource.v1alpha3',
  'resource/v1beta1': 'io.k8s.api.resource.v1beta1',
  'resource/v1beta2': 'io.k8s.api.resource.v1beta2',
  'scheduling/v1': 'io.k8s.api.scheduling.v1',
  'scheduling/v1alpha3': 'io.k8s.api.scheduling.v1alpha3',
  'storage/v1': 'io.k8s.api.storage.v1',
  'storagemigration/v1': 'io.k8s.api.storagemigration.v1',
  'storagemigration/v1beta1': 'io.k8s.api.storagemigration.v1beta1',
}

export const BUILT_IN_SCHEMAS: readonly SchemaSource[] = Object.entries(FILES).map(([path, name]) =>
  schemaFile(new URL(`./${path}.schema.gen.json`, import.meta.url), [name]),
)

// Nothing can be decoded without them, so that whoever imports the list has them registered.
registerSchemas(BUILT_IN_SCHEMAS)
