/** Lets a kubelet reach its own node, its pods and what these refer to, and nothing of other nodes. */
import type { UserInfo } from '../request.ts'
import type { Attributes, Authorizer, Decision, PolicyRule } from './authorizer.ts'
import type { GraphKind, NodeGraph } from './node-graph.ts'
import { ruleAllows } from './rule-match.ts'

const ALLOW: Decision = { verdict: 'allow', reason: '' }
const pass = (reason = ''): Decision => ({ verdict: 'no-opinion', reason })

const READ_VERBS = ['get', 'list', 'watch']
const OWN_OBJECT_VERBS = ['get', 'create', 'update', 'patch', 'delete']

/** What every node may do with resources that are not divided by node. */
const NODE_RULES: readonly PolicyRule[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  {
    apiGroups: ['authorization.k8s.io'],
    resources: ['subjectaccessreviews', 'localsubjectaccessreviews'],
    verbs: ['create'],
  },
  { apiGroups: [''], resources: ['services'], verbs: READ_VERBS },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'update', 'patch'] },
  { apiGroups: [''], resources: ['endpoints'], verbs: ['get'] },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests'],
    verbs: ['create', ...READ_VERBS],
  },
  { apiGroups: ['storage.k8s.io'], resources: ['csidrivers'], verbs: READ_VERBS },
  { apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'], verbs: READ_VERBS },
]

/** The node a user is, or null for other users. '' when the name says no node. */
export function nodeNameOf(user: UserInfo): string | null {
  if (!user.name.startsWith('system:node:') || !user.groups.includes('system:nodes')) return null
  return user.name.slice('system:node:'.length)
}

export class NodeAuthorizer implements Authorizer {
  readonly #graph: NodeGraph
  constructor(graph: NodeGraph) {
    this.#graph = graph
  }

  async authorize(attributes: Attributes): Promise<Decision> {
    const node = nodeNameOf(attributes.user)
    if (node === null) return pass()
    if (node === '') return pass(`unknown node for user ${JSON.stringify(attributes.user.name)}`)
    if (attributes.isResourceRequest) {
      const rule = this.#rules[`${attributes.group}/${attributes.resource}`]
      if (rule !== undefined) return rule(node, attributes)
    }
    return NODE_RULES.some((rule) => ruleAllows(rule, attributes)) ? ALLOW : pass()
  }

  async rulesFor(user: UserInfo): ReturnType<Authorizer['rulesFor']> {
    const isNode = nodeNameOf(user) !== null
    return {
      rules: [],
      incomplete: isNode,
      errors: isNode ? ['node authorizer does not support user rule resolution'] : [],
    }
  }

  readonly #rules: Readonly<Record<string, (node: string, attributes: Attributes) => Decision>> = {
    '/secrets': (node, attributes) => this.#readNamespaced(node, 'secret', attributes),
    '/configmaps': (node, attributes) => this.#readNamespaced(node, 'configmap', attributes),
    '/persistentvolumeclaims': (node, attributes) =>
      attributes.subresource === 'status'
        ? this.#updateStatus(node, 'persistentvolumeclaim', attributes)
        : this.#get(node, 'persistentvolumeclaim', attributes),
    '/persistentvolumes': (node, attributes) => this.#get(node, 'persistentvolume', attributes),
    'resource.k8s.io/resourceclaims': (node, attributes) => this.#get(node, 'resourceclaim', attributes),
    'storage.k8s.io/volumeattachments': (node, attributes) => this.#get(node, 'volumeattachment', attributes),
    '/serviceaccounts': (node, attributes) => this.#serviceAccount(node, attributes),
    'coordination.k8s.io/leases': lease,
    'storage.k8s.io/csinodes': csiNode,
    '/nodes': ownNode,
    '/pods': (node, attributes) => this.#pod(node, attributes),
  }

  #related(node: string, kind: GraphKind, { namespace, name }: Attributes): Decision {
    if (name === '') return pass('No Object name found')
    return this.#graph.leadsTo(node, kind, namespace, name)
      ? ALLOW
      : pass(`no relationship found between node '${node}' and this object`)
  }

  #get(node: string, kind: GraphKind, attributes: Attributes): Decision {
    if (attributes.verb !== 'get') return pass('can only get individual resources of this type')
    if (attributes.subresource !== '') return pass('cannot get subresource')
    return this.#related(node, kind, attributes)
  }

  #readNamespaced(node: string, kind: GraphKind, attributes: Attributes): Decision {
    if (!READ_VERBS.includes(attributes.verb)) return pass('can only read resources of this type')
    if (attributes.subresource !== '') return pass('cannot read subresource')
    if (attributes.namespace === '') return pass('can only read namespaced object of this type')
    return this.#related(node, kind, attributes)
  }

  #updateStatus(node: string, kind: GraphKind, attributes: Attributes): Decision {
    if (!['update', 'patch'].includes(attributes.verb)) return pass('can only get/update/patch this type')
    return this.#related(node, kind, attributes)
  }

  #serviceAccount(node: string, attributes: Attributes): Decision {
    if (attributes.verb === 'get' && attributes.subresource === '')
      return this.#readNamespaced(node, 'serviceaccount', attributes)
    if (attributes.verb !== 'create' || attributes.name === '')
      return pass('can only create tokens for individual service accounts')
    if (attributes.subresource !== 'token') return pass('can only create token subresource of serviceaccount')
    return this.#related(node, 'serviceaccount', attributes)
  }

  #pod(node: string, attributes: Attributes): Decision {
    const { subresource, verb, name } = attributes
    if (subresource === 'status') return ['update', 'patch'].includes(verb) ? ALLOW : pass()
    if (subresource === 'eviction') return verb === 'create' ? ALLOW : pass()
    if (subresource !== '') return pass()
    if (verb === 'get') return this.#get(node, 'pod', attributes)
    // Which mirror pods a node may write is for the NodeRestriction admission plugin.
    if (verb === 'create' || verb === 'delete') return ALLOW
    if (verb !== 'list' && verb !== 'watch') return pass()
    if (selects(attributes, 'spec.nodeName', node)) return ALLOW
    return name === ''
      ? pass('can only list/watch pods with spec.nodeName field selector')
      : this.#related(node, 'pod', attributes)
  }
}

/** Whether the field selector requires `field=value`, perhaps among others. */
function selects({ fieldSelector }: Attributes, field: string, value: string): boolean {
  return (fieldSelector ?? '').split(',').some((term) => term === `${field}=${value}` || term === `${field}==${value}`)
}

function lease(node: string, { verb, namespace, name }: Attributes): Decision {
  if (!OWN_OBJECT_VERBS.includes(verb)) return pass('can only get, create, update, patch, or delete a node lease')
  if (namespace !== 'kube-node-lease') return pass('can only access leases in the "kube-node-lease" system namespace')
  if (verb !== 'create' && name !== node)
    return pass('can only access node lease with the same name as the requesting node')
  return ALLOW
}

function csiNode(node: string, { verb, subresource, name }: Attributes): Decision {
  if (subresource !== '') return pass('cannot authorize CSINode subresources')
  if (!OWN_OBJECT_VERBS.includes(verb)) return pass('can only get, create, update, patch, or delete a CSINode')
  if (verb !== 'create' && name !== node)
    return pass('can only access CSINode with the same name as the requesting node')
  return ALLOW
}

function ownNode(node: string, { verb, subresource, name }: Attributes): Decision {
  if (subresource === 'status') return ['update', 'patch'].includes(verb) ? ALLOW : pass()
  if (subresource !== '') return pass()
  // Which node it may write is for the NodeRestriction admission plugin.
  if (['create', 'update', 'patch'].includes(verb)) return ALLOW
  if (!READ_VERBS.includes(verb)) return pass()
  if (name === node) return ALLOW
  return name === ''
    ? pass(`node '${node}' cannot read all nodes, only its own Node object`)
    : pass(`node '${node}' cannot read '${name}', only its own Node object`)
}
