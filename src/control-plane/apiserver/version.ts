/** What the server says it is: the version of Kubernetes whose API it serves, and that it is this program which does. */
import project from '../../../package.json' with { type: 'json' }

/** Fields have the names that clients read; Go's are those of upstream's own builds, and say here what runs instead. */
export const VERSION = {
  major: '1',
  minor: '37',
  emulationMajor: '1',
  emulationMinor: '37',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '36',
  /** Build metadata takes no part in comparisons of versions: clients see v1.37.2, people see who answers. */
  gitVersion: `v1.37.2+kubets.${project.version}`,
  /** A checkout is run as it is: no build stamps its commit or its date. */
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
} as const
