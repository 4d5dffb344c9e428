/** The kinds and versions that a cluster serves only where `--runtime-config` asks for them. */
import type { MutatingAdmissionPolicyBinding } from './admissionregistration/v1alpha1.gen.ts'
import { mutatingAdmissionPolicyKind } from './admissionregistration/mutating-admission-policy/kind.ts'
import { mutatingAdmissionPolicyBindingKind } from './admissionregistration/mutating-admission-policy-binding/kind.ts'
import { storageVersionKind } from './apiserverinternal/storage-version/kind.ts'
import { clusterTrustBundleKind } from './certificates/cluster-trust-bundle/kind.ts'
import { podCertificateRequestBetaKind } from './certificates/pod-certificate-request/kind.ts'
import { leaseCandidateAlphaKind, leaseCandidateKind } from './coordination/lease-candidate/kind.ts'
import { defineVersion, type VersionLifecycle } from './define-version.ts'
import type { KindDefinition } from './kind.ts'
import { resourcePoolStatusRequestKind } from './resource/resource-pool-status-request/kind.ts'
import { RESOURCE_VERSIONS } from './resource/versions.ts'
import { storageVersionMigrationKind } from './storagemigration/storage-version-migration/kind.ts'

const POLICY_ALPHA: VersionLifecycle = { deprecatedIn: 35, removedIn: 38 }
/** Their kinds have become stable in this release. */
const REPLACED: VersionLifecycle = { deprecatedIn: 37, removedIn: 40, isReplaced: true }

export const OFF_BY_DEFAULT_KINDS: readonly KindDefinition[] = [
  defineVersion('admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies', mutatingAdmissionPolicyKind, {
    lifecycle: REPLACED,
  }),
  defineVersion(
    'admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings',
    mutatingAdmissionPolicyBindingKind,
    { lifecycle: REPLACED },
  ),
  defineVersion('admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicies', mutatingAdmissionPolicyKind, {
    lifecycle: POLICY_ALPHA,
  }),
  defineVersion(
    'admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicybindings',
    mutatingAdmissionPolicyBindingKind,
    {
      lifecycle: POLICY_ALPHA,
      setDefaults(binding: MutatingAdmissionPolicyBinding, nowMs) {
        mutatingAdmissionPolicyBindingKind.strategy.setDefaults?.(binding, nowMs)
        const { paramRef } = binding.spec
        if (paramRef !== undefined) paramRef.parameterNotFoundAction ??= 'Deny'
      },
    },
  ),
  defineVersion('certificates.k8s.io/v1beta1/clustertrustbundles', clusterTrustBundleKind, { lifecycle: REPLACED }),
  podCertificateRequestBetaKind,
  leaseCandidateKind,
  leaseCandidateAlphaKind,
  storageVersionKind,
  ...RESOURCE_VERSIONS,
  resourcePoolStatusRequestKind,
  defineVersion('storagemigration.k8s.io/v1beta1/storageversionmigrations', storageVersionMigrationKind, {
    lifecycle: REPLACED,
  }),
]
