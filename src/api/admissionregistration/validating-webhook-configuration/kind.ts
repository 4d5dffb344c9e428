/** Webhooks that are asked about requests. */
import type { ValidatingWebhookConfiguration } from '#api/admissionregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { webhookStrategy } from '../webhooks.ts'

export const validatingWebhookConfigurationKind = defineKind<ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  {
    allowPlainFinalizers: true,
    inert: { warning: () => 'this server stores ValidatingWebhookConfigurations and does not call their webhooks yet' },
    strategy: webhookStrategy<ValidatingWebhookConfiguration>(false),
    row: ({ metadata, webhooks = [] }, nowMs) => [
      metadata.name,
      webhooks.length,
      formatAge(metadata.creationTimestamp, nowMs),
    ],
  },
)
