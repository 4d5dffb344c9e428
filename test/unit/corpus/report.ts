/** Prints how far each kind's rules agree with the recordings: `node test/unit/corpus/report.ts [--kind v1/pods] [--match TEXT] [--limit N] [--text]`. */
import { parseArgs } from 'node:util'
import { runCorpus } from './run.ts'
import { hasCorpus } from './scenarios.ts'
import { shareOf } from './share.ts'

const { values } = parseArgs({
  options: {
    kind: { type: 'string' },
    match: { type: 'string' },
    limit: { type: 'string', default: '40' },
    text: { type: 'boolean', default: false },
  },
})

if (!hasCorpus) throw new Error('No recordings: ../shared/kubernetes/corpus is missing')
const only = {
  ...(values.kind !== undefined && { kind: values.kind }),
  ...(values.match !== undefined && { match: values.match }),
}
const kinds = runCorpus(only)
const showsDetails = Object.keys(only).length > 0
for (const { id, results } of kinds) {
  const share = shareOf(results)
  console.log(
    `${id}  ${share.percent}% of ${results.length}  equal ${share.equal}, text ${share.text}, differs ${share.differs}`,
  )
  if (!showsDetails) continue
  const shown = results.filter(({ verdict }) => verdict === 'differs' || (values.text && verdict === 'text'))
  for (const { scenario, step, verdict, details } of shown.slice(0, Number(values.limit)))
    console.log(
      `  ${verdict} ${scenario} [${step}]\n${details
        .slice(0, 8)
        .map((detail) => `      ${detail.slice(0, 1200)}`)
        .join('\n')}`,
    )
}
