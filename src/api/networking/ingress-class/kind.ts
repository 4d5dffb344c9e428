/** Names the controller of a class of Ingresses. */
import type { IngressClass } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { ingressClassStrategy } from './strategy.ts'

const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class'

function classCells({ metadata, spec }: IngressClass, nowMs: number): unknown[] {
  const isDefault = metadata.annotations?.[DEFAULT_ANNOTATION] === 'true'
  const { parameters } = spec
  const group = parameters?.apiGroup === undefined ? '' : `.${parameters.apiGroup}`
  return [
    isDefault ? `${metadata.name} (default)` : metadata.name,
    spec.controller ?? '',
    parameters === undefined ? '<none>' : `${parameters.kind}${group}/${parameters.name}`,
    formatAge(metadata.creationTimestamp, nowMs),
  ]
}

export const ingressClassKind = defineKind<IngressClass>('networking.k8s.io/v1/ingressclasses', {
  strategy: ingressClassStrategy,
  row: (object, nowMs) => classCells(object, nowMs),
})
