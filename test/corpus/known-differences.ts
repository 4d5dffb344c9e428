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
  /** Not seen in every run: it hangs on a number that both servers happened to use. */
  readonly isChance?: boolean
}

/** Lines of a difference that starts at a number which is also the version of an object. */
const HIDDEN_LINE = /@@ [^@\n]*<rv:\d+>/
/** What we say to who writes an object that has no effect yet. */
const WITHOUT_EFFECT = /^\["299 - \\"this server stores [^"]* yet\\""\]$|^299 - "this server stores [^"]* yet"$/
const VERSION_FIELDS = new Set(['b.compiler', 'b.gitCommit', 'b.gitVersion', 'b.goVersion'])

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    heading: 'The identity of the client',
    covers: ({ expected, got }) => expected !== got && withoutIdentity(expected) === withoutIdentity(got),
  },
  { heading: 'The version', covers: ({ request, path }) => request === 'GET /version' && VERSION_FIELDS.has(path) },
  {
    heading: 'Custom resources, webhooks, policies and aggregation',
    covers: ({ scenario, path, expected, got }) =>
      (path === 'h.Warning' && expected === '<absent>' && WITHOUT_EFFECT.test(got)) ||
      /^a\/apiextensions\/v1\/customresourcedefinitions\/|^kubectl\/crd$/.test(scenario) ||
      (scenario === 'b/apiextensions/v1/customresourcedefinitions/spec.versions' &&
        (path === 'b.message' || path === 'b.details.causes[status.storedVersions]')),
  },
  {
    heading: 'Numbers that the recording took for versions',
    isChance: true,
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
    // With KUBECTL=… of 1.37 there is none.
    isChance: true,
    covers: ({ scenario, path }) => scenario.startsWith('kubectl/describe/') && path === 'out',
  },
]

/** The administrator of the recording and ours, and their certificates. */
const withoutIdentity = (text: string): string =>
  text.replaceAll(/oracle-admin|kubernetes-admin/g, '<admin>').replaceAll(/X509SHA256=[0-9a-f]{64}/g, '<certificate>')

const withoutLines = (text: string): string => text.replaceAll(/@@ -\S+ \+\S+ @@/g, '@@')
