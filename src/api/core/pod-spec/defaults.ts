/** Fills the defaults of pod specs, of templates and of pods. */
import type { PodSpec, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { setContainerDefaults } from './container-defaults.ts'
import { roundAmounts, roundRequirements } from './resource-defaults.ts'
import { setVolumeDefaults } from './volume-defaults.ts'

/** Time that containers get to end by themselves. */
const GRACE_SECONDS = 30

export function setPodSpecDefaults(spec: PodSpec): void {
  // Two names of one field; the older one follows.
  spec.serviceAccountName ||= spec.serviceAccount ?? ''
  if (spec.serviceAccountName === '') {
    delete spec.serviceAccountName
    delete spec.serviceAccount
  } else spec.serviceAccount = spec.serviceAccountName
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= GRACE_SECONDS
  spec.schedulerName ||= 'default-scheduler'
  spec.volumes?.forEach(setVolumeDefaults)
  spec.initContainers?.forEach(setContainerDefaults)
  spec.containers?.forEach(setContainerDefaults)
  spec.ephemeralContainers?.forEach(setContainerDefaults)
  roundAmounts(spec.overhead)
  roundRequirements(spec.resources)
}

/** The spec of a template, made when there is none. */
export function setPodTemplateDefaults(template: PodTemplateSpec): void {
  setPodSpecDefaults((template.spec ??= { containers: [] }))
}
