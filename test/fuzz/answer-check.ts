/** What must hold for each answer alone: no failure of the server's own, and the form that was asked for. */
import { load } from 'js-yaml'
import { gunzipSync } from 'node:zlib'
import type { FuzzAnswer } from './client.ts'
import type { FuzzRequest } from './request.ts'

/** Answers of 500 and above that the real server gives as well, and what brings them about. */
const UPSTREAM_FAILURES: readonly RegExp[] = [
  /resourceVersion should not be set on objects to be created/, // a numeric resourceVersion in a POST
  /strconv\.Parse\w+: parsing/, // a resourceVersion that is no number
  /failed to create typed (?:patch|live) object/, // server-side apply of a field that the schema does not have
  /failed to (?:prune|convert|update|decode|get|create)\b/, // server-side apply of what cannot be converted or owned
  /^target\.|\[target\./, // a Binding that names no node, or something that is none
  /expected slice or array type, but got: struct|list element types are not identical|invalid type for list|expected a (?:\[\]|map\[string\])interface|does not contain declared merge key|cannot find|unknown patch type: .* in map: |The order in patch list:/i, // strategic patches of another form
  /This pod has more than one PodDisruptionBudget/,
  /Timeout: |timed out|request did not complete|context deadline/, // timeout=1ns
  /no endpoints available|address not allowed|dial tcp|pods? .* (?:is|are) not/, // connections to kubelets and pods that are not there
  /Internal error occurred: (?:failed to prune|resource quota|no RESTMapping|parsing)/,
]
/** What JavaScript says when our own code fails, whatever else the message holds. */
const OWN_FAILURE =
  /Cannot (?:read|set) propert|is not (?:a function|iterable|defined|an? [a-z]+ or null)|Maximum call stack|Invalid array length/
/** Kinds of answers that are no Kubernetes objects. */
const PLAIN = /^(?:text\/|application\/(?:octet-stream|openmetrics|com\.github|jwk|jose))/

/** What is wrong with the answer; null for nothing. */
export function problemOf(request: FuzzRequest, { code, type, encoding, body }: FuzzAnswer): string | null {
  const bytes = encoding === 'gzip' ? gunzipSync(body) : body
  const text = bytes.toString()
  if (request.method === 'HEAD') return null
  if (code >= 500 && !isUpstreams(code, text)) return `status ${code}: ${text.slice(0, 500)}`
  if (code < 200 || code === 204 || code === 304) return null
  if (request.isWatch && code === 200) return type.includes('json') ? watchProblem(text) : null
  if (type.startsWith('application/json')) return isJson(text) ? null : `no JSON: ${text.slice(0, 200)}`
  if (type.startsWith('application/vnd.kubernetes.protobuf'))
    return bytes.subarray(0, 4).toString('latin1') === 'k8s\0' ? null : 'no protobuf envelope'
  if (type.startsWith('application/yaml')) return yamlProblem(text)
  return PLAIN.test(type) || bytes.length === 0 ? null : `content type ${type}: ${text.slice(0, 200)}`
}

function isUpstreams(code: number, text: string): boolean {
  if (code === 503 || code === 504) return true
  const message = isJson(text) ? String((JSON.parse(text) as { message?: string }).message) : text
  return !OWN_FAILURE.test(message) && UPSTREAM_FAILURES.some((pattern) => pattern.test(message))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function yamlProblem(text: string): string | null {
  try {
    load(text)
    return null
  } catch (error) {
    return `no YAML: ${String(error).slice(0, 200)}`
  }
}

function watchProblem(text: string): string | null {
  const lines = text.split('\n').filter((line) => line !== '')
  const broken = lines.find((line) => !isJson(line))
  return broken === undefined ? null : `no JSON in a watch: ${broken.slice(0, 200)}`
}
