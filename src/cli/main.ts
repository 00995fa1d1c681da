#!/usr/bin/env node
/** The command line: `farthing`. */
import { sayEnding } from './exit.ts'
import { createProgram } from './program.ts'

// Whoever reads us may stop in the middle, as `head` does.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
}

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = sayEnding(error, process.argv.includes('--json'))
}
