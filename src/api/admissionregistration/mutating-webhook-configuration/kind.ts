/** Webhooks that are asked about requests and may change them. */
import type { MutatingWebhookConfiguration } from '#api/admissionregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { webhookStrategy } from '../webhooks.ts'

export const mutatingWebhookConfigurationKind = defineKind<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  {
    allowPlainFinalizers: true,
    inert: { warning: () => 'this server stores MutatingWebhookConfigurations and does not call their webhooks yet' },
    strategy: webhookStrategy<MutatingWebhookConfiguration>(true),
    row: ({ metadata, webhooks = [] }, nowMs) => [
      metadata.name,
      webhooks.length,
      formatAge(metadata.creationTimestamp, nowMs),
    ],
  },
)
