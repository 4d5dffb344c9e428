/** Where our answers differ from the recorded ones of a real kube-apiserver, and why; docs/compatibility.md tells the same to users. */

/** One value of one answer that differs. */
export type Difference = {
  /** Scenario: `b/v1/pods/update/max/0`. */
  readonly scenario: string
  /** `POST /api/v1/…`, or the command line. */
  readonly request: string
  /** `text` when only words for people differ. */
  readonly class: 'text' | 'differ'
  /** Where in the answer: `b.details.causes.message`. */
  readonly path: string
  readonly expected: string
  readonly got: string
}

export type KnownDifference = {
  /** The heading in docs/compatibility.md that gives the reason. */
  readonly heading: string
  readonly covers: (difference: Difference) => boolean
}

/** A Go struct written as JSON: names begin with capitals. */
const GO_STRUCT = /"[A-Z][A-Za-z]+":/
/** A unified diff of two such structs. */
const GO_DIFF = /@@ -\d/
const EXTENSION_KINDS =
  /customresourcedefinitions|apiservices|servicecidrs|mutatingadmissionpolic|validatingadmissionpolic|webhookconfigurations|^kubectl\/crd$/

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    heading: 'The identity of the client',
    covers: ({ expected, path }) => /oracle-admin/.test(expected) || path.includes('credential-id'),
  },
  { heading: 'The version', covers: ({ request }) => request === 'GET /version' },
  {
    heading: 'Custom resources, webhooks, policies and aggregation',
    covers: ({ scenario }) => EXTENSION_KINDS.test(scenario),
  },
  {
    heading: 'Go values inside messages',
    covers: (difference) =>
      difference.class === 'text' && (GO_STRUCT.test(difference.expected) || GO_DIFF.test(difference.expected)),
  },
  {
    heading: 'Nil or empty inside messages',
    covers: ({ class: kind, expected, got }) => kind === 'text' && withoutEmpty(expected) === withoutEmpty(got),
  },
  {
    heading: 'Where parsers give up',
    covers: ({ class: kind, scenario, expected }) =>
      kind === 'text' &&
      (/Syntax error|illegal base64|looking for beginning of value/.test(expected) ||
        /^d\/(apply\/bad-yaml|fieldvalidation|json\/22|strategic)|^c\/body\/19$/.test(scenario)),
  },
  {
    heading: 'Declarative validation beside the written one',
    covers: ({ class: kind, scenario, expected }) =>
      kind === 'text' && (/roles\/|^b\/resource\/v1\//.test(scenario) || /no more than \d+ bytes/.test(expected)),
  },
  {
    heading: 'White space in free-form parameters',
    covers: ({ scenario, path }) => scenario === 'a/resource/v1/deviceclasses/max' && path === 'b.metadata.generation',
  },
  {
    heading: 'Older kubectl',
    covers: ({ scenario, path }) => scenario.startsWith('kubectl/describe/') && path === 'out',
  },
]

/** The ways in which Go's nil, empty lists, empty maps and empty texts are written. */
const withoutEmpty = (text: string): string => text.replaceAll(/null|\[\]|\{\}|""/g, '<empty>')
