/** Every new pod pulls its images anew, so that nobody uses an image that another's credentials brought to a node. */
import type { Pod } from '#api/core/v1.gen.ts'
import { someContainer, visitContainers } from '#api/core/pod-spec/containers-of.ts'
import { notSupported, type FieldError } from '#machinery/field-error.ts'
import { StatusError } from '#machinery/status-error.ts'
import { isResource, refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'

const ALWAYS = 'Always'

export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  mutate(attributes) {
    if (!isConcerned(attributes)) return
    const { spec } = attributes.object as Pod
    visitContainers(spec, 'spec', (container) => void (container.imagePullPolicy = ALWAYS))
    for (const { image } of spec.volumes ?? []) if (image !== undefined) image.pullPolicy = ALWAYS
  },
  validate(attributes) {
    if (!isConcerned(attributes)) return
    const errors = problemsOf(attributes.object as Pod)
    if (errors.length === 0) return
    // Upstream joins several refusals to an error that is none of the API's.
    const texts = errors.map(({ field, message }) => refuse(attributes, `${field}: ${message}`).message)
    const message = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
    throw new StatusError({ code: 500, reason: '', message })
  },
}

function problemsOf({ spec }: Pod): FieldError[] {
  const errors: FieldError[] = []
  const check = (policy: string | undefined, field: string): void => {
    if (policy !== ALWAYS) errors.push(notSupported(field, policy ?? '', [ALWAYS]))
  }
  visitContainers(spec, 'spec', ({ imagePullPolicy }, path) => check(imagePullPolicy, `${path}.imagePullPolicy`))
  spec.volumes?.forEach(({ image }, i) => {
    if (image !== undefined) check(image.pullPolicy, `spec.volumes[${i}].image.pullPolicy`)
  })
  return errors
}

/** Pods, but for changes that bring no new image. */
function isConcerned(attributes: AdmissionAttributes): boolean {
  const { operation, object, oldObject } = attributes
  if (!isResource(attributes, 'pods') || (operation !== 'CREATE' && operation !== 'UPDATE')) return false
  if (operation === 'CREATE') return true
  const images = new Set<string | undefined>()
  visitContainers((oldObject as Pod).spec, 'spec', ({ image }) => void images.add(image))
  return someContainer((object as Pod).spec, ({ image }) => !images.has(image))
}
