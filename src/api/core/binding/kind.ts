/** Places a pod on a node; never stored. */
import type { Binding } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'

export const bindingKind = defineKind<Binding>('v1/bindings', { stored: false })
