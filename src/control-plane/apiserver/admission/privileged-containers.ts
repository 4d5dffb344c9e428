/** Refuses privileged containers where the cluster does not allow them (--allow-privileged=false). */
import type { Container, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { child, forbiddenField, index, invalidFrom, type FieldError } from '#machinery/field-error.ts'
import { type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import { templateOf, templatePath } from './pod-template.ts'

/** Those through which containers come into a pod. */
const POD_SUBRESOURCES = ['', 'ephemeralcontainers']
const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** Upstream checks it with the other rules of the objects, and answers as for those. */
export const privilegedContainers: AdmissionPlugin = {
  name: 'PrivilegedContainers',
  validate(attributes) {
    if (attributes.operation !== 'CREATE' && attributes.operation !== 'UPDATE') return
    const place = specOf(attributes)
    if (place === null) return
    const errors = LISTS.flatMap((list) => errorsOf(place.spec[list] ?? [], child(place.path, list)))
    if (errors.length > 0) throw invalidFrom(attributes.kind, attributes.name, errors)
  },
}

function specOf(attributes: AdmissionAttributes): { readonly spec: PodSpec; readonly path: string } | null {
  if (attributes.object === null) return null
  const { kind, subresource } = attributes
  if (kind.group === '' && kind.resource === 'pods' && POD_SUBRESOURCES.includes(subresource))
    return { spec: (attributes.object as Pod).spec, path: 'spec' }
  if (subresource !== '') return null
  const spec = templateOf(attributes)?.spec
  const names = templatePath(attributes.kind)
  return spec === undefined || names === undefined ? null : { spec, path: [...names, 'spec'].join('.') }
}

function errorsOf(containers: readonly Pick<Container, 'securityContext'>[], path: string): FieldError[] {
  return containers.flatMap(({ securityContext }, position) =>
    securityContext?.privileged === true
      ? [forbiddenField(child(index(path, position), 'securityContext', 'privileged'), 'disallowed by cluster policy')]
      : [],
  )
}
