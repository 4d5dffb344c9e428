/** Pods run on the nodes that are for their namespace: its node selector is added to theirs. */
import type { Namespace, Pod } from '#api/core/v1.gen.ts'
import { validateLabels } from '#machinery/validation/labels.ts'
import { notFound, StatusError } from '#machinery/status-error.ts'
import { isResource, refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector'
const CLUSTER_DEFAULT = 'clusterDefaultNodeSelector'

type Labels = Readonly<Record<string, string>>

/** `selectors`: of the cluster by default, and per namespace what its pods may select at most. */
export function createPodNodeSelector(cluster: ClusterReader, selectors: Labels): AdmissionPlugin {
  const check = async (attributes: AdmissionAttributes): Promise<void> => {
    const own = (attributes.object as Pod).spec.nodeSelector ?? {}
    const ofNamespace = await selectorOf(cluster, attributes.namespace, selectors)
    if (conflicts(ofNamespace, own))
      throw refuse(attributes, 'pod node label selector conflicts with its namespace node label selector')
    const allowed = parseSelectorLabels(selectors[attributes.namespace] ?? '')
    const isAllowed = Object.entries(own).every(([label, value]) => allowed[label] === value)
    if (Object.keys(allowed).length > 0 && !isAllowed)
      throw refuse(attributes, 'pod node label selector labels conflict with its namespace whitelist')
  }
  return {
    name: 'PodNodeSelector',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'pods')) return
      const { spec } = attributes.object as Pod
      const ofNamespace = await selectorOf(cluster, attributes.namespace, selectors)
      if (!conflicts(ofNamespace, spec.nodeSelector ?? {})) {
        const merged = { ...ofNamespace, ...spec.nodeSelector }
        if (Object.keys(merged).length > 0) spec.nodeSelector = merged
      }
      await check(attributes)
    },
    async validate(attributes) {
      if (attributes.operation === 'CREATE' && isResource(attributes, 'pods')) await check(attributes)
    },
  }
}

async function selectorOf(cluster: ClusterReader, name: string, selectors: Labels): Promise<Labels> {
  const namespace = await cluster.get<Namespace>('', 'namespaces', '', name)
  if (namespace === null) throw notFound({ group: '', resource: 'namespaces' }, name)
  return parseSelectorLabels(namespace.metadata.annotations?.[ANNOTATION] ?? selectors[CLUSTER_DEFAULT] ?? '')
}

function conflicts(one: Labels, other: Labels): boolean {
  return Object.entries(one).some(([label, value]) => other[label] !== undefined && other[label] !== value)
}

/** `a=b,c=d`; an error of the server's own for anything else, as upstream's. */
export function parseSelectorLabels(text: string): Labels {
  if (text === '') return {}
  const fail = (message: string): never => {
    throw new StatusError({ code: 500, reason: '', message })
  }
  const labels: Record<string, string> = {}
  for (const term of text.split(',')) {
    const parts = term.split('=')
    if (parts.length !== 2) fail(`invalid selector: [${parts.join(' ')}]`)
    const [label, value] = [parts[0]!.trim(), parts[1]!.trim()]
    const [problem] = validateLabels({ [label]: value }, '')
    if (problem !== undefined) fail(`${problem.field === '' ? '' : `${problem.field}: `}${problem.message}`)
    labels[label] = value
  }
  return labels
}
