/** Puts the authorizers together that --authorization-mode names; what they know follows the cluster's objects. */
import type { AuthorizationMode } from '../settings.ts'
import type { Authorizer } from './authorizer.ts'
import { NodeAuthorizer } from './node-authorizer.ts'
import { NodeGraph, followNodeGraph } from './node-graph.ts'
import type { ObjectFeeds } from './object-feeds.ts'
import { RbacAuthorizer, followRbac } from './rbac-authorizer.ts'
import { RbacIndex } from './rbac-index.ts'
import { ConstantAuthorizer, SuperuserAuthorizer, UnionAuthorizer } from './union-authorizer.ts'

const CREATORS: Readonly<Record<AuthorizationMode, (feeds: ObjectFeeds) => Authorizer>> = {
  AlwaysAllow: () => new ConstantAuthorizer(true),
  AlwaysDeny: () => new ConstantAuthorizer(false),
  Node: (feeds) => {
    const graph = new NodeGraph()
    followNodeGraph(graph, feeds)
    return new NodeAuthorizer(graph)
  },
  RBAC: (feeds) => {
    const index = new RbacIndex()
    followRbac(index, feeds)
    return new RbacAuthorizer(index)
  },
}

/** Call it before the feeds start. */
export function createAuthorizer(feeds: ObjectFeeds, modes: readonly AuthorizationMode[]): Authorizer {
  return new UnionAuthorizer([new SuperuserAuthorizer(), ...modes.map((mode) => CREATORS[mode](feeds))])
}
