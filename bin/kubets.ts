/** The command line: `kubets up`, `kubets down`, … (`kubets help` lists them). */
import { main } from '#cli/main.ts'

await main(process.argv.slice(2))
