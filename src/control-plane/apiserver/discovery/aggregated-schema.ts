/** The types of the aggregated discovery document, which only the server writes: they say how it looks in protobuf. */
import { FLAGS, type FieldRow, type SchemaFile } from '#machinery/schema/schema-data.ts'
import { registerSchemas } from '#machinery/schema/registry.ts'

const PACKAGE = 'io.k8s.api.apidiscovery.v2'
const { omitEmpty, pointer, typeMeta } = FLAGS

const TYPE_META: FieldRow[] = [
  ['kind', 's', typeMeta | omitEmpty],
  ['apiVersion', 's', typeMeta | omitEmpty],
]
const responseKind: FieldRow = ['responseKind', 'GroupVersionKind', pointer | omitEmpty, 2]

const FILE: SchemaFile = {
  packages: [PACKAGE, 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  types: {
    APIGroupDiscoveryList: {
      hidden: true,
      fields: [...TYPE_META, ['metadata', '1.ListMeta', omitEmpty, 1], ['items', '[]APIGroupDiscovery', 0, 2]],
    },
    APIGroupDiscovery: {
      hidden: true,
      fields: [
        ...TYPE_META,
        ['metadata', '1.ObjectMeta', omitEmpty, 1],
        ['versions', '[]APIVersionDiscovery', omitEmpty, 2],
      ],
    },
    APIVersionDiscovery: {
      hidden: true,
      fields: [
        ['version', 's', 0, 1],
        ['resources', '[]APIResourceDiscovery', omitEmpty, 2],
        ['freshness', 's', omitEmpty, 3],
      ],
    },
    APIResourceDiscovery: {
      hidden: true,
      fields: [
        ['resource', 's', 0, 1],
        responseKind,
        ['scope', 's', 0, 3],
        ['singularResource', 's', 0, 4],
        ['verbs', '[]s', 0, 5],
        ['shortNames', '[]s', omitEmpty, 6],
        ['categories', '[]s', omitEmpty, 7],
        ['subresources', '[]APISubresourceDiscovery', omitEmpty, 8],
      ],
    },
    GroupVersionKind: {
      hidden: true,
      fields: [
        ['group', 's', 0, 1],
        ['version', 's', 0, 2],
        ['kind', 's', 0, 3],
      ],
    },
    APISubresourceDiscovery: {
      hidden: true,
      fields: [
        ['subresource', 's', 0, 1],
        responseKind,
        ['acceptedTypes', '[]GroupVersionKind', omitEmpty, 3],
        ['verbs', '[]s', 0, 4],
      ],
    },
  },
}

export function registerAggregatedSchema(): void {
  registerSchemas([{ packages: [PACKAGE], load: () => FILE }])
}
