/** Prints the tests that failed, a line each with the first line of why, from the JSON report of Vitest: `failed-tests.mjs FILE`. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const report = JSON.parse(readFileSync(process.argv[2] ?? 0, 'utf8'))

for (const { name, status, message, assertionResults } of report.testResults) {
  const file = relative(process.cwd(), name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  for (const test of failed) console.log(`${file} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`)
  // A file that does not load, or whose hooks fail, has no failed test.
  if (status === 'failed' && failed.length === 0) console.log(`${file}: ${firstLine(message)}`)
}

function firstLine(text = '') {
  return text.split('\n', 1)[0]
}
