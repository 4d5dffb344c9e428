/** Enforces the Pod Security Standards that a namespace's labels ask for, and warns where they will be broken. */
import type { Namespace, Pod } from '#api/core/v1.gen.ts'
import { invalidFrom } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { type PodSecurityConfiguration } from './configuration.ts'
import { detailsText, evaluatePod } from './evaluate.ts'
import { templateOf, type Template } from '../pod-template.ts'
import { exemptionWarning, namespaceWarnings } from './namespace-warnings.ts'
import { compareLevels, formatLevel, isSame, readPolicy, type Policy } from './policy.ts'

/** Neither of them changes what a pod may do. */
const IGNORED_SUBRESOURCES = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

export function createPodSecurity(cluster: ClusterReader, configuration: PodSecurityConfiguration): AdmissionPlugin {
  const { usernames, namespaces, runtimeClasses } = configuration.exemptions
  return {
    name: 'PodSecurity',
    async validate(attributes) {
      const { operation, kind, subresource, user } = attributes
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (kind.group === '' && kind.resource === 'namespaces')
        return checkNamespace({ cluster, configuration }, attributes)
      const isPod = kind.group === '' && kind.resource === 'pods'
      if (isPod ? IGNORED_SUBRESOURCES.has(subresource) : subresource !== '') return
      if (namespaces.includes(attributes.namespace) || usernames.includes(user.name)) return
      const template = isPod ? (attributes.object as Pod) : templateOf(attributes)
      if (template === null || runtimeClasses.includes(template.spec?.runtimeClassName ?? '')) return
      const namespace = await cluster.get<Namespace>('', 'namespaces', '', attributes.namespace)
      const { policy } = readPolicy(namespace?.metadata.labels, configuration.defaults)
      if (isPod && operation === 'UPDATE' && !changesImages(attributes.object as Pod, attributes.oldObject as Pod))
        return
      checkPod(attributes, policy, template, isPod)
    },
  }
}

/** Controllers' templates are only warned about: their pods are refused later. */
function checkPod(attributes: AdmissionAttributes, policy: Policy, template: Template, enforces: boolean): void {
  const { spec, metadata = {} } = template
  if (spec === undefined) return
  if (enforces) {
    const violations = evaluatePod(policy.enforce, spec, metadata)
    if (violations.length > 0)
      throw refuse(
        attributes,
        `violates PodSecurity ${JSON.stringify(formatLevel(policy.enforce))}: ${detailsText(violations)}`,
      )
  }
  const violations = evaluatePod(policy.warn, spec, metadata)
  if (violations.length > 0)
    attributes.warn(`would violate PodSecurity ${JSON.stringify(formatLevel(policy.warn))}: ${detailsText(violations)}`)
}

type Imaged = { readonly name: string; readonly image?: string }

/** Of what may change in a running pod only images and new ephemeral containers count. */
function changesImages(pod: Pod, old: Pod): boolean {
  const differ = (now: readonly Imaged[] = [], before: readonly Imaged[] = []): boolean =>
    now.length !== before.length || now.some(({ image }, i) => image !== before[i]!.image)
  const ephemeral = old.spec.ephemeralContainers ?? []
  return (
    differ(pod.spec.containers, old.spec.containers) ||
    differ(pod.spec.initContainers, old.spec.initContainers) ||
    (pod.spec.ephemeralContainers ?? []).some(
      ({ name, image }) => ephemeral.find((before) => before.name === name)?.image !== image,
    )
  )
}

async function checkNamespace(
  { cluster, configuration }: { cluster: ClusterReader; configuration: PodSecurityConfiguration },
  attributes: AdmissionAttributes,
): Promise<void> {
  if (attributes.subresource !== '') return
  const { name, oldObject } = attributes
  const { defaults, exemptions } = configuration
  const { labels } = (attributes.object as KubernetesObject).metadata
  const { policy, errors } = readPolicy(labels, defaults)
  const old = oldObject === null ? null : readPolicy(oldObject.metadata.labels, defaults)
  if (errors.length > 0 && JSON.stringify(errors) !== JSON.stringify(old?.errors))
    throw invalidFrom(attributes.kind, name, errors)
  if (old !== null && !isStricter(policy, old.policy)) return
  if (exemptions.namespaces.includes(name)) {
    const warning = exemptionWarning(name, { policy, defaults, labels: labels ?? {} })
    if (warning !== null) attributes.warn(warning)
  } else if (old !== null) {
    const pods = await cluster.list<Pod>('', 'pods', name)
    for (const text of namespaceWarnings(name, policy.enforce, pods)) attributes.warn(text)
  }
}

/** So that pods which are there may break what is enforced now. */
function isStricter({ enforce: now }: Policy, { enforce: before }: Policy): boolean {
  if (isSame(now, before) || now.level === 'privileged') return false
  return now.version !== before.version || compareLevels(now.level, before.level) > 0
}
