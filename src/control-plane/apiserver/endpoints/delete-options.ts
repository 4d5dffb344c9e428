/** DeleteOptions of a request: from its body, or else from its query. */
import { invalidFrom, invalidValue, notSupportedInOrder, type FieldError } from '#machinery/field-error.ts'
import type { DeleteOptions } from '#machinery/meta/v1.gen.ts'
import { decodeBody } from '#machinery/schema/decode-body.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { badRequest } from '#machinery/status-error.ts'
import type { ApiRequest } from '../request.ts'
import { checkDryRun, META_GROUP, readBoolean } from './parameters.ts'

const SCHEMA = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'
const POLICIES = ['Foreground', 'Background', 'Orphan']

export function readDeleteOptions(request: ApiRequest): DeleteOptions {
  const options = request.body.form === 'none' ? optionsOfQuery(request.query) : optionsOfBody(request)
  // The version is what upstream's log has here.
  if (request.body.form !== 'none')
    request.audit?.recordValue({ ...options, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/__internal' })
  const errors: FieldError[] = []
  if (options.propagationPolicy !== undefined && options.orphanDependents !== undefined)
    errors.push(
      invalidValue(
        'propagationPolicy',
        options.propagationPolicy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    )
  if (options.propagationPolicy !== undefined && !POLICIES.includes(options.propagationPolicy))
    errors.push(notSupportedInOrder('propagationPolicy', options.propagationPolicy, [...POLICIES, 'nil']))
  checkDryRun(options.dryRun ?? [], errors)
  if (errors.length > 0) throw invalidFrom({ group: META_GROUP, kind: 'DeleteOptions' }, '', errors)
  return options
}

function optionsOfQuery(query: URLSearchParams): DeleteOptions {
  const [grace, policy] = [query.get('gracePeriodSeconds'), query.get('propagationPolicy')]
  const orphan = readBoolean(query.get('orphanDependents'))
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  if (grace !== null && !/^[-+]?\d+$/.test(grace))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`)
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
    ...(dryRun.length === 0 ? {} : { dryRun }),
  }
}

/** The options of a body are of any group version that has them; v1 unless said. */
function optionsOfBody({ body }: ApiRequest): DeleteOptions {
  const schema = schemaOf(SCHEMA)
  if (body.form === 'object') return decodeValue<DeleteOptions>(schema, body.object).object
  if (body.form === 'none') return {}
  const isYaml = body.contentType.startsWith('application/yaml')
  const { object } = decodeBody(body.bytes, {
    format: isYaml ? 'yaml' : 'json',
    expected: { group: META_GROUP, version: 'v1', kind: 'DeleteOptions' },
    schemaOf: (kind) => (kind.kind === 'DeleteOptions' ? schema : null),
    accepts: (kind) => kind.kind === 'DeleteOptions',
    isBare: true,
  })
  return object as DeleteOptions
}
