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

/** Lines of a difference that starts at a number which is also the version of an object. */
const HIDDEN_LINE = /@@ [^@\n]*<rv:\d+>/
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
    heading: 'Numbers that the recording took for versions',
    covers: ({ class: kind, expected, got }) =>
      kind === 'text' &&
      (HIDDEN_LINE.test(expected) || HIDDEN_LINE.test(got)) &&
      withoutLines(expected) === withoutLines(got),
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

const withoutLines = (text: string): string => text.replaceAll(/@@ -\S+ \+\S+ @@/g, '@@')
