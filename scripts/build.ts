/**
 * Builds what `./kubets` runs: one bundle for each process, erased of types, in dist/, with the data files it reads beside it. A process
 * then loads a handful of files instead of a thousand, and needs half the memory. `node scripts/build.ts`; dist/ mirrors the source tree.
 */
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OUT = join(ROOT, 'dist')
/** Programs that share chunks of code, all in one folder. */
const PROGRAMS = globSync('bin/*.ts', { cwd: ROOT })
/** Threads: each a file of its own, where the source has it. */
const WORKERS = ['src/control-plane/store/embedded/worker.ts']
/** Read at run time, beside the code that reads them. */
const DATA = [...globSync('src/**/*.schema.gen.json', { cwd: ROOT }), '.cache/field-descriptions.json']
/** As old as the start of the build: whatever is newer is not in it. */
const STAMP = join(OUT, '.built')

const OLD_CHUNK_MS = 24 * 60 * 60 * 1000

/** Some npm packages are CommonJS and ask for Node's modules with `require`. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'

/** A module of a bundle believes to be where it is in the tree, with `.js` for `.ts`: so it finds its data files and programs. */
function keepPlaces(outputFolder: string): Plugin {
  return {
    name: 'keep-places',
    setup: ({ onLoad }) =>
      onLoad({ filter: /\/(src|bin)\/.*\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        const place = relative(outputFolder, join(OUT, relative(ROOT, path))).replace(/\.ts$/, '.js')
        const url = `new URL(${JSON.stringify(place)}, import.meta.url).href`
        return { loader: 'ts', contents: text.replaceAll('import.meta.url', url) }
      }),
  }
}

function optionsFor(entryPoints: readonly string[], folder: string): BuildOptions {
  return {
    absWorkingDir: ROOT,
    entryPoints: [...entryPoints],
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    mainFields: ['module', 'main'],
    splitting: entryPoints.length > 1,
    banner: { js: REQUIRE },
    plugins: [keepPlaces(folder)],
    write: false,
    logLevel: 'error',
  }
}

/** A process that runs from the file of before is not disturbed; chunks of before stay for what it may still load. */
function replaceFile(path: string, contents: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, contents)
  renameSync(fresh, path)
}

/** Chunks that no build has written for a day: a process that old has long loaded what it needs. */
function removeOldChunks(kept: ReadonlySet<string>): void {
  const oldest = Date.now() - OLD_CHUNK_MS
  for (const path of globSync('bin/*', { cwd: OUT }).map((file) => join(OUT, file)))
    if (!kept.has(path) && statSync(path).mtimeMs < oldest) rmSync(path)
}

const startedAt = new Date()
const bundles = [
  optionsFor(PROGRAMS, join(OUT, 'bin')),
  ...WORKERS.map((worker) => optionsFor([worker], dirname(join(OUT, worker)))),
]
const results = await Promise.all(bundles.map((options) => build({ ...options, write: false })))
mkdirSync(OUT, { recursive: true })
replaceFile(join(OUT, 'package.json'), Buffer.from('{"type":"module"}\n'))
for (const file of DATA) if (existsSync(join(ROOT, file))) replaceFile(join(OUT, file), readFileSync(join(ROOT, file)))
const outputs = results.flatMap(({ outputFiles }) => outputFiles)
// Programs last: one that starts meanwhile finds the chunks it asks for.
const isProgram = (path: string): boolean =>
  PROGRAMS.some((program) => path === join(OUT, program.replace(/ts$/, 'js')))
for (const { path, contents } of outputs.toSorted((a, b) => Number(isProgram(a.path)) - Number(isProgram(b.path))))
  replaceFile(path, contents)
removeOldChunks(new Set(outputs.map(({ path }) => path)))
replaceFile(STAMP, Buffer.from(`${startedAt.toISOString()}\n`))
utimesSync(STAMP, startedAt, startedAt)
