/** Each component's process tells a wrong flag, and what a flag names but is not there, in one line. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'

const BIN = new URL('../../bin/', import.meta.url).pathname

const REQUIRED = [
  '--data-dir=/none',
  '--service-account-issuer=https://issuer',
  '--service-account-key-file=/none',
  '--service-account-signing-key-file=/none',
]

const REFUSALS: readonly (readonly [program: string, args: readonly string[], words: RegExp])[] = [
  ['kube-apiserver', [], /^kube-apiserver: \[--service-account-signing-key-file and .* --data-dir is missing.*\]\n$/],
  ['kube-apiserver', [...REQUIRED, '--client-ca-file=/none'], /^kube-apiserver: --client-ca-file: ENOENT.*\n$/],
  ['kube-apiserver', ['--bogus'], /^Error: unknown flag: --bogus\n$/],
  [
    'kube-apiserver',
    ['--event-ttl=x'],
    /^Error: invalid argument "x" for "--event-ttl" flag: time: invalid duration "x"\n$/,
  ],
  [
    'kube-apiserver',
    ['--etcd-servers=http://127.0.0.1:2379'],
    /^kube-apiserver: --etcd-servers is not supported: the store .*\n$/,
  ],
  ['kube-controller-manager', ['--bogus'], /^error: unknown option '--bogus'\n$/],
  ['kube-controller-manager', ['--root-ca-file=/none'], /^kube-controller-manager: --root-ca-file: ENOENT.*\n$/],
  [
    'kube-controller-manager',
    ['--service-account-private-key-file=/dev/null'],
    /^kube-controller-manager: --service-account-private-key-file: .+\n$/,
  ],
  [
    'kube-controller-manager',
    ['--cluster-signing-cert-file=/dev/null', '--cluster-signing-key-file=/dev/null'],
    /^kube-controller-manager: --cluster-signing-cert-file: .+\n$/,
  ],
  [
    'kube-scheduler',
    ['--leader-elect=maybe'],
    /^error: option '--leader-elect \[boolean\]' argument 'maybe' is invalid/,
  ],
  ['kube-scheduler', ['--config=file'], /^kube-scheduler: --config: configuration files are not supported.*\n$/],
  ['kube-scheduler', ['--kubeconfig=/none'], /^kube-scheduler: cannot read kubeconfig \/none: ENOENT.*\n$/],
  ['kube-proxy', [], /^kube-proxy: --cluster-cidr is missing\n$/],
  ['kube-proxy', ['--cluster-cidr=10.0.0.0/8', '--kubeconfig=/none'], /^kube-proxy: cannot read kubeconfig .*\n$/],
  ['cluster-dns', ['--port=many'], /^cluster-dns: --port: "many" is no whole number\n$/],
  ['kubelet', ['--node-ip=127.0.0.1', '--kubeconfig=/none'], /^kubelet: cannot read kubeconfig \/none: ENOENT.*\n$/],
]

for (const [program, args, words] of REFUSALS)
  test(`${program} ${args.join(' ')}`, async () => {
    const node = ['--disable-warning=ExperimentalWarning', `${BIN}${program}.ts`]
    const [code, stderr] = await new Promise<[unknown, string]>((resolve) =>
      execFile(process.execPath, [...node, ...args], (error, _stdout, text) => resolve([error?.code, text])),
    )
    assert.equal(code, 1)
    assert.match(stderr, words)
  })
